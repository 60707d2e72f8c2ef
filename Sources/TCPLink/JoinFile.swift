/// What a process needs in order to join: where the driver listens, or the process itself, and the secret that proves both
/// to each other.
///
/// A small text, a word and a value on each line, which goes through a file that only its owner can read
/// (``write(to:)``), or through a descriptor (standard input, a mounted secret).
///
/// ```
/// muster-join 1
/// role agent
/// build 5f0c9d…
/// expires 1796000000
/// address 10.0.0.7
/// address fd00::7
/// port 43121
/// identity 27d1…
/// key 09ab…
/// ```
///
/// With a line `direction listen` the process that reads it listens, at addresses as ``ListenAddress`` has them, and the
/// driver dials it; port 0 stands for any. Such a file is for one process: every process that has its key could play
/// the driver to another one that waits with it.
package struct JoinFile: Hashable, Sendable {
    /// Largest file that is read, in bytes.
    package static let mostBytes = 16 << 10
    /// Most addresses.
    package static let mostAddresses = 32

    /// Addresses of the host that listens, numeric or names, in the order in which they are to be tried; at least one.
    package let addresses: [String]
    /// Its port, 1 to 65,535; 0 if who reads this listens at any.
    package let port: Int
    /// Which side listens.
    package let direction: JoinDirection
    /// Names the key.
    package let identity: LaunchIdentity
    /// The secret.
    package let key: LaunchKey
    /// What the process joins as.
    package let role: JoinRole
    /// Bytes of the driver's build ID.
    package let buildID: [UInt8]
    /// Seconds since 1970 after which the key is not valid any more: the clocks of two hosts have nothing else in common.
    package let expiry: Int

    /// What a launch's processes are to know.
    ///
    /// - Throws: ``JoinError/Code/badFile`` if there are not 1 to 32 addresses, of the characters that addresses and names
    ///   are made of, the port is none, or the build ID has more than 64 bytes.
    package init(
        addresses: [String], port: Int, launch: LaunchKeys.Launch, buildID: [UInt8], expiry: Int,
        direction: JoinDirection = .dial
    ) throws(JoinError) {
        guard (1...JoinFile.mostAddresses).contains(addresses.count) else {
            throw JoinError(
                .badFile, "a join file has 1 to \(JoinFile.mostAddresses) addresses, not \(addresses.count)")
        }
        if let wrong = addresses.first(where: { !JoinFile.isAddress($0) }) {
            throw JoinError(.badFile, "\"\(wrong)\" is no address, neither a number nor a name")
        }
        guard JoinFile.isPort(port, direction), buildID.count <= 64 else {
            throw JoinError(.badFile, "a join file needs a port from 1 to 65535, and a build ID of 64 bytes at most")
        }
        self.addresses = addresses
        self.port = port
        self.direction = direction
        (identity, key, role) = (launch.identity, launch.key, launch.role)
        self.buildID = buildID
        self.expiry = expiry
    }

    /// The launch as the driver knows it.
    package var launch: LaunchKeys.Launch { LaunchKeys.Launch(identity: identity, key: key, role: role) }

    /// The text, with the key in it.
    package var secretText: String {
        let lines =
            ["muster-join 1", "role \(role.rawValue)"]
            + (direction == .dial ? [] : ["direction \(direction.rawValue)"])
            + ["build \(Hexadecimal.text(buildID))", "expires \(expiry)"]
            + addresses.map { "address \($0)" }
            + ["port \(port)", "identity \(identity)", "key \(Hexadecimal.text(key.bytes))"]
        return lines.joined(separator: "\n") + "\n"
    }

    /// Reads the text.
    ///
    /// - Throws: ``JoinError/Code/badFile`` with the line that is wrong, by number and word: never what it says.
    package init(secretText bytes: [UInt8]) throws(JoinError) {
        guard bytes.count <= JoinFile.mostBytes else {
            throw JoinFile.bad("it has more than \(JoinFile.mostBytes) bytes")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw JoinFile.bad("it is not text") }
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        if lines.last == "" { lines.removeLast() }
        guard let first = lines.first, first.hasPrefix("muster-join ") else {
            throw JoinFile.bad("its first line is not \"muster-join 1\"")
        }
        guard first == "muster-join 1" else {
            throw JoinFile.bad("it is of another version than 1; use the same build on both sides")
        }
        var addresses: [String] = []
        var values: [Substring: (value: Substring, line: Int)] = [:]
        for (number, line) in zip(2..., lines.dropFirst()) {
            let words = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
            guard words.count == 2 else { throw JoinFile.bad("line \(number) is not a word and a value") }
            if words[0] == "address" {
                guard addresses.count < JoinFile.mostAddresses, JoinFile.isAddress(String(words[1])) else {
                    throw JoinFile.bad("line \(number): no address, or one too many")
                }
                addresses.append(String(words[1]))
            } else {
                guard JoinFile.words.contains(words[0]) else {
                    throw JoinFile.bad("line \(number) starts with an unknown word")
                }
                guard values.updateValue((words[1], number), forKey: words[0]) == nil else {
                    throw JoinFile.bad("line \(number): a second \"\(words[0])\"")
                }
            }
        }
        func value<T>(_ word: Substring, _ read: (Substring) -> T?) throws(JoinError) -> T {
            guard let (text, line) = values[word] else { throw JoinFile.bad("there is no \"\(word)\"") }
            guard let value = read(text) else { throw JoinFile.bad("line \(line): no valid \"\(word)\"") }
            return value
        }
        guard !addresses.isEmpty else { throw JoinFile.bad("there is no \"address\"") }
        self.addresses = addresses
        role = try value("role") { JoinRole(rawValue: String($0)) }
        buildID = try value("build") { Hexadecimal.bytes($0).flatMap { $0.count <= 64 ? $0 : nil } }
        expiry = try value("expires") { Int($0) }
        let direction =
            values["direction"] == nil ? .dial : try value("direction") { JoinDirection(rawValue: String($0)) }
        self.direction = direction
        port = try value("port") { Int($0).flatMap { JoinFile.isPort($0, direction) ? $0 : nil } }
        identity = try value("identity") { LaunchIdentity(String($0)) }
        key = try value("key") { digits in Hexadecimal.bytes(digits).flatMap { try? LaunchKey($0) } }
    }

    private static let words: Set<Substring> = ["role", "direction", "build", "expires", "port", "identity", "key"]

    /// Whether there is such a port; any stands for one only where the reader listens.
    private static func isPort(_ port: Int, _ direction: JoinDirection) -> Bool {
        (direction == .listen ? 0...65_535 : 1...65_535).contains(port)
    }

    /// Whether this is what a numeric address or a host's name can look like, perhaps with an interface (`fe80::1%eth0`).
    static func isAddress(_ text: String) -> Bool {
        (1...255).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: ":"), UInt8(ascii: "-"),
                    UInt8(ascii: "_"), UInt8(ascii: "%"):
                    true
                default: false
                }
            }
    }

    /// An error about a file's contents.
    static func bad(_ reason: String) -> JoinError {
        JoinError(.badFile, "the join file is damaged or none: \(reason). Have the driver write a new one.")
    }
}

extension JoinFile: CustomStringConvertible {
    /// Everything but the key.
    package var description: String {
        "JoinFile(\(role.rawValue) \(direction == .dial ? "to" : "at") \(addresses.joined(separator: ", ")) port \(port), identity \(identity))"
    }
}
