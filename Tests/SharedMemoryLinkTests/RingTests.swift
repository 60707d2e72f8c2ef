import SharedMemoryLink
import Testing
import Transport

/// The two ends of a ring, each over a mapping of its own, as two processes have it.
struct RingPair: ~Copyable {
    let memory: SharedMemory
    let sending: Ring
    let receiving: Ring
    var writer: RingWriter
    var reader: RingReader

    init(capacity: Int, waking wake: RingWake = .futex, policy: SpinPolicy = SpinPolicy()) throws {
        let memory = try SharedMemory(byteCount: Ring.byteCount(capacity: capacity))
        let other = try SharedMemory(
            mapping: memory.writableDescriptor(), access: .readingAndWriting, byteCounts: 1...1 << 30)
        let sending = Ring(creatingIn: memory, capacity: capacity, waking: wake)
        let receiving = try Ring(joining: other, capacity: capacity)
        (self.memory, self.sending, self.receiving) = (memory, sending, receiving)
        writer = RingWriter(sending, policy: policy)
        reader = RingReader(receiving, policy: policy)
    }
}

extension RingReader {
    /// What is there, at most `count` bytes.
    mutating func read(_ count: Int) throws(LinkError) -> [UInt8] {
        var failure: LinkError?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { target, done in
            do throws(LinkError) {
                done = try unsafe read(into: UnsafeMutableRawBufferPointer(target))
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }
}

extension RingWriter {
    mutating func write(_ bytes: [UInt8]) throws(LinkError) -> Int {
        try write(unsafe bytes.span.bytes)
    }
}

@Suite("Ring")
struct RingTests {
    @Test("bytes come out as they went in, wherever they wrap", arguments: [8, 16, 64])
    func wraps(capacity: Int) throws {
        for shift in 0..<capacity {
            for count in 0...capacity {
                var pair = try RingPair(capacity: capacity)
                _ = try pair.writer.write([UInt8](repeating: 0xee, count: shift))
                pair.writer.publish()
                #expect(try pair.reader.read(shift).count == shift)
                // The reader may lag by what is less than an eighth of the ring.
                let bytes = (0..<count).map { UInt8($0 + 1) }
                var (sent, got) = (0, [UInt8]())
                while sent < count {
                    sent += try pair.writer.write(Array(bytes[sent...]))
                    pair.writer.publish()
                    got += try pair.reader.read(capacity)
                }
                #expect(got == bytes)
                #expect(try pair.reader.read(1) == [])
            }
        }
    }

    @Test("nothing is seen before it is published, and then all of it")
    func publishes() throws {
        var pair = try RingPair(capacity: 64)
        #expect(try pair.writer.write([1, 2, 3]) == 3)
        #expect(try pair.reader.read(64) == [])
        #expect(try pair.writer.write([4]) == 1)
        pair.writer.publish()
        #expect(try pair.reader.read(2) == [1, 2])
        #expect(try pair.reader.read(64) == [3, 4])
    }

    @Test("a full ring takes nothing, and takes more as soon as the reader has read all")
    func full() throws {
        var pair = try RingPair(capacity: 16)
        #expect(try pair.writer.write([UInt8](repeating: 7, count: 20)) == 16)
        pair.writer.publish()
        #expect(try pair.writer.write([1]) == 0)
        let canWrite = try pair.writer.waitForSpace(until: monotonicSeconds() + 0.01)
        #expect(!canWrite)
        #expect(try pair.reader.read(5).count == 5)
        let canWriteThen = try pair.writer.waitForSpace(until: monotonicSeconds() + 10)
        #expect(canWriteThen)
        #expect(try pair.writer.write([UInt8](repeating: 8, count: 20)) >= 4)
    }

    @Test("a reader with nothing to read waits until its deadline, and not longer")
    func waits() throws {
        var pair = try RingPair(capacity: 16)
        for seconds in [-1, 0, 0.02] {
            let start = monotonicSeconds()
            let hasBytes = pair.reader.waitForBytes(until: start + seconds)
            #expect(!hasBytes)
            #expect(monotonicSeconds() - start >= seconds)
        }
    }

    @Test("who closes ends both sides; what was written before is still read by the other, but not by itself")
    func closes() throws {
        for byWriter in [true, false] {
            var pair = try RingPair(capacity: 16)
            _ = try pair.writer.write([1, 2, 3])
            pair.writer.publish()
            (byWriter ? pair.sending : pair.receiving).close()
            let isAtEnd = try pair.reader.isAtEnd()
            #expect(isAtEnd == !byWriter)
            #expect(try pair.reader.read(16) == [1, 2, 3])
            let isAtEndThen = try pair.reader.isAtEnd()
            #expect(isAtEndThen)
            let returned = pair.reader.waitForBytes(until: monotonicSeconds() + 60)
            #expect(returned)
            do {
                _ = try pair.writer.write([1])
                Issue.record("a closed ring takes bytes")
            } catch {
                #expect(error == .closed)
            }
        }
    }

    @Test("memory that holds no ring, or another, is refused")
    func refuses() throws {
        let memory = try SharedMemory(byteCount: Ring.byteCount(capacity: 64))
        #expect(throws: LinkError.self) { try Ring(joining: memory, capacity: 64) }
        _ = Ring(creatingIn: memory, capacity: 32)
        #expect(throws: LinkError.self) { try Ring(joining: memory, capacity: 64) }
        #expect(throws: Never.self) { try Ring(joining: memory, capacity: 32) }
    }

    @Test("a count that cannot be is an error", arguments: [17, 1 << 32, 1 << 63, UInt64.max, UInt64.max - 15])
    func impossibleCounts(count: UInt64) throws {
        for offset in [RingPlaces.tail, RingPlaces.head] {
            var pair = try RingPair(capacity: 16)
            _ = try pair.writer.write([UInt8](repeating: 7, count: 16))
            unsafe pair.memory.bytes.storeBytes(of: count, toByteOffset: offset, as: UInt64.self)
            do {
                if offset == RingPlaces.tail {
                    _ = try pair.reader.read(16)
                } else {
                    _ = try pair.writer.write([1])
                }
                Issue.record("\(count) passes")
            } catch {
                #expect(error.code == .broken, "\(error)")
            }
        }
    }
}

/// Where things lie in a ring's memory, as its documentation says.
enum RingPlaces {
    static let ended = 16
    static let tail = 128
    static let readerSleeps = 256
    static let head = 384
    static let writerSleeps = 512
}
