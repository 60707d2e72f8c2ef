package import NIOCore
package import Transport
package import Wire

/// Puts frames together from the bytes of a stream, in whatever pieces they come.
///
/// A value without a socket. Lengths are checked before anything is done with them; a message's memory grows with the
/// bytes that have come, and a block's is asked for when its first byte is there.
@safe
package struct FrameAssembler {
    private enum Part {
        /// The head, as far as it has come.
        case head
        /// The lengths of the blocks.
        case lengths(FrameHead)
        /// The message.
        case message(FrameHead, lengths: [UInt64])
        /// The blocks.
        case blocks(lengths: [UInt64])
    }

    /// Most bytes of a frame.
    private let limit: Int
    private let maker: any BlockMaker
    private var part = Part.head
    /// What has come of a part that is not whole yet: head, lengths, or message.
    private var pending: [UInt8] = []
    /// The message of a frame whose blocks are coming.
    private var message: [UInt8] = []
    private var blocks: [SharedArray<UInt8>] = []
    /// Where the next bytes of the block that is coming belong.
    private var target: UnsafeMutableRawBufferPointer?

    /// - Parameters:
    ///   - limit: Most bytes of a frame.
    ///   - maker: Makes the memory of blocks.
    package init(limit: Int, maker: any BlockMaker) {
        self.limit = limit
        self.maker = maker
        unsafe target = nil
    }

    /// Whether a frame has begun and is not whole.
    package var isInsideFrame: Bool {
        if case .head = part { !pending.isEmpty } else { true }
    }

    /// Bytes that are taken for what is not whole yet.
    var pendingCapacity: Int { pending.capacity }

    /// Takes bytes of the stream up to the end of a frame, and calls `onFrame` with it.
    ///
    /// - Returns: Whether there was a whole frame; if not, all bytes were taken.
    /// - Throws: ``LinkError`` if they are no frame, or over the limit, or there is no memory for a block; then nothing
    ///   more may be taken.
    package mutating func takeFrame(
        from bytes: inout ByteBuffer, onFrame: (RawSpan, [SharedArray<UInt8>]) -> Void
    ) throws(LinkError) -> Bool {
        while true {
            switch part {
            case .head:
                guard let words = takeHead(from: &bytes) else { return false }
                let head = try FrameHead(words.0, words.1, limit: limit)
                part = head.blockCount == 0 ? .message(head, lengths: []) : .lengths(head)
            case .lengths(let head):
                guard let table = collect(head.blockCount * FrameHead.blockByteCount, from: &bytes) else {
                    return false
                }
                let lengths = (0..<head.blockCount).map { FrameAssembler.word(table, $0) }
                try head.checkBlocks(lengths, limit: limit)
                part = .message(head, lengths: lengths)
            case .message(let head, let lengths):
                if lengths.isEmpty, pending.isEmpty,
                    let message = bytes.readSlice(length: head.messageByteCount)
                {
                    // All of it is here: lent out where it lies.
                    part = .head
                    // SAFETY: the buffer's initialised bytes, which stay for the call.
                    unsafe message.withUnsafeReadableBytes { onFrame(unsafe RawSpan(_unsafeBytes: $0), []) }
                    return true
                }
                guard let whole = collect(head.messageByteCount, from: &bytes) else { return false }
                if lengths.isEmpty {
                    part = .head
                    // SAFETY: every byte of a span of `UInt8` is initialised.
                    onFrame(unsafe whole.span.bytes, [])
                    return true
                }
                message = whole
                part = .blocks(lengths: lengths)
            case .blocks(let lengths):
                guard try fillBlocks(lengths, from: &bytes) else { return false }
                part = .head
                let (whole, all) = (message, blocks)
                (message, blocks) = ([], [])
                // SAFETY: every byte of a span of `UInt8` is initialised.
                onFrame(unsafe whole.span.bytes, all)
                return true
            }
        }
    }

    /// The two words of a head, when they are there.
    private mutating func takeHead(from bytes: inout ByteBuffer) -> (UInt64, UInt64)? {
        if pending.isEmpty, let words = bytes.readMultipleIntegers(endianness: .little, as: (UInt64, UInt64).self) {
            return words
        }
        guard let head = collect(FrameHead.byteCount, from: &bytes) else { return nil }
        return (FrameAssembler.word(head, 0), FrameAssembler.word(head, 1))
    }

    /// Adds to what is pending; gives it away when it has `count` bytes.
    private mutating func collect(_ count: Int, from bytes: inout ByteBuffer) -> [UInt8]? {
        let missing = count - pending.count
        let some = min(missing, bytes.readableBytes)
        if some > 0 {
            if pending.isEmpty { pending.reserveCapacity(min(count, max(some, 1 << 16))) }
            unsafe bytes.readWithUnsafeReadableBytes { readable in
                unsafe pending.append(contentsOf: UnsafeRawBufferPointer(rebasing: readable[..<some]))
                return some
            }
        }
        guard pending.count == count else { return nil }
        defer { pending = [] }
        return pending
    }

    /// Writes blocks; whether all are whole.
    private mutating func fillBlocks(_ lengths: [UInt64], from bytes: inout ByteBuffer) throws(LinkError) -> Bool {
        while unsafe target != nil || blocks.count < lengths.count {
            if unsafe target == nil {
                let count = Int(lengths[blocks.count])
                if count == 0 {
                    blocks.append(SharedArray([]))
                    continue
                }
                guard bytes.readableBytes > 0 else { return false }
                guard let made = unsafe maker.makeBlock(byteCount: count) else {
                    throw LinkError(code: .outOfMemory, "no memory for a block of \(count) bytes that arrives")
                }
                unsafe blocks.append(made.bytes)
                unsafe target = UnsafeMutableRawBufferPointer(start: made.base, count: count)
            }
            guard let room = unsafe target else { continue }
            let some = min(room.count, bytes.readableBytes)
            guard some > 0 else { return false }
            unsafe bytes.readWithUnsafeReadableBytes { readable in
                // SAFETY: `some` bytes are readable, and as many missing in the block, which nobody reads before it is
                // whole.
                unsafe room.copyMemory(from: UnsafeRawBufferPointer(rebasing: readable[..<some]))
                return some
            }
            if some == room.count {
                unsafe target = nil
            } else {
                unsafe target = UnsafeMutableRawBufferPointer(rebasing: room[some...])
            }
        }
        return true
    }

    private static func word(_ bytes: [UInt8], _ index: Int) -> UInt64 {
        (0..<8).reduce(0) { $0 | UInt64(bytes[8 * index + $1]) << (8 * UInt64($1)) }
    }
}
