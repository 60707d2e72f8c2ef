import SharedMemoryLink
import Testing
import Transport
import Wire

/// Both ends of a ring of frames.
private struct FramePair: ~Copyable {
    let memory: SharedMemory
    let sending: Ring
    let receiving: Ring
    var writer: RingWriter
    var frames: FrameReader

    init(capacity: Int, limits: LinkLimits = LinkLimits()) throws {
        let memory = try SharedMemory(byteCount: Ring.byteCount(capacity: capacity))
        let sending = Ring(creatingIn: memory, capacity: capacity)
        let receiving = try Ring(joining: memory, capacity: capacity)
        (self.memory, self.sending, self.receiving) = (memory, sending, receiving)
        writer = RingWriter(sending)
        frames = FrameReader(RingReader(receiving), limits: limits)
    }

    mutating func send(_ head: [UInt8], _ body: [UInt8] = []) throws(LinkError) {
        try writer.send(unsafe head.span.bytes, unsafe body.span.bytes, until: monotonicSeconds() + 0.01)
    }

    mutating func next() throws(LinkError) -> [UInt8]? {
        var bytes: [UInt8]?
        return try frames.withNextFrame { frame, _ in bytes = frame.copyBytes() } ? bytes : nil
    }
}

@Suite("FrameReader")
struct FrameReaderTests {
    @Test("frames come whole and in order, wherever they wrap")
    func wraps() throws {
        for capacity in [64, 128] {
            var pair = try FramePair(capacity: capacity)
            for round in 0..<capacity {
                for count in [0, 1, 7, 8, 9, 31] {
                    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 + round) }
                    try pair.send([UInt8(count)], bytes)
                    #expect(try pair.next() == [UInt8(count)] + bytes)
                    #expect(try pair.next() == nil)
                }
            }
        }
    }

    @Test("several frames that came together are handed out one by one")
    func several() throws {
        var pair = try FramePair(capacity: 256)
        for number in UInt8(0)..<20 { try pair.send([], [number]) }
        for number in UInt8(0)..<20 { #expect(try pair.next() == [number]) }
        #expect(try pair.next() == nil)
    }

    @Test("a frame whose reader does not come is given up at the deadline")
    func deadline() throws {
        var pair = try FramePair(capacity: 64)
        do {
            try pair.send([], [UInt8](repeating: 1, count: 100))
            Issue.record("more fits than there is space")
        } catch {
            #expect(error.code == .tooMuchWaiting)
        }
    }

    @Test("a length over the limit, or over all memory, is an error", arguments: [101, 1 << 46, 1 << 56 - 1])
    func lengths(length: Int) throws {
        for limit in [100, .max] {
            var pair = try FramePair(capacity: 64, limits: LinkLimits(frameByteCount: limit))
            let header = unsafe withUnsafeBytes(of: length.littleEndian) { unsafe [UInt8]($0) }
            _ = try pair.writer.write(header + [1, 2, 3])
            pair.writer.publish()
            do {
                // A length alone takes no memory: without a limit, more bytes are waited for.
                let frame = try pair.next()
                #expect(frame == nil && limit == .max)
            } catch {
                #expect(error.code == .frameTooLarge, "\(error)")
            }
        }
    }

    @Test("a frame of a kind that there is not is an error", arguments: [3 << 56, Int.max, -1])
    func kinds(header: Int) throws {
        var pair = try FramePair(capacity: 64)
        let header = unsafe withUnsafeBytes(of: header.littleEndian) { unsafe [UInt8]($0) }
        _ = try pair.writer.write(header + [1, 2, 3])
        pair.writer.publish()
        let error = #expect(throws: LinkError.self) { try pair.next() }
        #expect(error?.code == .broken)
    }

    @Test("a frame that is cut off by the end is none")
    func cutOff() throws {
        var pair = try FramePair(capacity: 64)
        _ = try pair.writer.write([9, 0, 0, 0, 0, 0, 0, 0, 1, 2])
        pair.writer.publish()
        pair.sending.close()
        #expect(try pair.next() == nil)
        let isAtEnd = try pair.frames.isAtEnd()
        #expect(isAtEnd)
    }

    @Test("whatever a hostile writer scribbles, and wherever, gives frames or an error")
    func hostile() throws {
        for seed in UInt64(0)..<400 {
            var generator = SeededGenerator(seed: seed)
            let capacity = 1 << Int.random(in: 3...10, using: &generator)
            var pair = try FramePair(capacity: capacity, limits: LinkLimits(frameByteCount: 1 << 16))
            do {
                for _ in 0..<200 {
                    unsafe scribble(pair.memory.bytes, capacity: capacity, &generator)
                    while let frame = try pair.next() { #expect(frame.count <= 1 << 16) }
                    _ = try pair.frames.isAtEnd()
                    _ = pair.frames.waitForBytes(until: 0)
                    _ = pair.frames.sleepInPoller()
                    try pair.send([1, 2, 3], [4])
                }
            } catch {
                #expect([.broken, .frameTooLarge, .closed, .tooMuchWaiting].contains(error.code), "\(error)")
            }
        }
    }
}

/// Writes something somewhere in a ring's memory, most often where it hurts.
func scribble(_ memory: UnsafeMutableRawBufferPointer, capacity: Int, _ generator: inout SeededGenerator) {
    let places = [
        RingPlaces.ended, RingPlaces.tail, RingPlaces.head, RingPlaces.readerSleeps, RingPlaces.writerSleeps,
    ]
    for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let place =
            switch UInt8.random(in: 0..<4, using: &generator) {
            case 0: places.randomElement(using: &generator)!
            default: Int.random(in: 0...memory.count / 8 - 1, using: &generator) * 8
            }
        let value: UInt64 =
            switch UInt8.random(in: 0..<4, using: &generator) {
            case 0: .random(in: 0...UInt64.max, using: &generator)
            case 1: .random(in: 0...UInt64(capacity) * 2, using: &generator)
            case 2: UInt64.random(in: 0...2, using: &generator)
            // A little more than is there: passes for a count.
            default:
                unsafe memory.loadUnaligned(fromByteOffset: place, as: UInt64.self)
                    &+ UInt64.random(in: 0...16, using: &generator)
            }
        unsafe memory.storeBytes(of: value, toByteOffset: place, as: UInt64.self)
    }
}
