import Glibc
package import Transport

/// Reads frames out of a ring, as ``RingWriter/send(_:_:until:)`` and any link's framing write them: an 8-byte
/// little-endian ``FrameHeader``, then as many bytes as it says.
///
/// Each frame is copied to the same place, which is warm. A frame larger than the ring comes in pieces, and its memory is
/// taken as they come: a length alone costs next to nothing.
///
/// `@unchecked`: the block belongs to this value alone, which can't be copied.
@safe
package struct FrameReader: ~Copyable, @unchecked Sendable {
    private static let headerByteCount = FrameHeader.byteCount
    /// The header ends here, and the frame starts, as aligned as malloc's blocks are.
    private static let frameOffset = 64
    private static let usualCapacity = 1 << 16
    /// Up to here the block stays as large as a frame has made it.
    private static let keptCapacity = 1 << 18

    private var reader: RingReader
    private let frameLimit: Int
    /// `frameOffset` bytes, the last 8 of them the header, then the frame.
    private var base: UnsafeMutableRawPointer
    /// Bytes of a frame that `base` has space for.
    private var capacity = FrameReader.usualCapacity
    /// Bytes of the header and the frame that are here.
    private var received = 0
    /// Bytes of the header and, once that is here, the frame.
    private var wanted = FrameReader.headerByteCount
    private var kind = FrameKind.message

    /// Takes over the end of a ring.
    package init(_ reader: consuming RingReader, limits: LinkLimits = LinkLimits()) {
        self.reader = reader
        // Sums of a length and what surrounds it fit into an `Int`.
        frameLimit = min(limits.frameByteCount, FrameHeader.lengthLimit)
        unsafe base = malloc(FrameReader.frameOffset + FrameReader.usualCapacity)!
    }

    deinit { unsafe free(base) }

    /// Hands the next whole frame to `body`, in private memory that is valid during the call; false if more bytes are
    /// needed.
    ///
    /// - Throws: ``LinkError/Code/frameTooLarge`` for a length over the limit or one that memory does not suffice for,
    ///   ``LinkError/Code/broken`` if the ring is. Neither can be read on from.
    package mutating func withNextFrame(_ body: (RawSpan, FrameKind) -> Void) throws(LinkError) -> Bool {
        while received < wanted {
            let count = try unsafe reader.read(into: try space())
            guard count > 0 else { return false }
            received += count
            if received == FrameReader.headerByteCount { try begin() }
        }
        received = 0
        let length = wanted - FrameReader.headerByteCount
        wanted = FrameReader.headerByteCount
        // SAFETY: `length` bytes were read to here, and stay during the call: `self` is borrowed for it.
        let frame = unsafe RawSpan(
            _unsafeBytes: UnsafeRawBufferPointer(start: base + FrameReader.frameOffset, count: length))
        body(frame, kind)
        if capacity > FrameReader.keptCapacity { try resize(FrameReader.usualCapacity) }
        return true
    }

    /// Bytes that are here of a frame that is not.
    package var partByteCount: Int { received }

    /// The header is here: a frame begins.
    private mutating func begin() throws(LinkError) {
        // SAFETY: the eight bytes before the frame were read; aligned as the block is.
        let bits = unsafe base.load(
            fromByteOffset: FrameReader.frameOffset - FrameReader.headerByteCount, as: UInt64.self)
        guard let header = FrameHeader(UInt64(littleEndian: bits)) else {
            throw LinkError(code: .broken, "a frame of a kind that there is not arrives")
        }
        guard header.length <= frameLimit else {
            throw LinkError(
                code: .frameTooLarge, "a frame of \(header.length) bytes arrives; the limit is \(frameLimit)")
        }
        kind = header.kind
        wanted = FrameReader.headerByteCount + header.length
    }

    /// Where the next bytes go, up to the end of the header or the frame.
    private mutating func space() throws(LinkError) -> UnsafeMutableRawBufferPointer {
        let frame = received - FrameReader.headerByteCount
        if frame == capacity {
            try resize(min(wanted - FrameReader.headerByteCount, max(capacity * 2, FrameReader.keptCapacity)))
        }
        let end = min(wanted, FrameReader.headerByteCount + capacity)
        // SAFETY: from the header's start plus `received`, to the frame's start plus at most `capacity`.
        return unsafe UnsafeMutableRawBufferPointer(
            start: base + FrameReader.frameOffset + frame, count: end - received)
    }

    private mutating func resize(_ newCapacity: Int) throws(LinkError) {
        guard let resized = unsafe realloc(base, FrameReader.frameOffset + newCapacity) else {
            throw LinkError(code: .frameTooLarge, "no memory for \(newCapacity) bytes of a frame that arrives")
        }
        unsafe base = resized
        capacity = newCapacity
    }

    // MARK: - Waiting

    /// Whether bytes are there that were not read.
    package var hasNews: Bool { reader.hasNews }

    /// Whether nothing more will come, not even the rest of a frame.
    package mutating func isAtEnd() throws(LinkError) -> Bool { try reader.isAtEnd() }

    /// Waits until more bytes are there, or the ring has ended, or the wait is interrupted; false if the deadline passed
    /// before.
    ///
    /// - Parameter deadline: In seconds of `monotonicSeconds()`.
    package mutating func waitForBytes(until deadline: Double) -> Bool { reader.waitForBytes(until: deadline) }

    /// Has the writer ring the event of this side's poller; false if it need not sleep.
    package func sleepInPoller() -> Bool { reader.sleepInPoller() }

    /// Spares the writer the event, now that this side is awake.
    package func wakeFromPoller() { reader.wakeFromPoller() }
}
