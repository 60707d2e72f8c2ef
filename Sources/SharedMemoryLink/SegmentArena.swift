import Glibc
import Synchronization

/// Memory that this process writes and others on the host map to read: the home of segments.
///
/// A segment's pages are taken from the system when it is made, and kept for the next one when it is freed, because page
/// faults cost several times what the copy does. Nothing has to be cleaned up: all of it is gone with the last process
/// that maps it.
///
/// ```swift
/// let arena = try SegmentArena(limit: 4 << 30)
/// let samples = try SharedArray<Double>(count: 10_000_000, in: arena) { span in
///     for index in span.indices { span[index] = Double(index) }
/// }
/// ```
public final class SegmentArena: Sendable {
    private struct State {
        var allocator: SegmentAllocator
        var live = LiveSegments()
        /// Bytes that were taken from the system since it was last asked how much it has.
        var takenByteCount = 0
    }

    /// Where it lies; descriptors for peers come from here.
    package let memory: SharedMemory
    /// ``SharedMemory/identity`` of ``memory``.
    package let identity: UInt64
    /// Most bytes that it takes from the system, in use and kept together.
    public let limit: Int
    private let state: Mutex<State>
    private let available: @Sendable () -> Int?

    /// How much is taken from the system before it is asked again how much it has.
    private static let unaskedByteCount = 1 << 20

    /// Makes an arena, which takes no memory yet.
    ///
    /// - Parameters:
    ///   - limit: Most bytes of memory to take, at least 1; half of what the machine has, or the cgroup allows, unless
    ///     told. Twice as many addresses are reserved.
    ///   - keptLimit: Most bytes of freed segments to keep for the next ones; an eighth of `limit` unless told.
    /// - Throws: ``SharedMemoryError`` when address space or descriptors run out.
    public convenience init(limit: Int? = nil, keptLimit: Int? = nil) throws(SharedMemoryError) {
        let limit = limit ?? SegmentArena.standardLimit
        try self.init(SegmentArena.makeMemory(limit: limit), limit: limit, keptLimit: keptLimit)
    }

