/// A block of an arena, as a message names it.
package struct SegmentName: Hashable, Sendable {
    /// ``SharedMemory/identity`` of the arena.
    package let arena: UInt64
    /// Where the segment begins in the arena, in bytes; whole pages.
    package let offset: Int
    /// Size of the segment in bytes, at least 1.
    package let byteCount: Int

    package init(arena: UInt64, offset: Int, byteCount: Int) {
        self.arena = arena
        self.offset = offset
        self.byteCount = byteCount
    }
}

/// A reference to a block of an arena: of this process's own, or of a peer's that it reads.
///
/// The block is given back when the last reference is gone. A segment of this process's own that was named to a peer
/// has to be kept until the peer is done with it: the next segment may get the same pages.
@safe
package final class Segment: Sendable {
    /// What it is called between processes.
    package let name: SegmentName
    /// The arena.
    internal let memory: SharedMemory
    private let onRelease: @Sendable (SegmentName) -> Void

    internal init(_ name: SegmentName, in memory: SharedMemory, onRelease: @escaping @Sendable (SegmentName) -> Void) {
        self.name = name
        self.memory = memory
        self.onRelease = onRelease
    }

    deinit { onRelease(name) }

    /// The block: aligned to a page, valid while the segment is referenced. A peer's is for reading only, and only the
    /// peer's good behaviour keeps it from changing.
    @unsafe
    package var bytes: UnsafeMutableRawBufferPointer {
        unsafe UnsafeMutableRawBufferPointer(
            start: memory.bytes.baseAddress.unsafelyUnwrapped + name.offset, count: name.byteCount)
    }

    /// The NUMA nodes of its pages, of at most `limit`; nil where the system does not say.
    internal func nodes(sampling limit: Int) -> [Int]? {
        memory.nodes(of: name.offset..<name.offset + name.byteCount, sampling: limit)
    }
}
