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

    @Test("pages of a node are for segments on that node, and are found again by the next one there")
    func nodes() throws {
        var allocator = SegmentAllocator(pageCount: 2000, limit: 1000, keptLimit: 1000)
        // Pages that were used before have memory of any node.
        let plain = try allocator.grant(300)
        allocator.mark(plain.pages, .mapped)
        allocator.freeAndKeep(plain.pages.lowerBound)
        #expect(throws: NoRoom.self) { try allocator.grant(300, on: 1) }
        var taken = try allocator.unplaced(1500)
        allocator.give(taken.pages, to: nil)
        #expect(taken.releases == [plain.pages] && allocator.keptCount == 0)

        taken = try allocator.unplaced(300)
        allocator.give(taken.pages, to: 1)
        let placed = try allocator.grant(300, on: 1)
        #expect(placed.runs == [.init(pages: placed.pages, state: .absent)])
        #expect(allocator.node(of: placed.pages.lowerBound) == 1)
        allocator.mark(placed.pages, .mapped)
        allocator.freeAndKeep(placed.pages.lowerBound)
        let others = [try allocator.grant(300), try allocator.grant(100)]
        #expect(others.allSatisfy { !$0.pages.overlaps(placed.pages) })
        #expect(allocator.node(of: others[0].pages.lowerBound) == nil)
        #expect(throws: NoRoom.self) { try allocator.grant(1, on: 0) }
        let again = try allocator.grant(300, on: 1)
        #expect(again.runs == [.init(pages: placed.pages, state: .mapped)])
    }

    @Test("pages of nodes are kept and released like others, and can be taken away from their nodes")
    func nodesReleased() throws {
        var allocator = SegmentAllocator(pageCount: 1000, limit: 1000, keptLimit: 1000)
        var placed: [Range<Int>] = []
        for node in 0..<2 {
            let taken = try allocator.unplaced(400)
            allocator.give(taken.pages, to: node)
            placed.append(try allocator.grant(400, on: node).pages)
        }
        for pages in placed { allocator.freeAndKeep(pages.lowerBound) }
        #expect(allocator.keptCount == 800)
        #expect(Set(allocator.release(.max).joined()) == Set(placed.joined()))
        #expect(allocator.keptCount == 0)
        // No addresses are left but those of the nodes.
        #expect(throws: NoRoom.self) { try allocator.grant(500) }
        let rest = try allocator.grant(400, on: 1)
        let withdrawn = allocator.takePlaced()
        for pages in withdrawn.pages { allocator.give(pages, to: nil) }
        #expect(withdrawn.releases.isEmpty && !withdrawn.pages.joined().contains(rest.pages.lowerBound))
        let other = try allocator.grant(400)
        #expect(!other.pages.overlaps(rest.pages))
        #expect(throws: NoRoom.self) { try allocator.grant(1, on: 0) }
    }

    @Test("with nodes, as a naive list of pages does, over many random steps", arguments: 1...8 as ClosedRange<UInt64>)
    func nodesModel(seed: UInt64) {
        var random = SplitMix(state: seed)
        let (pageCount, limit, keptLimit) = (4000, 2000, Int.random(in: 0...2000, using: &random))
        var allocator = SegmentAllocator(pageCount: pageCount, limit: limit, keptLimit: keptLimit)
        var isPresent = [Bool](repeating: false, count: pageCount)
        var isUsed = isPresent
        var home = [Int?](repeating: nil, count: pageCount)
        var live: [Range<Int>] = []

        func release(_ releases: [Range<Int>]) {
            #expect(releases.joined().allSatisfy { !isUsed[$0] })
            for page in releases.joined() { isPresent[page] = false }
        }
        /// Notes that a node's policy goes for pages from now on; it could not for pages that have memory.
        func give(_ pages: Range<Int>, to node: Int?) {
            #expect(pages.allSatisfy { !isUsed[$0] && !isPresent[$0] })
            for page in pages { home[page] = node }
            allocator.give(pages, to: node)
        }
        func grant(_ count: Int, on node: Int?) -> SegmentAllocator.Grant? {
            if let grant = allocator.allocate(count, on: node) { return grant }
            guard allocator.allows(count) else { return nil }
            if let node, let taken = allocator.takeUnplaced(count) {
                release(taken.releases)
                give(taken.pages, to: node)
            } else {
                let withdrawn = allocator.takePlaced()
                release(withdrawn.releases)
                for pages in withdrawn.pages { give(pages, to: nil) }
            }
            return allocator.allocate(count, on: node)
        }
        var granted = [Int?: Int]()
        for _ in 0..<3000 {
            if live.isEmpty || Int.random(in: 0..<5, using: &random) > 1 {
                let count = Int.random(in: 1...(Bool.random(using: &random) ? 500 : 40), using: &random)
                let node = [nil, 0, 1].randomElement(using: &random).flatMap { $0 }
                guard let grant = grant(count, on: node) else { continue }
                granted[node, default: 0] += 1
                #expect(grant.pages.allSatisfy { !isUsed[$0] && home[$0] == node })
                for run in grant.runs { #expect(run.pages.allSatisfy { isPresent[$0] == (run.state != .absent) }) }
                for page in grant.pages { (isUsed[page], isPresent[page]) = (true, true) }
                release(grant.releases)
                live.append(grant.pages)
            } else {
                let freed = live.remove(at: Int.random(in: live.indices, using: &random))
                for page in freed { isUsed[page] = false }
                release(allocator.free(freed.lowerBound))
                #expect(allocator.keptCount <= keptLimit)
            }
            #expect(allocator.allocatedCount == isPresent.count { $0 } && allocator.allocatedCount <= limit)
        }
        #expect([nil, 0, 1].allSatisfy { granted[$0, default: 0] > 100 }, "\(granted)")
        for pages in live {
            for page in pages { isUsed[page] = false }
            release(allocator.free(pages.lowerBound))
        }
        let withdrawn = allocator.takePlaced()
        release(withdrawn.releases)
        for pages in withdrawn.pages { give(pages, to: nil) }
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
    fileprivate mutating func grant(_ count: Int, on node: Int? = nil) throws -> Grant {
        guard let grant = allocate(count, on: node) else { throw NoRoom() }
        return grant
    }

    /// Pages that have to be taken away.
    fileprivate mutating func unplaced(_ count: Int) throws -> (pages: Range<Int>, releases: [Range<Int>]) {
        guard let taken = takeUnplaced(count) else { throw NoRoom() }
        return taken
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
