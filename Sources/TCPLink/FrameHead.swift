import NIOCore
package import Transport
import Wire

/// What stands in front of each frame: how many bytes the message has, and how many arrays lie beside it.
///
/// On the wire: the number of bytes of the message in 8 bytes, of blocks in 4, then 4 that are zero; then the number of
/// bytes of each block in 8; the message; the blocks. All little endian.
package struct FrameHead: Hashable, Sendable {
    /// Bytes of a head on the wire.
    package static let byteCount = 16
    /// Bytes that each block adds to it.
    package static let blockByteCount = 8
    /// Most blocks beside a message.
    package static let mostBlocks = 1 << 16

    /// Bytes of the message.
    package let messageByteCount: Int
    /// Blocks beside it.
    package let blockCount: Int

    /// The head of a frame to be sent.
    package init(messageByteCount: Int, blockCount: Int) {
        self.messageByteCount = messageByteCount
        self.blockCount = blockCount
    }

    /// Checks what another process has sent.
    ///
    /// - Parameters:
    ///   - first: The first 8 bytes of the head.
    ///   - second: The other 8.
    /// - Throws: ``LinkError/Code/broken`` if it is no head, ``LinkError/Code/frameTooLarge``.
    package init(_ first: UInt64, _ second: UInt64, limit: Int) throws(LinkError) {
        guard second >> 32 == 0 else { throw LinkError(code: .broken, "what arrived is not a frame") }
        guard first <= UInt64(limit) else {
            throw LinkError(
                code: .frameTooLarge, "a frame with a message of \(first) bytes arrives; the limit is \(limit)")
        }
        guard second <= UInt64(FrameHead.mostBlocks) else {
            throw LinkError(
                code: .frameTooLarge, "a frame with \(second) blocks arrives; the limit is \(FrameHead.mostBlocks)")
        }
        self.init(messageByteCount: Int(first), blockCount: Int(second))
    }

    /// The head's two words.
    package var words: (UInt64, UInt64) { (UInt64(messageByteCount), UInt64(blockCount)) }

    /// Checks the lengths of the blocks.
    ///
    /// - Throws: ``LinkError/Code/frameTooLarge`` if they are over the limit together with the message.
    package func checkBlocks(_ lengths: [UInt64], limit: Int) throws(LinkError) {
        var total = messageByteCount
        for length in lengths {
            guard length <= UInt64(limit - total) else {
                throw LinkError(
                    code: .frameTooLarge,
                    "a frame with a block of \(length) bytes after \(total) others arrives; the limit is \(limit)")
            }
            total += Int(length)
        }
    }
}

extension FrameHead {
    /// A value as a frame without blocks; nil if it can't be written.
    static func frame(_ value: some WireEncodable) -> ByteBuffer? {
        var output = WireWriter()
        value.write(to: &output)
        guard let message = try? output.finish() else { return nil }
        let words = FrameHead(messageByteCount: message.count, blockCount: 0).words
        var bytes = ByteBuffer()
        bytes.writeMultipleIntegers(words.0, words.1, endianness: .little)
        bytes.writeBytes(message)
        return bytes
    }
}
