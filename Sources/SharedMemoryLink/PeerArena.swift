import Synchronization

/// The arena of another process on this host, mapped for reading.
///
/// It is mapped once; a segment that a message names is then only looked up. The peer can't take pages away by cutting
/// the memory off, because its size is sealed. What it names is checked: inside the arena, all of it allocated, and no
/// segment that lies across another one that is still read. What can't be ruled out: a peer that releases or overwrites
/// a segment while it is read changes what is read, and can make this process allocate pages, at most the size of the
/// arena. It is a process of the same user and the same program, which could do worse.
package final class PeerArena: Sendable {
    private struct State {
        var live = LiveSegments()
        /// For each page up to the last that was named, whether a live segment has it.
        var isLive: [Bool] = []
        /// And whether it was there once: a peer that takes such a page away has it made again at most.
        var wasPresent: [Bool] = []
    }

    private let memory: SharedMemory
    /// Whether what is named need not be checked beyond its bounds.
    private let isTrusted: Bool
    private let state = Mutex(State())
    private let onRelease: @Sendable (SegmentName) -> Void
    /// Kept as long as this, and so as long as a segment that was given out.
    private let hold: (any AnyObject & Sendable)?

    /// Maps an arena whose descriptor was inherited or received.
    ///
    /// - Parameters:
    ///   - descriptor: One for reading is enough.
    ///   - limit: Largest size to accept, in bytes.
    ///   - isTrusted: For a worker, whose driver can have it do anything anyway: segments are then found in no time,
    ///     however large.
    ///   - hold: Kept until the arena, and every segment that was given out, is gone.
    ///   - onRelease: Called once for every segment that was given out, when its last reference is gone, on whichever
    ///     thread let go of it: so that the peer can be told.
    /// - Throws: ``SharedMemoryError/Code/untrusted`` when it is larger, or its size is not sealed.
    package init(
        _ descriptor: consuming Descriptor, limit: Int, isTrusted: Bool = false,
        keeping hold: (any AnyObject & Sendable)? = nil, onRelease: @escaping @Sendable (SegmentName) -> Void = { _ in }
    ) throws(SharedMemoryError) {
        self.isTrusted = isTrusted
        memory = try SharedMemory(mapping: descriptor, access: .reading, byteCounts: 1...max(limit, 1))
        memory.adviseHugePages()
        identity = memory.identity
        self.onRelease = onRelease
        self.hold = hold
    }

    /// ``SharedMemory/identity`` of the arena.
    package let identity: UInt64

    /// The segment that a message of the peer's names, for reading.
    ///
    /// The same segment may be asked for again while it is referenced; each reference is released by itself.
    ///
    /// - Throws: ``SharedMemoryError/Code/outOfBounds``; nothing is allocated then.
    /// - Complexity: O(pages): 1 ms for 80 MB. Page faults come when the segment is read, one for 16 pages: 5 ms for 80 MB,
    ///   once. Entering the pages in bulk before takes as long, in one thread, and for parts that are never read too.
    package func segment(_ name: SegmentName) throws(SharedMemoryError) -> Segment {
        let (page, size) = (SharedMemory.pageByteCount, memory.byteCount)
        func refusal(_ reason: String) -> SharedMemoryError {
            SharedMemoryError(
                .outOfBounds, "a peer named \(name.byteCount) bytes at \(name.offset) of its segment arena: \(reason)")
        }
        guard name.arena == identity else { throw refusal("that is another arena") }
        guard name.offset >= 0, name.offset <= size, name.offset % page == 0, name.byteCount > 0,
            name.byteCount <= size - name.offset
        else { throw refusal("the arena has \(size) bytes, in pages of \(page)") }
        let range = name.offset..<name.offset + name.byteCount
        let pages = name.offset / page..<(range.upperBound - 1) / page + 1

        let failure: SharedMemoryError? = state.withLock { state in
            if let byteCount = state.live.byteCount(at: name.offset) {
                guard byteCount == name.byteCount else { return refusal("a part of it is still read") }
            } else if !isTrusted {
                let missing = pages.upperBound - state.isLive.count
                if missing > 0 {
                    state.isLive += repeatElement(false, count: missing)
                    state.wasPresent += repeatElement(false, count: missing)
                }
                guard !state.isLive[pages].contains(true) else { return refusal("a part of it is still read") }
                // Reading a page that is missing would allocate it here.
                if state.wasPresent[pages].contains(false) {
                    guard memory.isPresent(range) else { return refusal("a part of it is not there") }
                    for page in pages { state.wasPresent[page] = true }
                }
                for page in pages { state.isLive[page] = true }
            }
            state.live.retain(name)
            return nil
        }
        if let failure { throw failure }
        return Segment(name, in: memory) { [self] name in
            state.withLock { state in
                guard state.live.release(name) else { return }
                if !isTrusted { for page in pages { state.isLive[page] = false } }
            }
            onRelease(name)
        }
    }
}
