import SharedMemoryLink
package import Wire

/// Makes the blocks that arrive at a host: where its workers share them, while there is room.
///
/// Where there is none, in this process's own memory: the link goes on, and whoever needs the block is told why it can't have
/// it.
package final class HostBlocks: BlockMaker {
    private let shared = SharedBlocks()
    private let fallback: any BlockMaker

    /// - Parameter fallback: Makes them in this process's own memory.
    package init(fallback: any BlockMaker) { self.fallback = fallback }

    package func makeBlock(byteCount: Int) -> (bytes: SharedArray<UInt8>, base: UnsafeMutableRawPointer)? {
        unsafe shared.makeBlock(byteCount: byteCount) ?? fallback.makeBlock(byteCount: byteCount)
    }
}
