import Agent

/// A secret that the user chose, by which processes that join and their driver prove themselves to each other.
///
/// Unless one is given, each launch has a random one, which is better. It is never taken from a command line, where every
/// user of the host could read it.
public struct ClusterKey: Hashable, Sendable {
    let bytes: [UInt8]

    /// A key of 1 to 256 bytes. Fewer than 16 are accepted where only the loopback address is listened on.
    ///
    /// - Throws: `LaunchError` for another length.
    public init(_ bytes: some Sequence<UInt8>) throws {
        self.bytes = Array(bytes)
        guard (1...256).contains(self.bytes.count) else {
            throw LaunchError("a key has 1 to 256 bytes, not \(self.bytes.count)")
        }
    }

    /// The key that a text spells in UTF-8.
    ///
    /// - Throws: `LaunchError` for a text of no bytes, or more than 256.
    public init(_ text: String) throws { try self.init(text.utf8) }
}

extension ClusterKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// That it is a key, and no more.
    public var description: String { "ClusterKey(secret)" }
    /// The same.
    public var debugDescription: String { description }
    /// Nothing inside, so that `dump` shows nothing.
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}
