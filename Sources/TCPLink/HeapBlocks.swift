import Glibc
package import Wire

/// Makes blocks in this process's own memory, for links whose blocks nobody else maps.
package final class HeapBlocks: BlockMaker {
    /// A maker; it keeps nothing.
    package init() {}

    /// - Complexity: O(1) for large blocks: the kernel gives their pages when they are written.
    package func makeBlock(byteCount: Int) -> (bytes: SharedArray<UInt8>, base: UnsafeMutableRawPointer)? {
        var base: UnsafeMutableRawPointer?
        guard unsafe posix_memalign(&base, 64, byteCount) == 0, let base = unsafe base else { return nil }
        unsafe expectLargeWrite(to: base, byteCount: byteCount)
        let owner = unsafe HeapBlock(base)
        // SAFETY: `byteCount` bytes that the owner keeps, and nobody else has; any bits are a byte.
        let bytes = unsafe UnsafeBufferPointer(
            start: UnsafePointer(base.bindMemory(to: UInt8.self, capacity: byteCount)), count: byteCount)
        return unsafe (SharedArray(bytes, owner: owner), base)
    }
}

/// Frees a block.
@safe
private final class HeapBlock {
    private let base: UnsafeMutableRawPointer

    init(_ base: UnsafeMutableRawPointer) { unsafe self.base = base }

    // SAFETY: of `posix_memalign`, freed nowhere else.
    deinit { unsafe free(base) }
}

/// Makes no blocks, for where none may come.
final class NoBlocks: BlockMaker {
    func makeBlock(byteCount: Int) -> (bytes: SharedArray<UInt8>, base: UnsafeMutableRawPointer)? { nil }
}
