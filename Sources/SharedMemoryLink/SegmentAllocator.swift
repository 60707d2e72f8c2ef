/// Which pages of an arena are in use, which are kept for the next segment, and which the system has.
///
/// Page faults cost more than the copy, so pages that are freed stay allocated, up to a limit of their own. It decides
/// only: who calls it allocates and releases what it says. Segments are whole pages, so that no two of them share one.
///
/// Pages may belong to a NUMA node: then only segments for that node are made of them, and when these are freed the next
/// ones for it. Which pages do is said with ``give(_:to:)``.
internal struct SegmentAllocator: Sendable {
    /// What a page costs whoever writes to it.
    enum Page: UInt8 {
        /// The system has it: it must be allocated first, and is zero then.
        case absent
        /// It is allocated and has been written to, but is not in this process's page tables.
        case present
        /// It can be written to at the speed of memory.
        case mapped
    }

    /// Pages as they were before they were granted.
    struct Run: Equatable {
        let pages: Range<Int>
        let state: Page
    }

    /// What is given to one segment.
    struct Grant: Equatable {
        /// As many as were asked for.
        let pages: Range<Int>
        /// The same by what is to be done, in order. Pages that were absent count as present from now on.
        let runs: [Run]
        /// Pages of nobody, to be released before any are allocated.
        let releases: [Range<Int>]
    }

    /// Most pages that may be allocated at once, in use and kept together.
    let limit: Int
    /// Most pages that are kept for later while nobody uses them.
    let keptLimit: Int
    /// Pages that segments have.
    private(set) var usedCount = 0
    /// Pages that are allocated and that nobody uses.
    private(set) var keptCount = 0
    /// Pages that are allocated.
    private(set) var allocatedCount = 0

    /// Pages that nobody has and that belong to no node.
    private var free = FreeBlocks()
    /// Pages that nobody has, by the node they belong to.
    private var placed: [Int: FreeBlocks] = [:]
    /// The number of pages of each segment, with what rounding adds, and its node, by its first page.
    private var segments: [Int: (count: Int, node: Int?)] = [:]
    /// What is known of each page, up to the last that was ever granted.
    private var pages: [Page] = []

    /// - Parameters:
    ///   - pageCount: Pages that there are addresses for. More than `limit` makes room between segments that stay.
    ///   - limit: Most pages to allocate.
    ///   - keptLimit: Most pages to keep that nobody uses.
    init(pageCount: Int, limit: Int, keptLimit: Int) {
        precondition(limit >= 0 && keptLimit >= 0 && pageCount >= limit, "limits within the arena")
        self.limit = limit
        self.keptLimit = keptLimit
        free.insert(0..<pageCount)
    }

    /// Number of free ranges; no two of them touch.
    var freeRangeCount: Int { placed.values.reduce(free.count) { $0 + $1.count } }

    /// The node whose pages the segment has that begins with page `first`; nil if they are of none.
    func node(of first: Int) -> Int? { segments[first]?.node }

    /// Whether the limit allows for a segment of `count` pages.
    func allows(_ count: Int) -> Bool { count <= limit - usedCount }

    /// Gives `count` pages, at least 1; nil if the limit or the addresses have no room for them.
    ///
    /// - Parameter node: The node that the pages shall belong to; those that belong to none unless told.
    /// - Complexity: O(`count`), and when the limit makes it release pages O(pages that are free).
    mutating func allocate(_ count: Int, on node: Int? = nil) -> Grant? {
        precondition(count > 0, "a segment has at least one page")
        guard allows(count) else { return nil }
        // Rounded, so that what is freed is found again by the next of about this size.
        let size = min(FreeBlocks.rounded(count), limit - usedCount)
        guard let block = take(size, count, of: node) else { return nil }
        segments[block.lowerBound] = (block.count, node)
        usedCount += block.count
        keptCount -= allocatedCount(in: block)

        let granted = block.prefix(count)
        let runs = runs(in: granted)
        for run in runs where run.state == .absent { mark(run.pages, .present) }
        let excess = allocatedCount - limit
        // More at once than needed, so that not every allocation has to.
        let releases = excess > 0 ? release(max(excess, limit / 16)) : []
        return Grant(pages: granted, runs: runs, releases: releases)
    }

    /// Takes back the pages of the segment that begins with page `first`.
    ///
    /// - Returns: Pages to be released, because too many would be kept.
    /// - Complexity: O(pages of the segment), and when pages are released O(pages that are free).
    mutating func free(_ first: Int) -> [Range<Int>] {
        guard let segment = segments.removeValue(forKey: first) else { preconditionFailure("a segment that is in use") }
        let block = first..<first + segment.count
        usedCount -= segment.count
        keptCount += allocatedCount(in: block)
        insert(block, node: segment.node)
        return keptCount > keptLimit ? release(keptCount - keptLimit / 2) : []
    }

