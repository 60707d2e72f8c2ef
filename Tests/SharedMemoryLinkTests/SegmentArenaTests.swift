import Glibc
import Synchronization
import Testing

@testable import SharedMemoryLink

@Suite("Segment arena")
struct SegmentArenaTests {
    private let page = SharedMemory.pageByteCount

    @Test("a segment holds what is copied into it, whatever its pages were before", arguments: [1, 4096, 100_001])
    func copies(byteCount: Int) throws {
        let arena = try SegmentArena(limit: 1 << 20)
        // New pages, then pages that are there but not entered, then entered ones, then all of them.
        for seed in 0..<4 {
            let whole = (0..<byteCount).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ seed) }
            let cut = byteCount / 3
            let segment = try unsafe whole.withUnsafeBytes { bytes in
                try unsafe arena.allocate(copying: [
                    UnsafeRawBufferPointer(rebasing: bytes[..<cut]), UnsafeRawBufferPointer(rebasing: bytes[cut...]),
                ])
            }
            let copied = unsafe Array(segment.bytes)
            #expect(copied == whole && segment.name.byteCount == byteCount)
            #expect(arena.memory.isPresent(segment.name.offset..<segment.name.offset + byteCount))
        }
        #expect(arena.usedByteCount == 0 && arena.memory.allocatedByteCount == arena.keptByteCount)
    }

    @Test("memory is zero where that was asked for, also when others have used it")
    func zeros() throws {
        let arena = try SegmentArena(limit: 1 << 20)
        for _ in 0..<3 {
            let segment = try arena.allocate(byteCount: 50_000, zeroed: true)
            let isZero = unsafe segment.bytes.allSatisfy { $0 == 0 }
            #expect(isZero)
            unsafe segment.bytes.initializeMemory(as: UInt8.self, repeating: 0xff)
        }
        #expect(arena.keptByteCount == 13 * page)
    }

    @Test("a segment over the limit is an error that says what was asked, what is used, and what helps")
    func limit() throws {
        let arena = try SegmentArena(limit: 100 * page)
        let held = try arena.allocate(byteCount: 60 * page)
        let error = #expect(throws: SharedMemoryError.self) { _ = try arena.allocate(byteCount: 41 * page) }
        #expect(error?.code == .limitReached)
        for part in ["\(41 * page) bytes", "\(60 * page) of at most \(100 * page)", "raise the limit"] {
            #expect(error?.description.contains(part) == true)
        }
        withExtendedLifetime(held) {}
    }

    @Test("what the system does not have is an error, and nothing stays taken")
    func outOfMemory() throws {
        let asked = Atomic(0)
        let arena = try SegmentArena(SegmentArena.makeMemory(limit: 1 << 30)) {
            asked.add(1, ordering: .relaxed)
            return 10 << 20
        }
        let small = try arena.allocate(byteCount: 4 << 20)
        let error = #expect(throws: SharedMemoryError.self) { _ = try arena.allocate(byteCount: 11 << 20) }
        #expect(error?.code == .outOfMemory && error?.description.contains("have \(10 << 20) bytes left") == true)
        #expect(arena.usedByteCount == 4 << 20 && arena.memory.allocatedByteCount == 4 << 20)
        #expect(asked.load(ordering: .relaxed) == 3)
        // What is there already is not asked for.
        _ = try arena.allocate(byteCount: 9 << 20)
        withExtendedLifetime(small) {}
    }

    @Test("freed memory is kept up to its limit, and given back when that is asked for")
    func keeps() throws {
        let arena = try SegmentArena(limit: 1000 * page, keptLimit: 100 * page)
        var segments = try (0..<3).map { _ in try arena.allocate(byteCount: 80 * page) }
        segments.removeLast()
        #expect(arena.keptByteCount == 80 * page && arena.memory.allocatedByteCount == 240 * page)
        segments.removeLast()
        #expect(arena.keptByteCount == 50 * page && arena.memory.allocatedByteCount == 130 * page)
        arena.releaseUnused()
        #expect(arena.keptByteCount == 0 && arena.memory.allocatedByteCount == 80 * page)
    }

    @Test("segments of many threads never share a byte, and all go back")
    func threads() async throws {
        let arena = try SegmentArena(limit: 64 << 20, keptLimit: 1 << 20)
        try await withThrowingTaskGroup { group in
            for number in 1...4 {
                group.addTask {
                    var random = SplitMix(state: UInt64(number))
                    var live: [(Segment, UInt8)] = []
                    for step in 0..<400 {
                        let mark = UInt8(truncatingIfNeeded: number &* 60 &+ step % 60)
                        let segment = try arena.allocate(byteCount: Int.random(in: 1...100_000, using: &random))
                        unsafe segment.bytes.initializeMemory(as: UInt8.self, repeating: mark)
                        live.append((segment, mark))
                        while live.count > 20 || (!live.isEmpty && Bool.random(using: &random)) {
                            let (segment, mark) = live.remove(at: Int.random(in: live.indices, using: &random))
                            let isWhole = unsafe segment.bytes.allSatisfy { $0 == mark }
                            #expect(isWhole)
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(arena.usedByteCount == 0)
        arena.releaseUnused()
        #expect(arena.memory.allocatedByteCount == 0)
    }

    @Test("an arena can be filled by a process that did not make it")
    func inherited() throws {
        let memory = try SegmentArena.makeMemory(limit: 1 << 20)
        let arena = SegmentArena(
            try SharedMemory(
                mapping: memory.writableDescriptor(), access: .readingAndWriting,
                byteCounts: memory.byteCount...memory.byteCount))
        #expect(arena.limit == 1 << 20 && arena.memory.identity == memory.identity)
        let segment = try arena.allocate(byteCount: 1)
        unsafe segment.bytes[0] = 9
        let seen = unsafe memory.bytes[segment.name.offset]
        #expect(seen == 9)
    }

    @Test("a segment that comes back by its name is the same block, until the last reference is gone")
    func named() throws {
        let arena = try SegmentArena(limit: 1 << 20)
        var first: Segment? = try arena.allocate(byteCount: 10)
        let name = try #require(first?.name)
        let again = try arena.segment(name)
        first = nil
        #expect(again.name == name && arena.usedByteCount == page)
        let wrong = [
            SegmentName(arena: name.arena &+ 1, offset: name.offset, byteCount: 10),
            SegmentName(arena: name.arena, offset: name.offset + 1, byteCount: 10),
            SegmentName(arena: name.arena, offset: name.offset, byteCount: 11),
        ]
        for name in wrong { #expect(throws: SharedMemoryError.self) { try arena.segment(name) } }
    }
}
