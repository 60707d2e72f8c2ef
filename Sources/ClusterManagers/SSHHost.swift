public import Agent

/// A host that ssh knows how to reach, and how many workers it gets.
///
/// The text is `[count*][user@]host[:port] [bind_addr[:port]]`, as Julia's machine files have it. `host` is a name, an
/// address, or an alias of ssh's configuration; IPv6 addresses stand in brackets: `[fd00::7]:2222`.
///
/// ```swift
/// try SSHHost("ada@node1:2222", workers: 4)
/// try SSHHost("4*ada@node1:2222")
/// ```
public struct SSHHost: Hashable, Sendable {
    /// The user to log in as; `nil` for whom ssh's configuration names.
    public let user: String?
    /// Name, address or alias; an IPv6 address without its brackets.
    public let name: String
    /// The port of its SSH server; `nil` for what ssh's configuration says, or 22.
    public let port: Int?
    /// Where on that host a tunnel's end listens; `nil` for its loopback interface.
    public let bindAddress: String?
    /// The port of that end; `nil` for one that is free.
    public let bindPort: Int?
    /// Number of workers; `nil` for what the manager says.
    public var workers: WorkerCount?

    /// Reads the text.
    ///
    /// - Parameter workers: How many the host gets, unless the text says.
    /// - Throws: ``LaunchError`` with what is wrong in it. What ssh itself could take for an option or for a command, it
    ///   refuses too.
    public init(_ text: String, workers: WorkerCount? = nil) throws(LaunchError) {
        func refusal(_ reason: String) -> LaunchError {
            LaunchError(
                """
                \(text.debugDescription) is no host: \(reason); write [count*][user@]host[:port] [bind_addr[:port]], \
                such as ada@node1:2222
                """)
        }
        let parts = text.utf8.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: true)
        guard (1...2).contains(parts.count), text.first != " ", text.last != " " else {
            throw refusal("it is not one word, or two with a space between")
        }
        var rest = Substring(parts[0])
        self.workers = workers
        if let star = rest.firstIndex(of: "*") {
            guard workers == nil else { throw refusal("the number of workers is given twice") }
            guard let number = SSHHost.number(rest[..<star]), number >= 1 else {
                throw refusal("\"\(rest[..<star])\" is no number of workers")
            }
            self.workers = .count(number)
            rest = rest[rest.index(after: star)...]
        }
        // ssh looks for the last one too: a user's name may have its domain behind an @.
        if let at = rest.lastIndex(of: "@") {
            user = String(rest[..<at])
            rest = rest[rest.index(after: at)...]
        } else {
            user = nil
        }
        if let user, let problem = SSHHost.problem(inUser: user) { throw refusal(problem) }
        do throws(Problem) {
            (name, port) = try SSHHost.endpoint(rest)
            if parts.count == 2 {
                let bind = try SSHHost.endpoint(Substring(parts[1]))
                (bindAddress, bindPort) = (bind.name, bind.port)
            } else {
                (bindAddress, bindPort) = (nil, nil)
            }
        } catch {
            throw refusal(error.reason)
        }
    }

    private struct Problem: Error { let reason: String }

    /// Reads `host[:port]`.
    private static func endpoint(_ text: Substring) throws(Problem) -> (name: String, port: Int?) {
        var name = text
        var port: Substring?
        if text.first == "[" {
            guard let close = text.firstIndex(of: "]") else { throw Problem(reason: "its bracket is not closed") }
            name = text[text.index(after: text.startIndex)..<close]
            let behind = text[text.index(after: close)...]
            guard name.contains(":") else { throw Problem(reason: "brackets are for IPv6 addresses") }
            guard behind.isEmpty || behind.first == ":" else { throw Problem(reason: "more follows its bracket") }
            if !behind.isEmpty { port = behind.dropFirst() }
        } else if let colon = text.firstIndex(of: ":") {
            name = text[..<colon]
            port = text[text.index(after: colon)...]
            guard port?.contains(":") == false else {
                throw Problem(reason: "an IPv6 address stands in brackets, as in [fd00::7]:22")
            }
        }
        if let problem = problem(inName: name) { throw Problem(reason: problem) }
        guard let port else { return (String(name), nil) }
        guard let number = number(port), (1...65_535).contains(number) else {
            throw Problem(reason: "\"\(port)\" is no port from 1 to 65535")
        }
        return (String(name), number)
    }

    /// Digits only: `Int("+1")` is a number too.
    private static func number(_ digits: Substring) -> Int? {
        let areDigits = digits.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        return areDigits ? Int(digits) : nil
    }

    /// Source: OpenSSH, `valid_hostname` in ssh.c (9.6), which refuses these for what they do in a `ProxyCommand`.
    private static func problem(inName name: Substring) -> String? {
        if name.isEmpty { return "there is no host's name" }
        if name.first == "-" { return "its name begins with \"-\", as an option does" }
        return problem(in: name.utf8, refused: "'`\"$\\;&<>|(){}[]/*?")
    }

    /// Source: OpenSSH, `valid_ruser` in ssh.c (9.6).
    private static func problem(inUser user: String) -> String? {
        if user.isEmpty { return "the user's name is empty" }
        if user.first == "-" { return "the user's name begins with \"-\", as an option does" }
        if user.last == "\\" { return "the user's name ends with a backslash" }
        return problem(in: user.utf8, refused: "'`\";&<>|(){}")
    }

    private static func problem(in bytes: some Sequence<UInt8>, refused: StaticString) -> String? {
        let refused = "\(refused)".utf8
        for byte in bytes where byte <= 0x20 || byte == 0x7f || refused.contains(byte) {
            let character = String(decoding: [byte], as: UTF8.self)
            return "\(character.debugDescription) can't be part of a name"
        }
        return nil
    }
}

extension SSHHost: CustomStringConvertible {
    /// The text that it can be read from.
    public var description: String {
        let count = workers?.number.map { "\($0)*" } ?? ""
        let bind = bindAddress.map { " " + SSHHost.text($0, bindPort) } ?? ""
        return count + destination + bind
    }

    /// User, name and port.
    var destination: String { (user.map { $0 + "@" } ?? "") + SSHHost.text(name, port) }

    /// As one would type it behind `ssh`.
    var words: String { (port.map { "-p \($0) " } ?? "") + (user.map { $0 + "@" } ?? "") + name }

    static func text(_ name: String, _ port: Int?) -> String {
        let name = name.contains(":") ? "[\(name)]" : name
        return port.map { "\(name):\($0)" } ?? name
    }
}
