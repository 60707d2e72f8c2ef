/// What a ``WireReader`` accepts at most, beyond what the number of bytes already bounds.
public struct WireLimits: Hashable, Sendable {
    /// How deep values may be nested; 128 unless told.
    ///
    /// Each level costs stack, about 1 KiB in an optimised build and more in a debug build; the default is safe
    /// on a thread with a stack of 512 KiB.
    public var nesting: Int

    /// Memory, in bytes, that array elements which take no bytes in the message may take in all; 1 MiB unless
    /// told.
    ///
    /// An empty struct has a stride of one byte, so this allows about a million of them in a message. Without
    /// this limit a message of 20 bytes could claim 2⁶⁰ of them.
    public var freeByteCount: Int

    /// Limits that differ from the default ones where told.
    public init(nesting: Int = 128, freeByteCount: Int = 1 << 20) {
        self.nesting = nesting
        self.freeByteCount = freeByteCount
    }

    /// The limits that apply unless others are given.
    public static let `default` = WireLimits()
}
