import NIOCore
import NIOPosix
import NIOSSL
import Synchronization
import Testing
import Transport
import Wire

@testable import TCPLink

/// Polls until `condition` holds; false after `seconds`.
func eventually(within seconds: Double = 60, _ condition: () -> Bool) async -> Bool {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while !condition() {
        guard ContinuousClock.now < deadline else { return false }
        try? await Task.sleep(for: .milliseconds(1))
    }
    return true
}

/// Everything that arrives at one end of a link.
final class Inbox: Sendable {
    private struct State {
        var frames: [[UInt8]] = []
        var blocks: [[SharedArray<UInt8>]] = []
        var ends: [LinkError?] = []
    }

    private let state = Mutex(State())
    var frames: [[UInt8]] { state.withLock { $0.frames } }
    var blocks: [[SharedArray<UInt8>]] { state.withLock { $0.blocks } }
    var count: Int { state.withLock { $0.frames.count } }
    var ends: [LinkError?] { state.withLock { $0.ends } }

    func start(_ link: some Link) {
        link.start { frame in
            let bytes = frame.rest.copyBytes()
            let blocks = frame.restOfBlocks
            self.state.withLock { state in
                state.frames.append(bytes)
                state.blocks.append(blocks)
            }
        } onEnd: { error in
            self.state.withLock { $0.ends.append(error) }
        }
    }
}

/// A listener on loopback, and who joined.
final class House: Sendable {
    static let buildID: [UInt8] = [1, 2, 3, 0xab]

    private let joined: Guests
    let listener: Listener
    var peers: [JoinedPeer] { joined.peers.withLock { $0 } }
    var lines: [String] { joined.lines.withLock { $0 } }

    private final class Guests: Sendable {
        let peers = Mutex<[JoinedPeer]>([])
        let lines = Mutex<[String]>([])
    }

    init(_ change: (inout Listener.Options) -> Void = { _ in }) async throws {
        let joined = Guests()
        var options = Listener.Options()
        // What a slow machine takes is not what is tested, but where it is.
        options.limits.seconds = 60
        options.log = { line in joined.lines.withLock { $0.append(line) } }
        change(&options)
        listener = try await Listener.start(options, buildID: House.buildID) { peer in
            joined.peers.withLock { $0.append(peer) }
        }
        self.joined = joined
    }

    func expect(
        _ role: JoinRole = .agent, joins: Int = 1, for duration: Duration = .seconds(600)
    ) throws -> LaunchKeys.Launch {
        try listener.expect(role, joins: joins, for: duration)
    }

    /// Joins, as a process with this launch's key would.
    func join(
        _ launch: LaunchKeys.Launch, buildID: [UInt8] = House.buildID, links: LinkSettings = LinkSettings()
    ) async throws(JoinError) -> TCPLink {
        var options = Dialer.Options()
        options.links = links
        return try await Dialer.join(
            ["127.0.0.1"], port: listener.port, as: launch, buildID: buildID, options: options)
    }

    /// Both ends of a link.
    static func link(_ links: LinkSettings = LinkSettings()) async throws -> (driver: TCPLink, peer: TCPLink) {
        let house = try await House { $0.links = links }
        let peer = try await house.join(try house.expect(), links: links)
        let hasJoined = await eventually { house.peers.count == 1 }
        #expect(hasJoined)
        await house.listener.close()
        return (try #require(house.peers.first).link, peer)
    }

    /// Connections refused so far.
    var refusalCount: Int { listener.refusals.values.reduce(0, +) }

    func refused(_ kind: Refusal) async -> Bool {
        await eventually { self.listener.refusals[kind, default: 0] > 0 }
    }
}

/// A connection that says what it likes.
final class Stranger: Sendable {
    private final class Ear: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let heard: Heard
        init(_ heard: Heard) { self.heard = heard }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = Array(unwrapInboundIn(data).readableBytesView)
            heard.state.withLock { $0.bytes += bytes }
        }

        func channelInactive(context: ChannelHandlerContext) { heard.state.withLock { $0.isClosed = true } }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    /// Closes the connection behind the back of TLS.
    private final class Scissors: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if event is Cut { context.close(promise: nil) } else { context.fireUserInboundEventTriggered(event) }
        }
    }

    private struct Cut: Sendable {}

    private final class Heard: Sendable {
        let state = Mutex((bytes: [UInt8](), isClosed: false))
    }

    private let heard: Heard
    private let channel: any Channel
    var bytes: [UInt8] { heard.state.withLock { $0.bytes } }
    var isClosed: Bool { heard.state.withLock { $0.isClosed } }

    /// - Parameters:
    ///   - source: The address that it comes from.
    ///   - launch: What it proves that it belongs to, with TLS; none for a plain connection.
    ///   - tls: Another way to do so.
    init(
        to port: Int, from source: String = "127.0.0.1", _ launch: LaunchKeys.Launch? = nil,
        tls: TLSConfiguration? = nil
    ) async throws {
        let heard = Heard()
        self.heard = heard
        channel = try await ClientBootstrap(group: NetworkThreads.shared)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let launch {
                        try channel.pipeline.syncOperations.addHandler(Scissors())
                        try channel.pipeline.syncOperations.addHandler(try Cryptography.client(launch))
                    }
                    if let tls {
                        let context = try NIOSSLContext(configuration: tls)
                        try channel.pipeline.syncOperations.addHandler(
                            try NIOSSLClientHandler(context: context, serverHostname: nil))
                    }
                    try channel.pipeline.syncOperations.addHandler(Ear(heard))
                }
            }
            .bind(to: try SocketAddress(ipAddress: source, port: 0))
            .connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: port)).get()
    }

    func say(_ bytes: [UInt8]) { channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil) }

    func say(_ greeting: Greeting) {
        if let frame = FrameHead.frame(greeting) { channel.writeAndFlush(frame, promise: nil) }
    }

    func close() { channel.close(promise: nil) }

    /// Ends the connection without a word.
    func cutOff() { channel.pipeline.fireUserInboundEventTriggered(Cut()) }
}

/// A frame's bytes, which tell frames and places in them apart.
func bytes(_ count: Int, seed: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    for index in bytes.indices { bytes[index] = UInt8(truncatingIfNeeded: index &* 7 &+ seed) }
    return bytes
}

func send(_ bytes: [UInt8], _ blocks: [SharedArray<UInt8>] = [], on link: some Link) throws(LinkError) {
    // SAFETY: every byte of a span of `UInt8` is initialised.
    try link.send(unsafe bytes.span.bytes, blocks)
}
