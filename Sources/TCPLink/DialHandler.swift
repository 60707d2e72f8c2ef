import Glibc
import NIOCore
import NIOSSL
import NIOTLS
import Transport
import Wire

/// The end of a connection that was dialled, until it is a link.
final class DialHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let dialling: Dialling
    private let index: Int
    private let turn: Int
    private var assembler = FrameAssembler(limit: Greeting.mostBytes, maker: NoBlocks())

    init(_ dialling: Dialling, _ index: Int, turn: Int) {
        self.dialling = dialling
        self.turn = turn
        self.index = index
    }

    func channelActive(context: ChannelHandlerContext) {
        // Where nobody listens at a port that the kernel gives to dialers, it may give that one, and the connection is one
        // with itself.
        if context.localAddress == context.remoteAddress {
            fail(IOError(errnoCode: ECONNREFUSED, reason: "connect"), context)
        }
        // The handshake begins after this.
        if let objection = dialling.objection(to: context.remoteAddress) { fail(objection, context) }
        context.fireChannelActive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted? = event as? TLSUserEvent {
            if dialling.proven(index, turn), let greeting = FrameHead.frame(dialling.greeting) {
                context.writeAndFlush(wrapOutboundOut(greeting), promise: nil)
            } else {
                context.close(promise: nil)
            }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        var answer: Result<GreetingAnswer, WireError>?
        do throws(LinkError) {
            let isWhole = try assembler.takeFrame(from: &bytes) { message, _ in
                answer = Result { () throws(WireError) in
                    var input = WireReader(message)
                    return try GreetingAnswer(from: &input)
                }
            }
            guard isWhole else { return }
        } catch {
            return fail(JoinError(.refused, "what it answers is no answer"), context)
        }
        guard case .success(let answer) = answer else {
            return fail(JoinError(.refused, "what it answers is no answer"), context)
        }
        dialling.answered(answer, index) { settings in
            let link = TCPLink(context.channel, settings)
            try context.pipeline.syncOperations.addHandler(link.handler, position: .after(self))
            if bytes.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(bytes)) }
            context.pipeline.syncOperations.removeHandler(self, promise: nil)
            return link
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { fail(error, context) }

    func channelInactive(context: ChannelHandlerContext) {
        dialling.failed(index, turn, NIOSSLError.uncleanShutdown)
        context.fireChannelInactive()
    }

    private func fail(_ error: any Error, _ context: ChannelHandlerContext) {
        dialling.failed(index, turn, error)
        context.close(promise: nil)
    }
}