    /// Half of what the machine has, or the cgroup allows; less where addresses are limited (`ulimit -v`).
    package static var standardLimit: Int {
        var addresses = rlimit()
        let isLimited =
            unsafe getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &addresses) == 0 && addresses.rlim_cur < 1 << 46
        let half = (SystemMemory.total ?? 1 << 30) / 2
        // An arena takes twice its limit in addresses.
        return isLimited ? max(min(half, Int(addresses.rlim_cur) / 16), 1 << 20) : half
    }

    /// Memory for an arena, which another process may be given to fill.
    package static func makeMemory(limit: Int) throws(SharedMemoryError) -> SharedMemory {
        precondition(limit > 0 && limit <= 1 << 46, "a limit that memory can have")
        // Addresses cost nothing; that there are more makes room between segments that stay.
        return try SharedMemory(byteCount: 2 * pages(limit) * pageByteCount, named: "muster-arena", allocation: .sparse)
    }

    /// An arena in memory that was made for this process by another, and that nobody else writes to.
    ///
    /// - Parameters:
    ///   - memory: Where the segments will lie.
    ///   - limit: Most bytes of memory to take; half of the memory's size unless told.
    ///   - keptLimit: Most bytes of freed segments to keep for the next ones; an eighth of `limit` unless told.
    ///   - available: Bytes that the system has left. It is asked whenever another 1 MB is taken, because the kernel ends
    ///     processes where it could refuse.
    package init(
        _ memory: SharedMemory, limit: Int? = nil, keptLimit: Int? = nil,
        available: @escaping @Sendable () -> Int? = { SystemMemory.available }
    ) {
        precondition(memory.access == .readingAndWriting, "an arena is written to")
        let addressable = memory.byteCount / SegmentArena.pageByteCount
        let limit = min(SegmentArena.pages(limit ?? memory.byteCount / 2), addressable)
        let kept = min(keptLimit.map { SegmentArena.pages($0) } ?? limit / 8, limit)
        self.memory = memory
        identity = memory.identity
        self.limit = limit * SegmentArena.pageByteCount
        self.available = available
        state = Mutex(State(allocator: SegmentAllocator(pageCount: addressable, limit: limit, keptLimit: kept)))
        memory.adviseHugePages()
    }

    /// Bytes that segments have, in whole pages, and with what their sizes were rounded up by.
    public var usedByteCount: Int { state.withLock { $0.allocator.usedCount } * SegmentArena.pageByteCount }

    /// Bytes that are taken from the system and that nobody uses.
    public var keptByteCount: Int { state.withLock { $0.allocator.keptCount } * SegmentArena.pageByteCount }

    /// Gives back to the system what nobody uses.
    ///
    /// - Complexity: O(bytes kept), about 0.17 s per GB.
    public func releaseUnused() {
        state.withLock { release($0.allocator.release(.max), &$0.allocator) }
    }

    // MARK: Making segments

    /// A segment whose bytes have any value, or are zero.
    ///
    /// - Parameters:
    ///   - byteCount: Size, at least 1; takes whole pages.
    ///   - node: The NUMA node that its pages shall be on, while that has memory; unless told that of who touches them first.
    /// - Throws: ``SharedMemoryError/Code/limitReached`` or ``SharedMemoryError/Code/outOfMemory``, or
    ///   ``SharedMemoryError/Code/notPlaced`` for a node.
    /// - Complexity: O(`byteCount`) for pages that are new: 38 ms for 80 MB; for others little, but for making them zero.
    package func allocate(
        byteCount: Int, zeroed: Bool = false, on node: Int? = nil
    ) throws(SharedMemoryError) -> Segment {
        try build(byteCount, on: node) { _, run throws(SharedMemoryError) in
            try makeWritable(run)
            if zeroed, run.state != .absent {
                // SAFETY: pages of the new segment, which nobody else has.
                unsafe UnsafeMutableRawBufferPointer(rebasing: memory.bytes[SegmentArena.bytes(run.pages)])
                    .initializeMemory(as: UInt8.self, repeating: 0)
            }
        }
    }

    /// A segment that holds the bytes of `pieces`, one behind the other; at least one byte in all.
    ///
    /// - Parameter node: The NUMA node that its pages shall be on, while that has memory; unless told this thread's.
    /// - Throws: ``SharedMemoryError/Code/limitReached`` or ``SharedMemoryError/Code/outOfMemory``, or
    ///   ``SharedMemoryError/Code/notPlaced`` for a node.
    /// - Complexity: O(bytes): 80 MB into new pages in 29 ms, into pages of a segment that was freed at the speed of
    ///   memory.
    @unsafe
    package func allocate(
        copying pieces: [UnsafeRawBufferPointer], on node: Int? = nil
    ) throws(SharedMemoryError) -> Segment {
        let byteCount = unsafe pieces.reduce(0) { $0 + $1.count }
        return try build(byteCount, on: node) { segment, run throws(SharedMemoryError) in
            // New pages are best written past the mapping; when they are used again they are entered into it.
            let isNew = run.state == .absent && !SharedMemory.hasHugePages
            if !isNew { try makeWritable(run) }
            var start = segment.name.offset
            for index in unsafe pieces.indices {
                let piece = unsafe pieces[index]
                let part = SegmentArena.bytes(run.pages).clamped(to: start..<start + piece.count)
                if !part.isEmpty {
                    // SAFETY: what of the piece belongs into this run of the new segment's pages, which nobody else has.
                    let source = unsafe UnsafeRawBufferPointer(
                        rebasing: piece[part.lowerBound - start..<part.upperBound - start])
                    if isNew {
                        try unsafe memory.write(source, at: part.lowerBound)
                    } else {
                        unsafe UnsafeMutableRawBufferPointer(rebasing: memory.bytes[part]).copyMemory(from: source)
                    }
                }
                start += piece.count
            }
        }
    }

    /// Finds room for a segment, and has `fill` deal with its pages, those of one state at a time.
    private func build(
        _ byteCount: Int, on node: Int?, _ fill: (Segment, SegmentAllocator.Run) throws(SharedMemoryError) -> Void
    ) throws(SharedMemoryError) -> Segment {
        guard let (grant, asks) = try reserve(SegmentArena.pages(byteCount), on: node) else {
            throw SharedMemoryError(
                .limitReached,
                """
                no room for \(byteCount) bytes of shared memory: \(usedByteCount) of at most \(limit) are in use; \
                drop shared arrays that are done with, send less at once, or raise the limit of the segment arena
                """)
        }
        // From here on the pages go back with the segment.
        let offset = grant.pages.lowerBound * SegmentArena.pageByteCount
        let segment = refer(to: SegmentName(arena: identity, offset: offset, byteCount: byteCount))
        let new = grant.runs.filter { $0.state == .absent }
        do {
            if asks { try ask(for: new.reduce(0) { $0 + $1.pages.count } * SegmentArena.pageByteCount) }
            for run in grant.runs { try fill(segment, run) }
        } catch {
            // Some may have been taken from the system, some not.
            state.withLock { state in
                for run in new {
                    let isReleased = (try? memory.release(SegmentArena.bytes(run.pages))) != nil
                    state.allocator.mark(run.pages, isReleased ? .absent : .present)
                }
            }
            throw error
        }
        return segment
    }

    /// A segment of this arena that is referenced somewhere in this process, by its name.
    ///
    /// - Throws: ``SharedMemoryError/Code/outOfBounds`` when there is none of that name.
    package func segment(_ name: SegmentName) throws(SharedMemoryError) -> Segment {
        let segment = state.withLock { state -> Segment? in
            guard name.arena == identity, state.live.byteCount(at: name.offset) == name.byteCount else {
                return nil
            }
            return refer(to: name, &state.live)
        }
        guard let segment else {
            throw SharedMemoryError(
                .outOfBounds,
                "a peer named a segment of this process's that is not there: \(name.byteCount) bytes at \(name.offset)")
        }
        return segment
    }

    private func refer(to name: SegmentName) -> Segment { state.withLock { refer(to: name, &$0.live) } }

    /// One reference more; the pages go back with the last.
    private func refer(to name: SegmentName, _ live: inout LiveSegments) -> Segment {
        live.retain(name)
        return Segment(name, in: memory) { [self] name in
            state.withLock { state in
                guard state.live.release(name) else { return }
                release(state.allocator.free(name.offset / SegmentArena.pageByteCount), &state.allocator)
            }
        }
    }

    /// The NUMA node that a segment of this arena was made for; nil if for none.
    package func node(of segment: SegmentName) -> Int? {
        guard segment.arena == identity else { return nil }
        return state.withLock { $0.allocator.node(of: segment.offset / SegmentArena.pageByteCount) }
    }

    /// Room for a segment, and whether the system should be asked before its pages are taken.
    private func reserve(
        _ count: Int, on node: Int?
    ) throws(SharedMemoryError) -> (SegmentAllocator.Grant, asks: Bool)? {
        try state.withLock { state throws(SharedMemoryError) in
            guard let grant = try grant(count, on: node, &state.allocator) else { return nil }
            release(grant.releases, &state.allocator)
            for run in grant.runs where run.state == .absent {
                state.takenByteCount += run.pages.count * SegmentArena.pageByteCount
            }
            let asks = state.takenByteCount >= SegmentArena.unaskedByteCount
            if asks { state.takenByteCount = 0 }
            return (grant, asks)
        }
    }

    /// Pages for a segment, after some were given to its node if need be.
    private func grant(
        _ count: Int, on node: Int?, _ allocator: inout SegmentAllocator
    ) throws(SharedMemoryError) -> SegmentAllocator.Grant? {
        if let grant = allocator.allocate(count, on: node) { return grant }
        guard allocator.allows(count) else { return nil }
        if let node, let grant = try place(count, on: node, &allocator) { return grant }
        // The addresses that there are may belong to nodes.
        let withdrawn = allocator.takePlaced()
        guard !withdrawn.pages.isEmpty else { return nil }
        release(withdrawn.releases, &allocator)
        for pages in withdrawn.pages {
            // Where that fails the pages prefer a node without need.
            try? memory.prefer(nil, for: SegmentArena.bytes(pages))
            allocator.give(pages, to: nil)
        }
        guard let node else { return allocator.allocate(count) }
        return try place(count, on: node, &allocator)
    }

    private func place(
        _ count: Int, on node: Int, _ allocator: inout SegmentAllocator
    ) throws(SharedMemoryError) -> SegmentAllocator.Grant? {
        guard let (pages, releases) = allocator.takeUnplaced(count) else { return nil }
        release(releases, &allocator)
        do throws(SharedMemoryError) {
            try memory.prefer(node, for: SegmentArena.bytes(pages))
        } catch {
            allocator.give(pages, to: nil)
            throw error
        }
        allocator.give(pages, to: node)
        return allocator.allocate(count, on: node)
    }

    /// Throws if the system does not have `byteCount` bytes more.
    private func ask(for byteCount: Int) throws(SharedMemoryError) {
        guard let left = available(), left < byteCount else { return }
        releaseUnused()
        guard let left = available(), left < byteCount else { return }
        throw SharedMemoryError(
            "take \(byteCount) bytes of shared memory, with \(usedByteCount) in use already", left: left)
    }

    private func makeWritable(_ run: SegmentAllocator.Run) throws(SharedMemoryError) {
        let range = SegmentArena.bytes(run.pages)
        switch run.state {
        case .absent: try memory.create(range)
        case .present: memory.enter(range)
        case .mapped: return
        }
        state.withLock { $0.allocator.mark(run.pages, .mapped) }
    }

    /// Gives pages of nobody back to the system, while nobody can be given them.
    private func release(_ ranges: [Range<Int>], _ allocator: inout SegmentAllocator) {
        for pages in ranges {
            do {
                try memory.release(SegmentArena.bytes(pages))
            } catch {
                allocator.markNotReleased(pages)
            }
        }
    }

    private static let pageByteCount = SharedMemory.pageByteCount

    private static func pages(_ byteCount: Int) -> Int { (byteCount - 1) / pageByteCount + 1 }

    private static func bytes(_ pages: Range<Int>) -> Range<Int> {
        pages.lowerBound * pageByteCount..<pages.upperBound * pageByteCount
    }
}
