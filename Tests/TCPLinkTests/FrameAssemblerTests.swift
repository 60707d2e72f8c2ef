import NIOCore
import Synchronization
import Testing
import Transport
import Wire

@testable import TCPLink

private struct Frame: Hashable {
    var message: [UInt8]
    var blocks: [[UInt8]] = []
}

/// The bytes of frames as a link sends them.
private func stream(_ frames: [Frame]) -> [UInt8] {
    var outgoing = OutgoingBytes()
    for frame in frames {
        let count = frame.blocks.reduce(frame.message.count) { $0 + $1.count }
        outgoing.append(
            unsafe frame.message.span.bytes, frame.blocks.map { SharedArray($0) }, frameByteCount: count)
    }
    let expected = outgoing.byteCount
    var bytes: [UInt8] = []
    var scratch = ByteBuffer()
    while let next = outgoing.take(upTo: 1000, &scratch) { bytes += Array(next.readableBytesView) }
    #expect(bytes.count == expected && outgoing.byteCount == 0)
    return bytes
}

/// Counts what it is asked for.
private final class CountingBlocks: BlockMaker {
    let requests = Mutex<[Int]>([])
    let limit: Int
    init(limit: Int = .max) { self.limit = limit }

    func makeBlock(byteCount: Int) -> (bytes: SharedArray<UInt8>, base: UnsafeMutableRawPointer)? {
        requests.withLock { $0.append(byteCount) }
        guard byteCount <= limit else { return nil }
        return unsafe HeapBlocks().makeBlock(byteCount: byteCount)
    }
}

extension FrameAssembler {
    fileprivate mutating func frames(from bytes: [UInt8]) throws(LinkError) -> [Frame] {
        var buffer = ByteBuffer(bytes: bytes)
        var frames: [Frame] = []
        while try takeFrame(
            from: &buffer,
            onFrame: { message, blocks in
                let copy = unsafe message.withUnsafeBytes { unsafe Array($0) }
                frames.append(Frame(message: copy, blocks: blocks.map { Array($0) }))
            })
        {}
        #expect(buffer.readableBytes == 0)
        return frames
    }
}

@Suite("FrameAssembler")
struct FrameAssemblerTests {
    private static let samples = [
        Frame(message: []), Frame(message: [1]), Frame(message: bytes(5000, seed: 1)),
        Frame(message: bytes(3, seed: 2), blocks: [bytes(2500, seed: 3)]),
        Frame(message: [], blocks: [[], bytes(1, seed: 4), [], bytes(1000, seed: 5), []]),
        Frame(message: [], blocks: [[]]),
        Frame(message: bytes(100, seed: 6)),
    ]

    @Test("frames come out as they went in, in whatever pieces", arguments: [1, 2, 7, 15, 16, 17, 100, 1000, 100_000])
    func pieces(size: Int) throws {
        var assembler = FrameAssembler(limit: 100_000, maker: HeapBlocks())
        let all = stream(Self.samples)
        var frames: [Frame] = []
        for start in stride(from: 0, to: all.count, by: size) {
            frames += try assembler.frames(from: Array(all[start..<min(start + size, all.count)]))
        }
        #expect(frames == Self.samples)
        #expect(!assembler.isInsideFrame)
    }

    @Test("a frame that is not whole is known as such, wherever it ends")
    func truncated() throws {
        let all = stream([Self.samples[3]])
        for count in 1..<all.count {
            var assembler = FrameAssembler(limit: 100_000, maker: HeapBlocks())
            #expect(try assembler.frames(from: Array(all[..<count])) == [])
            #expect(assembler.isInsideFrame)
        }
    }

    /// A head with these words, and lengths of blocks.
    private func head(_ words: UInt64...) -> [UInt8] {
        words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
    }

    @Test("hostile heads are refused before memory is asked for")
    func hostile() throws {
        let cases: [([UInt8], LinkError.Code)] = [
            (head(1 << 63, 0), .frameTooLarge), (head(.max, 0), .frameTooLarge), (head(1001, 0), .frameTooLarge),
            (head(0, 1 << 32), .broken), (head(0, .max), .broken), (head(0, 1 << 63), .broken),
            (head(0, 1 << 31), .frameTooLarge), (head(0, 65_537), .frameTooLarge),
            (head(0, 1, 1 << 63), .frameTooLarge), (head(0, 1, .max), .frameTooLarge),
            (head(0, 1, 1001), .frameTooLarge), (head(1000, 1, 1), .frameTooLarge),
            (head(1, 2, 999, 1), .frameTooLarge), (head(0, 2, .max, 2), .frameTooLarge),
            (head(0, 3, 600, 600, 0), .frameTooLarge), (Array("GET / HTTP/1.1\r\n".utf8), .broken),
        ]
        for (bytes, code) in cases {
            let maker = CountingBlocks()
            var assembler = FrameAssembler(limit: 1000, maker: maker)
            let error = #expect(throws: LinkError.self) { try assembler.frames(from: bytes + [0, 0, 0]) }
            #expect(error?.code == code, "\(bytes)")
            #expect(maker.requests.withLock { $0 } == [])
        }
    }

    @Test("a block's memory is asked for when its first byte is there; where there is none, that is the end")
    func memory() throws {
        let maker = CountingBlocks(limit: 500)
        var assembler = FrameAssembler(limit: 1 << 40, maker: maker)
        #expect(try assembler.frames(from: head(2, 2, 500, 1 << 30) + [1, 2]) == [])
        #expect(maker.requests.withLock { $0 } == [])
        #expect(try assembler.frames(from: [UInt8](repeating: 0, count: 500)) == [])
        #expect(maker.requests.withLock { $0 } == [500])
        let error = #expect(throws: LinkError.self) { try assembler.frames(from: [0]) }
        #expect(error?.code == .outOfMemory)
    }

    @Test("a length within the limit takes no memory before its bytes come, however large it is")
    func large() throws {
        var assembler = FrameAssembler(limit: 1 << 36, maker: CountingBlocks(limit: 0))
        #expect(try assembler.frames(from: head(1 << 35, 0) + bytes(1000, seed: 1)) == [])
        #expect(assembler.pendingCapacity < 1 << 20)
        var other = FrameAssembler(limit: 1 << 36, maker: CountingBlocks(limit: 0))
        #expect(try other.frames(from: head(0, 65_536) + bytes(1000, seed: 1)) == [])
        #expect(other.pendingCapacity < 1 << 20)
    }

    @Test("streams with some bytes changed never do anything but fail, wait, or give frames of the bytes there are")
    func changed() {
        var generator = SystemRandomNumberGenerator()
        let all = stream(Self.samples)
        for _ in 0..<2000 {
            var bytes = all
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                bytes[place] = UInt8.random(in: .min ... .max, using: &generator)
            }
            var assembler = FrameAssembler(limit: 100_000, maker: HeapBlocks())
            let frames = (try? assembler.frames(from: bytes)) ?? []
            let count = frames.reduce(0) { $1.blocks.reduce($0 + $1.message.count) { $0 + $1.count } }
            #expect(count <= bytes.count)
        }
    }

    @Test("random bytes never do anything but fail or wait")
    func random() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            var assembler = FrameAssembler(limit: 4096, maker: HeapBlocks())
            let count = Int.random(in: 0..<200, using: &generator)
            let mask: UInt8 = [0xff, 0x01, 0x0f].randomElement(using: &generator) ?? 0
            let bytes = (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) & mask }
            _ = try? assembler.frames(from: bytes)
        }
    }
}
