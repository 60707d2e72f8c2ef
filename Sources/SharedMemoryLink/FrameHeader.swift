/// What a frame holds.
package enum FrameKind: UInt8, Sendable {
    /// A message.
    case message
    /// A ``BlockTable``, then a message whose large arrays it names.
    case messageWithBlocks
    /// Offsets of the receiver's segments, 8 bytes each, that the sender has done with.
    case releases
}

/// The 8 bytes before each frame: its length in the lower 7, its kind in the last.
struct FrameHeader {
    static let byteCount = 8
    /// Largest length that a header can tell.
    static let lengthLimit = 1 << 56 - 1

    let kind: FrameKind
    let length: Int

    init(_ kind: FrameKind, length: Int) {
        self.kind = kind
        self.length = length
    }

    /// Nil for a kind that there is not.
    init?(_ word: UInt64) {
        guard let kind = FrameKind(rawValue: UInt8(word >> 56)) else { return nil }
        self.kind = kind
        length = Int(word & UInt64(FrameHeader.lengthLimit))
    }

    var word: UInt64 { UInt64(kind.rawValue) << 56 | UInt64(length) }
}
