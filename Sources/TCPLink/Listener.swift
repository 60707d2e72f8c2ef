package import NIOCore
import NIOPosix

/// Where processes on other hosts join: listens, lets those in who have the key of a launch that is expected, and turns
/// everybody else away without harm.
///
/// ```swift
/// let listener = try await Listener.start(buildID: BuildID.current.bytes) { peer in … }
/// let launch = try listener.expect(.agent, joins: 3, for: .seconds(600))
/// let file = JoinFile(addresses: ["10.0.0.7"], port: listener.port, launch: launch, …)
/// ```
package final class Listener: Sendable {
    /// How a listener differs from the usual.
    package struct Options: Sendable {
        /// Numeric address to listen on; loopback unless told. `0.0.0.0` and `::` stand for all of the host.
        package var address = "127.0.0.1"
        /// Port; 0, which is any free one, unless told.
        package var port = 0
        /// What the links to those who join are like.
        package var links = LinkSettings()
        /// Limits on connections that have not proven themselves.
        package var limits = UnprovenConnections<UInt64>.Limits()
        /// Is told what was refused, at most once a second, on a thread of the listener's. Nothing secret is in it.
        package var log: @Sendable (String) -> Void = { _ in }
        /// Where connections are served.
        package var threads: any EventLoopGroup = NetworkThreads.shared

        /// The usual.
        package init() {}
    }

    private let channel: any Channel
    private let door: Door
    /// The port that is listened on.
    package let port: Int
    /// Whether only processes of this host can connect.
    package let isLoopback: Bool

    private init(_ channel: any Channel, _ door: Door, _ address: SocketAddress) {
        self.channel = channel
        self.door = door
        port = address.port ?? 0
        isLoopback = address.isLoopback
    }

    /// Listens.
    ///
    /// - Parameters:
    ///   - buildID: What those who join have to be a build of.
    ///   - onJoin: Is given each process that has proven itself, on a thread of its link's, which it starts sooner or
    ///     later.
    /// - Throws: ``JoinError/Code/cannotListen``.
    package static func start(
        _ options: Options = Options(), buildID: [UInt8], onJoin: @escaping @Sendable (JoinedPeer) -> Void
    ) async throws(JoinError) -> Listener {
        let door = Door(
            limits: options.limits, buildID: buildID, loop: options.threads.next(), log: options.log)
        let links = options.links
        do {
            let address = try SocketAddress(ipAddress: options.address, port: options.port)
            let channel = try await ServerBootstrap(group: options.threads)
                .serverChannelOption(.backlog, value: 256)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
                .childChannelOption(.writeBufferWaterMark, value: LinkSettings.waterMark)
                .childChannelOption(.recvAllocator, value: LinkSettings.reading)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        guard let visitor = door.arrive(channel) else { throw ChannelError.ioOnClosedChannel }
                        try channel.pipeline.syncOperations.addHandler(
                            Doorkeeper(door, visitor, links, onJoin: onJoin))
                    }
                }
                .bind(to: address).get()
            return Listener(channel, door, channel.localAddress ?? address)
        } catch {
            throw JoinError(
                .cannotListen, "can't listen on \(options.address) port \(options.port): \(Reason.words(error))")
        }
    }

    /// Expects processes to join.
    ///
    /// - Parameters:
    ///   - joins: How many, at least 1. Places are kept for them.
    ///   - duration: How long they have.
    ///   - key: A key of the user's; random unless given. The identity as well.
    /// - Returns: What they need, for a join file.
    /// - Throws: ``JoinError/Code/unfitKey`` if the key is too short for an address that others can reach, or the identity
    ///   is taken.
    package func expect(
        _ role: JoinRole, joins: Int, for duration: Duration, key: LaunchKey = .random(),
        identity: LaunchIdentity = .random()
    ) throws(JoinError) -> LaunchKeys.Launch {
        try key.checkLength(isLoopback: isLoopback)
        guard let launch = door.expect(role, joins: joins, for: duration, key: key, identity: identity) else {
            throw JoinError(.unfitKey, "the identity \(identity) is that of a launch which is expected already")
        }
        return launch
    }

    /// Takes a launch back: who has not joined yet can't any more. Links that there are go on.
    package func revoke(_ identity: LaunchIdentity) { door.revoke(identity) }

    /// Connections refused so far, by kind.
    package var refusals: [Refusal: Int] { door.refusals }

    /// Connections that have not proven themselves.
    package var waitingCount: Int { door.waitingCount }

    /// Listens no more; links that there are go on.
    package func close() async {
        door.close()
        // It is closed already, or is now.
        try? await channel.close()
    }
}
