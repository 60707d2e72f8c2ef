import NIOCore
import NIOPosix
package import Transport
package import Wire

/// What the links of a listener or a dialer have in common.
package struct LinkSettings: Sendable {
    /// How much a link carries.
    package var limits: LinkLimits
    /// Makes the memory that blocks land in.
    package var maker: any BlockMaker

    /// Sets what differs from the defaults: blocks land in this process's own memory.
    package init(limits: LinkLimits = LinkLimits(), maker: any BlockMaker = HeapBlocks()) {
        self.limits = limits
        self.maker = maker
    }

    /// Bytes that wait in a connection before it takes no more, and before it does again.
    static let waterMark = ChannelOptions.Types.WriteBufferWaterMark(low: 1 << 17, high: 1 << 19)
    /// How much is read at once: little where little comes.
    static let reading = AdaptiveRecvByteBufferAllocator(minimum: 1 << 11, initial: 1 << 14, maximum: 1 << 18)
}
