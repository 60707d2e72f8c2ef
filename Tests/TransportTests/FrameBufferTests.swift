import Testing
import Transport

/// A frame as it stands in the stream.
private func framed(_ body: [UInt8]) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: UInt64(body.count) >> (8 * $0)) } + body
}

/// Feeds a buffer with pieces and collects the frames that come out.
private func frames(_ pieces: [[UInt8]], limit: Int = 1 << 20) throws(LinkError) -> [[UInt8]] {
    var buffer = FrameBuffer(frameLimit: limit)
    var found: [[UInt8]] = []
    for piece in pieces {
        var rest = piece[...]
        while !rest.isEmpty {
            let count = unsafe buffer.fill { space in
                let taken = min(space.count, rest.count)
                unsafe space.copyBytes(from: rest.prefix(taken))
                return taken
            }
            rest = rest.dropFirst(count)
            while try buffer.withNextFrame({ frame in found.append(frame.copyBytes()) }) {}
        }
    }
    return found
}

@Suite("FrameBuffer")
struct FrameBufferTests {
    private let bodies: [[UInt8]] = [[], [7], Array(0..<20), [], [1, 2, 3]]

    @Test("frames come out whole wherever the stream is cut in two")
    func cutInTwo() throws {
        let stream = bodies.flatMap(framed)
        for cut in 0...stream.count {
            #expect(try frames([Array(stream[..<cut]), Array(stream[cut...])]) == bodies, "cut at \(cut)")
        }
    }

    @Test("frames come out whole from pieces of any size", arguments: [1, 2, 3, 7, 8, 9, 64])
    func pieces(size: Int) throws {
        let stream = bodies.flatMap(framed)
        let pieces = stride(from: 0, to: stream.count, by: size).map {
            Array(stream[$0..<min($0 + size, stream.count)])
        }
        #expect(try frames(pieces) == bodies)
    }

    @Test(
        "frames around the buffer's own size come out whole",
        arguments: [(1 << 17) - 9, (1 << 17) - 8, 1 << 17, 300_000])
    func largeFrames(size: Int) throws {
        let large = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let bodies = [[1], large, [2], large, [3, 4]]
        let stream = bodies.flatMap(framed)
        let pieces = stride(from: 0, to: stream.count, by: 65_537).map {
            Array(stream[$0..<min($0 + 65_537, stream.count)])
        }
        #expect(try frames(pieces) == bodies)
    }

    @Test("a length over the limit is refused as soon as it is there", arguments: [101, 1 << 40, UInt64.max, 1 << 63])
    func oversize(length: UInt64) {
        let header = (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }
        let error = #expect(throws: LinkError.self) { try frames([header], limit: 100) }
        #expect(error?.code == .frameTooLarge)
    }

    @Test("a frame of exactly the limit is not refused")
    func exactly() throws {
        let body = [UInt8](repeating: 5, count: 100)
        #expect(try frames([framed(body)], limit: 100) == [body])
    }
}
