import NIOCore
import NIOTLS
import Transport
import Wire

/// Receives a connection that has come: looks at its first byte, has it prove itself, hears what it is, and makes a link.
///
/// Nothing is said to a connection that does not begin a TLS handshake.
final class Doorkeeper: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// The first byte of a TLS handshake.
    private static let handshake: UInt8 = 22

    private let door: Door
    private let visitor: Visitor
    private let settings: LinkSettings
    private let onJoin: @Sendable (JoinedPeer) -> Void
    private var assembler: FrameAssembler
    private var isProven = false
    private var isRefused = false

    init(_ door: Door, _ visitor: Visitor, _ settings: LinkSettings, onJoin: @escaping @Sendable (JoinedPeer) -> Void) {
        self.door = door
        self.visitor = visitor
        self.settings = settings
        self.onJoin = onJoin
        assembler = FrameAssembler(limit: Greeting.mostBytes, maker: NoBlocks())
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isRefused else { return }
        var bytes = unwrapInboundIn(data)
        guard isProven else { return expectHandshake(bytes, context) }
        var greeting: Result<Greeting, WireError>?
        do throws(LinkError) {
            let isWhole = try assembler.takeFrame(from: &bytes) { message, _ in
                greeting = Result { () throws(WireError) in
                    var input = WireReader(message)
                    return try Greeting(from: &input)
                }
            }
            guard isWhole else { return }
        } catch {
            return refuse(context)
        }
        guard case .success(let greeting) = greeting, let launch = visitor.launch else { return refuse(context) }
        answer(greeting, launch, rest: bytes, context)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted? = event as? TLSUserEvent {
            isProven = true
            visitor.got(to: .badGreeting)
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // What is wrong with a stranger's bytes is nobody's business; its connection ends, and is counted then.
        refuse(context)
    }

    /// Also where the connection is closed so early that it never becomes active, and so not inactive either.
    func handlerRemoved(context: ChannelHandlerContext) { door.left(visitor) }

    /// Puts TLS in front, if this may be the start of it.
    private func expectHandshake(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        guard bytes.getInteger(at: bytes.readerIndex, as: UInt8.self) == Doorkeeper.handshake else {
            visitor.refuse(.notTLS)
            return refuse(context)
        }
        door.spoke(visitor)
        do {
            let (door, visitor) = (door, visitor)
            let handler = try Cryptography.server { identity in door.key(of: identity, for: visitor) }
            try context.pipeline.syncOperations.addHandler(handler, position: .before(self))
            // As if it had been there from the beginning.
            let channel = context.channel.pipeline
            channel.syncOperations.fireChannelRead(NIOAny(bytes))
            channel.syncOperations.fireChannelReadComplete()
        } catch {
            refuse(context)
        }
    }

    private func answer(
        _ greeting: Greeting, _ launch: LaunchKeys.Launch, rest: ByteBuffer, _ context: ChannelHandlerContext
    ) {
        let (own, other) = door.direction.parties(launch.role)
        func answer(_ reason: String?) -> GreetingAnswer { GreetingAnswer(own, buildID: door.buildID, reason: reason) }
        if let (kind, reason) = greeting.objection(other, to: own, buildID: door.buildID) {
            visitor.refuse(kind)
            return say(answer(reason), thenClose: true, context)
        }
        switch door.join(visitor, launch) {
        case .failure(let denial):
            visitor.refuse(Refusal(denial))
            say(answer("its launch is over"), thenClose: true, context)
        case .success(let remaining):
            say(answer(nil), thenClose: false, context)
            let link = TCPLink(context.channel, settings)
            do {
                try context.pipeline.syncOperations.addHandler(link.handler, position: .after(self))
            } catch {
                return refuse(context)
            }
            if rest.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(rest)) }
            context.pipeline.syncOperations.removeHandler(self, promise: nil)
            onJoin(
                JoinedPeer(
                    link: link, identity: launch.identity, role: launch.role, address: visitor.address,
                    remainingJoins: remaining))
        }
    }

    private func say(_ answer: GreetingAnswer, thenClose: Bool, _ context: ChannelHandlerContext) {
        guard let bytes = FrameHead.frame(answer) else { return refuse(context) }
        context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
        if thenClose { refuse(context) }
    }

    private func refuse(_ context: ChannelHandlerContext) {
        guard !isRefused else { return }
        isRefused = true
        context.close(promise: nil)
    }
}
