/// The secret that a launch's processes and their driver have in common.
///
/// It proves both sides to each other (DESIGN: D6). Descriptions, mirrors and errors never show it.
package struct LaunchKey: Hashable, Sendable {
    /// Fewest bytes of a key that a user may set where others than this machine can try it.
    ///
    /// Who plays the driver to a worker gets a value by which guesses can be checked at leisure, so that a key has to be
    /// beyond guessing.
    package static let fewestBytes = 16
    /// Most bytes of a key; more than BoringSSL takes for a pre-shared key would be refused in the handshake.
    package static let mostBytes = 256

    /// The bytes. Nothing but the handshake and a join file has a use for them.
    internal let bytes: [UInt8]

    /// A random key of 32 bytes.
    package static func random() -> LaunchKey {
        var generator = SystemRandomNumberGenerator()
        return LaunchKey(unchecked: (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
    }

    /// A key that somebody chose.
    ///
    /// - Throws: ``JoinError/Code/unfitKey`` if it is empty, or longer than 256 bytes.
    package init(_ bytes: [UInt8]) throws(JoinError) {
        guard !bytes.isEmpty else { throw JoinError(.unfitKey, "the key is empty") }
        guard bytes.count <= LaunchKey.mostBytes else {
            throw JoinError(
                .unfitKey, "the key has \(bytes.count) bytes; \(LaunchKey.mostBytes) is the most that TLS takes")
        }
        self.bytes = bytes
    }

    private init(unchecked bytes: [UInt8]) { self.bytes = bytes }

    /// Refuses a key that is too short for where it would be used.
    ///
    /// - Parameter isLoopback: Whether only processes of this machine can try it.
    /// - Throws: ``JoinError/Code/unfitKey``.
    internal func checkLength(isLoopback: Bool) throws(JoinError) {
        guard !isLoopback, bytes.count < LaunchKey.fewestBytes else { return }
        throw JoinError(
            .unfitKey,
            """
            the key has \(bytes.count) bytes, which can be guessed from what crosses the network; \
            use at least \(LaunchKey.fewestBytes), or the loopback address only
            """)
    }
}

extension LaunchKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// That it is a key, and no more.
    package var description: String { "LaunchKey(secret)" }
    /// The same.
    package var debugDescription: String { description }
    /// Nothing inside, so that `dump` shows nothing.
    package var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}

/// What names a launch's key in the clear: 32 hexadecimal digits, or a short word that a user chose.
package struct LaunchIdentity: Hashable, Sendable, CustomStringConvertible {
    /// The name: 1 to 64 letters, digits, `-`, `_` or `.`.
    package let description: String

    /// A random identity.
    package static func random() -> LaunchIdentity {
        var generator = SystemRandomNumberGenerator()
        return LaunchIdentity(
            unchecked: Hexadecimal.text((0..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) }))
    }

    /// The identity with this name; nil if it is not one.
    package init?(_ name: String) {
        let isWord = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                true
            default: false
            }
        }
        guard isWord, (1...64).contains(name.utf8.count) else { return nil }
        description = name
    }

    private init(unchecked name: String) { description = name }
}

/// What a process that joins is.
package enum JoinRole: String, Hashable, Sendable, CaseIterable {
    /// It runs the workers of a host.
    case agent
    /// It is a worker by itself.
    case worker
}
