@testable import SharedMemoryLink
import Testing

@Suite("Segment allocator")
struct SegmentAllocatorTests {
    @Test("a size is rounded by a sixteenth at most, to one that is rounded itself")
    func rounding() {
        for count in Array(1...5000) + (12..<60).flatMap({ [1 << $0 - 1, 1 << $0, 1 << $0 + 1] }) {
            let rounded = FreeBlocks.rounded(count)
            #expect(rounded >= count && rounded - count <= count / 16 && FreeBlocks.rounded(rounded) == rounded)
        }
    }

    @Test("free ranges that touch are one range, in whatever order they were freed")
    func coalescing() {
        var blocks = FreeBlocks()
        for range in [0..<10, 20..<30, 40..<50, 10..<20, 30..<40] { blocks.insert(range) }
        #expect(blocks.count == 1)
        let taken = (blocks.take(50), blocks.take(1))
        #expect(taken.0 == 0..<50 && taken.1 == nil && blocks.count == 0)
    }

    @Test("the smallest class that is sure to fit is taken, and what a class can't promise is found at last")
    func fits() {
        var blocks = FreeBlocks()
        for range in [0..<1000, 2000..<2100, 3000..<3010] { blocks.insert(range) }
        let taken = [blocks.take(9), blocks.take(90), blocks.take(999)]
        // The last is of the class of 992 pages, which promises no more.
        #expect(taken == [3000..<3009, 2000..<2090, 0..<999])
    }

    @Test("a segment that is freed is found again by the next of its size, as it was left")
    func reuse() throws {
        var allocator = SegmentAllocator(pageCount: 100_000, limit: 50_000, keptLimit: 50_000)
        let first = try allocator.grant(19_532)
        #expect(first.runs == [.init(pages: first.pages, state: .absent)])
        allocator.mark(first.pages, .mapped)
        allocator.freeAndKeep(first.pages.lowerBound)
        let second = try allocator.grant(19_532)
        #expect(second.pages == first.pages && second.runs == [.init(pages: first.pages, state: .mapped)])
        #expect(allocator.allocatedCount == 19_532)
    }

    @Test("up to the limit is given, rounded or not, and not a page more")
    func limit() throws {
        var allocator = SegmentAllocator(pageCount: 2000, limit: 1001, keptLimit: 1001)
        #expect(throws: NoRoom.self) { try allocator.grant(1002) }
        let all = try allocator.grant(1001)
        #expect(throws: NoRoom.self) { try allocator.grant(1) }
        _ = allocator.free(all.pages.lowerBound)
        _ = try allocator.grant(1)
    }

    @Test("kept pages make way for a segment elsewhere, instead of the limit being passed")
    func makesWay() throws {
        var allocator = SegmentAllocator(pageCount: 2000, limit: 1000, keptLimit: 1000)
        let grants = try (0..<10).map { _ in try allocator.grant(100) }
        for grant in grants.enumerated() where grant.offset % 2 == 0 {
            allocator.freeAndKeep(grant.element.pages.lowerBound)
        }
        let large = try allocator.grant(400)
        #expect(large.releases.joined().count == 400)
        #expect(allocator.allocatedCount == 1000 && allocator.keptCount == 100)
    }

    @Test("of what is freed no more than the limit is kept, and half of it when it was passed")
    func keeps() throws {
        var allocator = SegmentAllocator(pageCount: 2000, limit: 1000, keptLimit: 100)
        let grants = try (0..<3).map { _ in try allocator.grant(60) }
        allocator.freeAndKeep(grants[0].pages.lowerBound)
        let passed = allocator.free(grants[2].pages.lowerBound)
        #expect(passed.joined().count >= 70 && allocator.keptCount == 50 && allocator.allocatedCount == 110)
        let rest = allocator.release(.max)
        #expect(rest.joined().count >= 50)
        #expect(allocator.keptCount == 0 && allocator.allocatedCount == 60)
    }

    @Test("as a naive list of pages does, over many random steps", arguments: 1...8 as ClosedRange<UInt64>)
    func model(seed: UInt64) {
        var random = SplitMix(state: seed)
        let (pageCount, limit, keptLimit) = (4000, 2000, Int.random(in: 0...2000, using: &random))
        var allocator = SegmentAllocator(pageCount: pageCount, limit: limit, keptLimit: keptLimit)
        var states = [SegmentAllocator.Page](repeating: .absent, count: pageCount)
        var isUsed = [Bool](repeating: false, count: pageCount)
        var live: [Range<Int>] = []

        func release(_ releases: [Range<Int>]) {
            for page in releases.joined() {
                #expect(!isUsed[page], "page \(page) is in use")
                states[page] = .absent
            }
        }
        for _ in 0..<3000 {
            if live.isEmpty || Int.random(in: 0..<5, using: &random) > 1 {
                let size = Int.random(in: 0..<4, using: &random) == 0 ? 500 : 40
                let count = Int.random(in: 1...size, using: &random)
                guard let grant = allocator.allocate(count) else {
                    // The limit, or no hole that is large enough.
                    let used = live.reduce(0) { $0 + FreeBlocks.rounded($1.count) }
                    let hole = isUsed.split(separator: true).map(\.count).max() ?? 0
                    #expect(count > limit - used || hole < FreeBlocks.rounded(count))
                    continue
                }
                #expect(grant.pages.count == count && grant.runs.map(\.pages.count).reduce(0, +) == count)
                #expect(grant.pages.allSatisfy { !isUsed[$0] })
                for run in grant.runs { #expect(run.pages.allSatisfy { states[$0] == run.state }) }
                for page in grant.pages { isUsed[page] = true }
                release(grant.releases)
                let state = Bool.random(using: &random) ? SegmentAllocator.Page.mapped : .present
                allocator.mark(grant.pages, state)
                for page in grant.pages { states[page] = state }
                live.append(grant.pages)
            } else {
                let freed = live.remove(at: Int.random(in: live.indices, using: &random))
                for page in freed { isUsed[page] = false }
                release(allocator.free(freed.lowerBound))
                #expect(allocator.keptCount <= keptLimit)
            }
            #expect(allocator.allocatedCount == states.count { $0 != .absent })
            #expect(allocator.allocatedCount <= limit && allocator.usedCount <= limit)
        }
        for pages in live { _ = allocator.free(pages.lowerBound) }
        #expect(allocator.freeRangeCount == 1 && allocator.usedCount == 0)
        #expect(allocator.keptCount == allocator.allocatedCount)
    }

    @Test("a hundred thousand segments are freed in any order, and leave one range")
    func many() throws {
        var allocator = SegmentAllocator(pageCount: 1 << 20, limit: 1 << 20, keptLimit: 1 << 20)
        var random = SplitMix(state: 1)
        var grants = try (0..<100_000).map { try allocator.grant($0 % 8 + 1).pages }
        grants.shuffle(using: &random)
        for pages in grants { allocator.freeAndKeep(pages.lowerBound) }
        #expect(allocator.freeRangeCount == 1)
    }
}

private struct NoRoom: Error {}

extension SegmentAllocator {
    /// Pages that have to be had.
    fileprivate mutating func grant(_ count: Int) throws -> Grant {
        guard let grant = allocate(count) else { throw NoRoom() }
        return grant
    }

    /// Frees a segment of which nothing has to be released.
    fileprivate mutating func freeAndKeep(_ first: Int) {
        let releases = free(first)
        #expect(releases.isEmpty)
    }
}

/// Numbers that are random enough, and the same each time.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
