import NIOCore
import Transport
import Wire

/// Frames that wait to be sent, as bytes in order.
///
/// Messages are copied here, because they are only lent; blocks are not, and are read from where they lie.
struct OutgoingBytes {
    private enum Piece {
        case bytes(ByteBuffer)
        case block(SharedArray<UInt8>)
    }

    /// In order; those before `first` are gone.
    private var pieces: [Piece] = []
    private var first = 0
    /// Bytes of the first piece that are gone, if it is a block.
    private var offset = 0
    /// Heads and messages behind the last piece.
    private var tail = ByteBuffer()
    /// Bytes that wait.
    private(set) var byteCount = 0
    /// Bytes from which on the tail becomes a piece: a buffer takes 4 GiB, and is copied as it grows.
    private static let mostTail = 1 << 20
    /// Bytes of a message that are copied to a buffer of their own at most.
    private static let mostCopied = 1 << 26
    /// Whether somebody sees to it that they are sent.
    var isBeingSent = false
    var isClosed = false

    /// Adds a frame.
    mutating func append(_ bytes: RawSpan, _ blocks: [SharedArray<UInt8>], frameByteCount: Int) {
        let head = FrameHead(messageByteCount: bytes.byteCount, blockCount: blocks.count).words
        // At once, since a buffer that grows is copied; what is larger goes into a buffer of its own.
        let headByteCount = FrameHead.byteCount + blocks.count * FrameHead.blockByteCount
        let copied = bytes.byteCount > OutgoingBytes.mostTail ? 0 : bytes.byteCount
        tail.reserveCapacity(minimumWritableBytes: headByteCount + copied)
        tail.writeInteger(head.0, endianness: .little)
        tail.writeInteger(head.1, endianness: .little)
        for block in blocks { tail.writeInteger(UInt64(block.count), endianness: .little) }
        if bytes.byteCount > OutgoingBytes.mostTail { closeTail() }
        for start in stride(from: 0, to: bytes.byteCount, by: OutgoingBytes.mostCopied) {
            let part = bytes.extracting(start..<min(start + OutgoingBytes.mostCopied, bytes.byteCount))
            // The buffer copies them.
            _ = unsafe part.withUnsafeBytes { unsafe tail.writeBytes($0) }
            if tail.readableBytes >= OutgoingBytes.mostTail { closeTail() }
        }
        for block in blocks where !block.isEmpty {
            closeTail()
            pieces.append(.block(block))
        }
        byteCount += headByteCount + frameByteCount
    }

    /// Takes up to `limit` bytes, in one buffer.
    ///
    /// - Parameter scratch: What the bytes of blocks are copied to, so that a large one takes no more memory than a part
    ///   of it.
    mutating func take(upTo limit: Int, _ scratch: inout ByteBuffer) -> ByteBuffer? {
        if first == pieces.count {
            guard tail.readableBytes > 0 else { return nil }
            if tail.readableBytes <= limit {
                byteCount -= tail.readableBytes
                defer { tail = ByteBuffer() }
                return tail
            }
            closeTail()
        }
        switch pieces[first] {
        case .bytes(var bytes):
            let slice = bytes.readSlice(length: min(limit, bytes.readableBytes))
            if bytes.readableBytes > 0 { pieces[first] = .bytes(bytes) } else { drop() }
            byteCount -= slice?.readableBytes ?? 0
            return slice
        case .block(let block):
            let count = min(limit, block.count - offset)
            scratch.clear(minimumCapacity: limit)
            let part = block.extracting(offset..<offset + count)
            unsafe part.withContiguousStorageIfAvailable { _ = unsafe scratch.writeBytes($0) }
            offset += count
            if offset == block.count { drop() }
            byteCount -= count
            return scratch
        }
    }

    /// Forgets all that waits.
    mutating func removeAll() {
        (pieces, first, offset, tail, byteCount) = ([], 0, 0, ByteBuffer(), 0)
    }

    /// The first piece is gone.
    private mutating func drop() {
        pieces[first] = .bytes(ByteBuffer())
        first += 1
        offset = 0
        // Each piece is moved once at most, on average.
        if first == pieces.count || first > 1024 && first > pieces.count / 2 {
            pieces.removeFirst(first)
            first = 0
        }
    }

    private mutating func closeTail() {
        guard tail.readableBytes > 0 else { return }
        pieces.append(.bytes(tail))
        tail = ByteBuffer()
    }
}
