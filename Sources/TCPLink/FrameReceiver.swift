import NIOCore
import Transport
import Wire

/// Takes a connection's bytes, after the proof, for a ``TCPLink``; used on the connection's thread only.
final class FrameReceiver: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private enum State {
        /// Nobody wants frames yet.
        case waiting
        case started(onFrame: (inout WireReader) -> Void, onEnd: (LinkError?) -> Void)
        /// The link has ended before anybody wanted to know.
        case endedEarly(LinkError?)
        case ended
    }

    /// Nil once the link has ended, so that neither keeps the other.
    var link: TCPLink?
    /// Where parts of blocks are copied to on their way out.
    var scratch = ByteBuffer()
    private var assembler: FrameAssembler
    private var state = State.waiting
    /// What came before anybody wanted it: no more than was on its way when the proof was complete.
    private var held = ByteBuffer()
    private var context: ChannelHandlerContext?
    /// Why the connection is about to end.
    private var failure: LinkError?

    init(_ assembler: FrameAssembler) { self.assembler = assembler }

    func start(onFrame: @escaping (inout WireReader) -> Void, onEnd: @escaping (LinkError?) -> Void) {
        if case .endedEarly(let error) = state {
            // What was said before the end is still there.
            state = .started(onFrame: onFrame, onEnd: onEnd)
            takeHeld()
            return end(error ?? truncation)
        }
        guard case .waiting = state else { return onEnd(nil) }
        state = .started(onFrame: onFrame, onEnd: onEnd)
        takeHeld()
        guard let context, link != nil else { return }
        // The channel is of NIO's own, whose options can be set at once.
        try? context.channel.syncOptions?.setOption(.autoRead, value: true)
    }

    func end(_ error: LinkError?) {
        switch state {
        case .waiting: state = .endedEarly(error)
        case .started(_, let onEnd):
            state = .ended
            onEnd(error)
        case .endedEarly, .ended: break
        }
        link = nil
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        // What comes from now on waits in the kernel until somebody wants it.
        try? context.channel.syncOptions?.setOption(.autoRead, value: false)
    }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        link?.hear()
        if case .waiting = state {
            held.writeBuffer(&bytes)
        } else {
            take(&bytes)
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { link?.sendWhatWaits() }
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if failure == nil { failure = LinkError(code: .broken, "the connection failed: \(Reason.words(error))") }
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if let link { link.end(failure ?? truncation) }
        context.fireChannelInactive()
    }

    /// This side has closed the link: what came and nobody wanted is not wanted any more.
    func forgetHeld() {
        held = ByteBuffer()
    }

    private var truncation: LinkError? {
        assembler.isInsideFrame
            ? LinkError(code: .broken, "the other side closed the link in the middle of a frame") : nil
    }

    private func takeHeld() {
        var bytes = held
        held = ByteBuffer()
        take(&bytes)
    }

    /// Delivers the frames in `bytes`.
    private func take(_ bytes: inout ByteBuffer) {
        do throws(LinkError) {
            while case .started(let onFrame, _) = state, link?.isClosedHere != true,
                try assembler.takeFrame(
                    from: &bytes,
                    onFrame: { message, blocks in
                        var reader = WireReader(message, from: 0, blocks: blocks.span)
                        onFrame(&reader)
                    })
            {}
        } catch {
            if let link { link.end(error) } else { end(error) }
        }
    }
}
