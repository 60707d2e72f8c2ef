import Glibc
import Synchronization
import Testing
import Wire

@testable import SharedMemoryLink

@Suite("Peer arena")
struct PeerArenaTests {
    private let page = SharedMemory.pageByteCount

    @Test("a segment is read where it was written, by its name", arguments: [1, 5000, 1 << 20])
    func reads(byteCount: Int) throws {
        let arena = try SegmentArena(limit: 4 << 20)
        let peer = try PeerArena(arena.memory.readOnlyDescriptor(), limit: 8 << 20)
        let bytes = (0..<byteCount).map { UInt8(truncatingIfNeeded: $0 &* 3) }
        let array = try SharedArray(copying: bytes.span, in: arena)
        let place = try #require(array.segmentPlace)
        let read = try peer.segment(place.segment.name)
        let seen = unsafe Array(read.bytes)
        #expect(seen == bytes && peer.identity == arena.memory.identity)
        #expect(arena.memory.allocatedByteCount == arena.usedByteCount)
    }

    @Test("names outside of the arena, of pages that are not there, or of another arena are refused")
    func refuses() throws {
        let arena = try SegmentArena(limit: 1 << 20)
        let peer = try PeerArena(arena.memory.readOnlyDescriptor(), limit: 1 << 40)
        let segment = try arena.allocate(byteCount: 2 * page)
        let (identity, offset, size) = (arena.memory.identity, segment.name.offset, arena.memory.byteCount)
        let wrong = [
            (identity, -page, page), (identity, .min, page), (identity, .max - page + 1, page),
            (identity, offset + 1, 1),
            (identity, offset, 0), (identity, offset, -1), (identity, offset, .max), (identity, offset, size + 1),
            (identity, size, 1), (identity, size - page, page + 1), (identity, size - page, page),
            (identity, offset, 3 * page), (identity, 100 * page, page), (identity &+ 1, offset, page),
        ]
        for (arena, offset, byteCount) in wrong {
            let error = #expect(throws: SharedMemoryError.self, "\(offset) \(byteCount)") {
                _ = try peer.segment(SegmentName(arena: arena, offset: offset, byteCount: byteCount))
            }
            #expect(error?.code == .outOfBounds)
        }
        #expect(arena.memory.allocatedByteCount == 2 * page, "nothing was allocated by looking")
        _ = try peer.segment(segment.name)
    }

    @Test("a segment across one that is still read is refused; the same one may be had again")
    func overlaps() throws {
        let arena = try SegmentArena(limit: 1 << 20)
        let released = Mutex<[SegmentName]>([])
        let peer = try PeerArena(arena.memory.readOnlyDescriptor(), limit: 1 << 40) { name in
            released.withLock { $0.append(name) }
        }
        let segment = try arena.allocate(byteCount: 4 * page)
        func name(_ first: Int, _ count: Int) -> SegmentName {
            SegmentName(arena: segment.name.arena, offset: segment.name.offset + first * page, byteCount: count * page)
        }
        var held = try [peer.segment(name(1, 2)), peer.segment(name(1, 2))]
        for (first, count) in [(0, 2), (0, 4), (1, 1), (1, 3), (2, 1), (2, 2)] {
            #expect(throws: SharedMemoryError.self) { _ = try peer.segment(name(first, count)) }
        }
        _ = try (peer.segment(name(0, 1)), peer.segment(name(3, 1)))
        held.removeLast()
        #expect(throws: SharedMemoryError.self) { _ = try peer.segment(name(0, 4)) }
        held.removeLast()
        _ = try peer.segment(name(0, 4))
        #expect(Set(released.withLock { $0 }) == [name(1, 2), name(0, 1), name(3, 1), name(0, 4)])
        #expect(released.withLock { $0.count } == 5)
    }

    @Test("an arena that is larger than was agreed on is refused")
    func tooLarge() throws {
        let arena = try SegmentArena(limit: 1 << 20)
        let error = #expect(throws: SharedMemoryError.self) {
            _ = try PeerArena(arena.memory.readOnlyDescriptor(), limit: 2 << 20 - 1)
        }
        #expect(error?.code == .untrusted)
    }

    @Test("what is still read stays when the peer has dropped it and its arena")
    func outlives() throws {
        var arena: SegmentArena? = try SegmentArena(limit: 1 << 20)
        let peer = try PeerArena(arena!.memory.readOnlyDescriptor(), limit: 2 << 20)
        var segment: Segment? = try arena?.allocate(byteCount: page, zeroed: true)
        unsafe segment?.bytes[0] = 5
        let read = try peer.segment(segment!.name)
        segment = nil
        arena = nil
        let seen = unsafe read.bytes[0]
        #expect(seen == 5)
    }
}

@Suite("Shared arrays in segments")
struct SharedArraySegmentTests {
    @Test("an array is made in place, and travels as a place in a segment")
    func inPlace() throws {
        let arena = try SegmentArena(limit: 4 << 20)
        let array = try SharedArray<Double>(count: 100_000, in: arena) { span in
            for index in span.indices where index % 2 == 1 { span[index] = Double(index) }
        }
        #expect(array.count == 100_000 && array[99_999] == 99_999 && array[99_998] == 0)
        let slice = array.extracting(1000..<2000)
        let place = try #require(slice.segmentPlace)
        #expect(place.byteOffset == 8000 && place.segment.name.byteCount == 800_000)

        let peer = try PeerArena(arena.memory.readOnlyDescriptor(), limit: 8 << 20)
        let read = try SharedArray<Double>(
            peer.segment(place.segment.name), byteOffset: place.byteOffset, count: slice.count)
        #expect(read == slice)
        #expect(read.segmentPlace?.segment.name == place.segment.name && read.segmentPlace?.byteOffset == 8000)
    }

    @Test("an array that lies elsewhere, or has no elements, is in no segment")
    func elsewhere() throws {
        let arena = try SegmentArena(limit: 1 << 20)
        #expect(SharedArray([1, 2, 3]).segmentPlace == nil)
        #expect(try SharedArray<Int>(count: 0, in: arena) { _ in }.segmentPlace == nil)
        #expect(try SharedArray(copying: [Int]().span, in: arena).segmentPlace == nil)
        #expect(arena.usedByteCount == 0)
    }

    @Test("elements outside of the segment, or not aligned in it, are refused")
    func refuses() throws {
        let arena = try SegmentArena(limit: 1 << 20)
        let segment = try arena.allocate(byteCount: 100)
        let wrong = [(-8, 1), (4, 1), (0, 13), (96, 1), (104, 0), (0, -1), (0, .max), (.max - 7, 1), (8, 12)]
        for (offset, count) in wrong {
            #expect(throws: SharedMemoryError.self) {
                _ = try SharedArray<Double>(segment, byteOffset: offset, count: count)
            }
        }
        #expect(try SharedArray<Double>(segment, byteOffset: 0, count: 12).count == 12)
    }

    @Test("what the closure throws comes out, and the memory goes back")
    func throwing() throws {
        struct Refusal: Error {}
        let arena = try SegmentArena(limit: 1 << 20)
        #expect(throws: Refusal.self) { _ = try SharedArray<Int>(count: 10, in: arena) { _ in throw Refusal() } }
        #expect(arena.usedByteCount == 0)
    }
}
