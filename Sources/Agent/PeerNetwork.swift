package import Transport
package import Wire

/// How agents reach each other, to pass on what all hosts need.
package protocol PeerNetwork: Sendable {
    /// Listens for the other host of a pair, which has the secret.
    ///
    /// - Parameter onJoin: Is given the link to it, not started yet.
    /// - Returns: The port.
    func admit(_ secret: PairSecret, onJoin: @escaping @Sendable (any Link) -> Void) async throws -> Int

    /// Reaches the host that listens for this one.
    func dial(_ address: String, port: Int, _ secret: PairSecret) async throws -> any Link
}

/// What two agents prove themselves to each other with: made by their driver for this pair.
package struct PairSecret: Hashable, Sendable, WireCodable, CustomStringConvertible {
    /// Names the key.
    package let identity: String
    /// The secret.
    package let key: [UInt8]

    /// A random one: 128 bits for the name, and 256 for the key.
    static func random() -> PairSecret {
        var generator = SystemRandomNumberGenerator()
        let name = (
            UInt64.random(in: .min ... .max, using: &generator), UInt64.random(in: .min ... .max, using: &generator)
        )
        return PairSecret(
            identity: String(name.0, radix: 16) + "-" + String(name.1, radix: 16),
            key: (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
    }

    private init(identity: String, key: [UInt8]) {
        self.identity = identity
        self.key = key
    }

    /// Nothing of it.
    package var description: String { "PairSecret(secret)" }

    package func write(to output: inout WireWriter) { output.write(identity, key) }

    package init(from input: inout WireReader) throws(WireError) {
        (identity, key) = (try input.read(), try input.read())
    }
}
