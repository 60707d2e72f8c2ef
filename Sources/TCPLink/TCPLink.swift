import NIOCore
import Synchronization
package import Transport
package import Wire

/// A link to a process on another host, over TCP and TLS.
///
/// Made by a ``Listener`` or a ``Dialer``, which have proven both sides to each other. Frames are sent and handled on one
/// of the ``NetworkThreads``. Blocks are sent from where they lie, and land in memory that the link's maker makes.
///
/// Where the other side's host goes away without a word, nothing is heard any more, see ``lastHeard``: whoever uses the
/// link decides how long that may last.
package final class TCPLink: Link {
    /// Bytes that are encrypted and handed to the kernel at a time.
    private static let chunk = 1 << 17
    /// Bytes after which other connections of the thread have a turn.
    private static let turn = 1 << 22

    private let channel: any Channel
    private let receiver: NIOLoopBound<FrameReceiver>
    private let limits: LinkLimits
    private let outgoing = Mutex(OutgoingBytes())
    private let heard = Atomic<UInt64>(monotonicSeconds().bitPattern)
    private let hasStarted = Atomic(false)
    private let isClosing = Atomic(false)

    /// A link over a channel that has been proven; called on its thread.
    ///
    init(_ channel: any Channel, _ settings: LinkSettings) {
        self.channel = channel
        limits = settings.limits
        let receiver = FrameReceiver(FrameAssembler(limit: limits.frameByteCount, maker: settings.maker))
        self.receiver = NIOLoopBound(receiver, eventLoop: channel.eventLoop)
        receiver.link = self
    }

    /// What takes the channel's bytes; for its pipeline, on its thread.
    var handler: FrameReceiver { receiver.value }

    /// This side's address, without the port.
    package var localAddress: String { channel.localAddress?.ipAddress ?? "127.0.0.1" }

    package var lastHeard: Double { Double(bitPattern: heard.load(ordering: .relaxed)) }

    package func start(
        onFrame: @escaping @Sendable (inout WireReader) -> Void, onEnd: @escaping @Sendable (LinkError?) -> Void
    ) {
        precondition(!hasStarted.exchange(true, ordering: .relaxed), "a link is started once")
        channel.eventLoop.execute { [self] in receiver.value.start(onFrame: onFrame, onEnd: onEnd) }
    }

    package func send(_ bytes: RawSpan, _ blocks: [SharedArray<UInt8>]) throws(LinkError) {
        let length = blocks.reduce(bytes.byteCount) { $0 + $1.count }
        guard length <= limits.frameByteCount else {
            throw LinkError(
                code: .frameTooLarge, "a frame of \(length) bytes is to be sent; the limit is \(limits.frameByteCount)")
        }
        guard blocks.count <= FrameHead.mostBlocks else {
            throw LinkError(
                code: .frameTooLarge,
                "a frame with \(blocks.count) blocks is to be sent; the limit is \(FrameHead.mostBlocks)")
        }
        let isToBeSent = try outgoing.withLock { outgoing throws(LinkError) in
            guard !outgoing.isClosed else { throw .closed }
            guard outgoing.byteCount <= limits.waitingByteCount - length else {
                throw LinkError(
                    code: .tooMuchWaiting,
                    "\(outgoing.byteCount) bytes wait to be sent; the other side does not read")
            }
            outgoing.append(bytes, blocks, frameByteCount: length)
            if outgoing.isBeingSent { return false }
            outgoing.isBeingSent = true
            return true
        }
        if isToBeSent { channel.eventLoop.execute { [self] in sendWhatWaits() } }
    }

    package func close() {
        let isOpen = outgoing.withLock { outgoing in
            defer { outgoing.isClosed = true }
            return !outgoing.isClosed
        }
        guard isOpen else { return }
        isClosing.store(true, ordering: .relaxed)
        channel.eventLoop.execute { [self] in
            // What the connection takes at once is not lost.
            sendWhatWaits()
            receiver.value.forgetHeld()
            end(nil)
        }
    }

    // MARK: - On the channel's thread

    /// Hands on what waits, as far as the connection takes it; it says when it takes more.
    func sendWhatWaits() {
        var sent = 0
        while channel.isWritable {
            let next = outgoing.withLock { outgoing -> ByteBuffer? in
                let next = outgoing.take(upTo: TCPLink.chunk, &receiver.value.scratch)
                if next == nil { outgoing.isBeingSent = false }
                return next
            }
            guard let next else { return }
            sent += next.readableBytes
            channel.writeAndFlush(next, promise: nil)
            if sent >= TCPLink.turn {
                return channel.eventLoop.execute { [self] in sendWhatWaits() }
            }
        }
    }

    /// Whether this side has closed the link, and wants no more frames.
    var isClosedHere: Bool { isClosing.load(ordering: .relaxed) }

    /// Something came.
    func hear() {
        heard.store(monotonicSeconds().bitPattern, ordering: .relaxed)
    }

    /// The link has ended, in whatever way; then the connection does.
    func end(_ error: LinkError?) {
        outgoing.withLock { outgoing in
            outgoing.isClosed = true
            outgoing.removeAll()
        }
        receiver.value.end(error)
        channel.close(promise: nil)
    }
}