    // MARK: - Nodes

    /// Pages for a node at a time, where there are as many: each range is a mapping of its own for the kernel, and the
    /// number of those is limited.
    private static let piece = 4096

    /// Takes pages that belong to no node away, for a segment of `count` on a node that has no room for it; nil if there
    /// are none.
    ///
    /// - Returns: More than `count` where there are, to be given to the node with ``give(_:to:)``, or back; and those of
    ///   them that are to be released before, because the memory that they have is anywhere.
    mutating func takeUnplaced(_ count: Int) -> (pages: Range<Int>, releases: [Range<Int>])? {
        let size = FreeBlocks.rounded(count)
        guard let pages = free.take(max(size, min(Self.piece, limit / 16))) ?? take(size, count, of: nil) else {
            return nil
        }
        return (pages, vacate(pages))
    }

    /// Takes all free pages away from the nodes that they belong to, to be given to none or to another.
    ///
    /// - Returns: The pages, and those of them that are to be released before.
    mutating func takePlaced() -> (pages: [Range<Int>], releases: [Range<Int>]) {
        var pages: [Range<Int>] = []
        for blocks in placed.values {
            blocks.fromLargest { block in
                pages.append(block)
                return true
            }
        }
        placed = [:]
        return (pages, pages.flatMap { vacate($0) })
    }

    /// Has pages that were taken away, and are released, belong to a node from now on; or to none.
    mutating func give(_ pages: Range<Int>, to node: Int?) { insert(pages, node: node) }

    /// Free pages that will have no memory any more; returns those that have any now.
    private mutating func vacate(_ pages: Range<Int>) -> [Range<Int>] {
        let releases = runs(in: pages).filter { $0.state != .absent }.map(\.pages)
        for range in releases {
            keptCount -= range.count
            mark(range, .absent)
        }
        return releases
    }

    private mutating func take(_ size: Int, _ count: Int, of node: Int?) -> Range<Int>? {
        guard let node else { return free.take(size) ?? free.take(count) }
        return placed[node]?.take(size) ?? placed[node]?.take(count)
    }

    private mutating func insert(_ range: Range<Int>, node: Int?) {
        if let node { placed[node, default: FreeBlocks()].insert(range) } else { free.insert(range) }
    }

    // MARK: - Pages

    /// Chooses kept pages to be released, `count` of them or all: those of large blocks first, and of no node first.
    ///
    /// Those that belong to a node still do.
    ///
    /// - Complexity: O(pages that are free).
    mutating func release(_ count: Int) -> [Range<Int>] {
        var wanted = min(count, keptCount)
        var releases: [Range<Int>] = []
        guard wanted > 0 else { return releases }
        func choose(_ block: Range<Int>) -> Bool {
            var first = min(block.upperBound, pages.count)
            let end = first
            while first > block.lowerBound, wanted > 0 {
                first -= 1
                if pages[first] != .absent { wanted -= 1 }
            }
            // What lies before is needed for nothing, and what is absent in between costs nothing.
            let range = max(first, block.lowerBound)..<max(end, block.lowerBound)
            if !range.isEmpty { releases.append(range) }
            return wanted > 0
        }
        free.fromLargest(choose)
        for blocks in placed.values where wanted > 0 { blocks.fromLargest(choose) }
        for range in releases {
            keptCount -= allocatedCount(in: range)
            mark(range, .absent)
        }
        return releases
    }

    /// Notes what became of pages.
    mutating func mark(_ range: Range<Int>, _ state: Page) {
        while pages.count < range.upperBound { pages.append(.absent) }
        for page in range {
            allocatedCount += (state == .absent ? 0 : 1) - (pages[page] == .absent ? 0 : 1)
            pages[page] = state
        }
    }

    /// Notes that free pages are still what they were, because the system did not take them.
    mutating func markNotReleased(_ range: Range<Int>) {
        keptCount += range.count - allocatedCount(in: range)
        mark(range, .present)
    }

    private func allocatedCount(in range: Range<Int>) -> Int {
        var count = 0
        for page in range.clamped(to: 0..<pages.count) where pages[page] != .absent { count += 1 }
        return count
    }

    private func runs(in range: Range<Int>) -> [Run] {
        var runs: [Run] = []
        var first = range.lowerBound
        while first < range.upperBound {
            let state = first < pages.count ? pages[first] : .absent
            var end = first + 1
            if first >= pages.count {
                end = range.upperBound
            } else {
                while end < range.upperBound, (end < pages.count ? pages[end] : .absent) == state { end += 1 }
            }
            runs.append(Run(pages: first..<end, state: state))
            first = end
        }
        return runs
    }
}
