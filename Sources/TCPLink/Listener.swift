import Glibc
package import NIOCore
import NIOPosix

/// Where processes on other hosts join: listens, lets those in who have the key of a launch that is expected, and turns
/// everybody else away without harm.
///
/// ```swift
/// let listener = try await Listener.start(buildID: BuildID.current.bytes) { peer in … }
/// let launch = try listener.expect(.agent, joins: 3, for: .seconds(600))
/// let file = JoinFile(addresses: listener.addresses, port: listener.port, launch: launch, …)
/// ```
package final class Listener: Sendable {
    /// How a listener differs from the usual.
    package struct Options: Sendable {
        /// Where to listen; loopback unless told.
        package var address = ListenAddress.loopback
        /// Port, the same at each address; 0, which is any free one, unless told.
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

    private let channels: [any Channel]
    private let door: Door
    /// Numeric addresses at which others may reach this process, for a join file; the first is to be tried first.
    package let addresses: [String]
    /// The port that is listened on.
    package let port: Int
    /// Whether only processes of this host can connect.
    package let isLoopback: Bool

    private init(_ channels: [any Channel], _ door: Door, _ plan: ListenAddress.Plan) {
        self.channels = channels
        self.door = door
        addresses = plan.candidates.map(\.description)
        port = channels.first?.localAddress?.port ?? 0
        isLoopback = plan.listening.allSatisfy(\.isLoopback)
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
        try await start(options, at: [options.address], .dial, buildID: buildID, onJoin: onJoin)
    }

    /// Listens at several places, for those who join or for the driver.
    ///
    /// - Parameter expected: Somebody who may come the moment that this listens, and for how long.
    static func start(
        _ options: Options, at places: [ListenAddress], _ direction: JoinDirection, buildID: [UInt8],
        expecting expected: (launch: LaunchKeys.Launch, duration: Duration)? = nil,
        onJoin: @escaping @Sendable (JoinedPeer) -> Void
    ) async throws(JoinError) -> Listener {
        let interfaces = places.contains(where: \.needsInterfaces) ? try HostInterface.all() : []
        var plan = ListenAddress.Plan()
        for place in places { plan.add(try place.plan(on: interfaces)) }
        let door = Door(
            limits: options.limits, buildID: buildID, direction: direction, loop: options.threads.next(),
            log: options.log)
        if let (launch, duration) = expected {
            try launch.key.checkLength(isLoopback: plan.listening.allSatisfy(\.isLoopback))
            _ = door.expect(launch.role, joins: 1, for: duration, key: launch.key, identity: launch.identity)
        }
        let links = options.links
        let bootstrap = ServerBootstrap(group: options.threads)
            .serverChannelOption(.backlog, value: 4096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.writeBufferWaterMark, value: LinkSettings.waterMark)
            .childChannelOption(.recvAllocator, value: LinkSettings.reading)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let visitor = door.arrive(channel) else { throw ChannelError.ioOnClosedChannel }
                    do {
                        try channel.pipeline.syncOperations.addHandler(
                            Doorkeeper(door, visitor, links, onJoin: onJoin))
                    } catch {
                        door.left(visitor)
                        throw error
                    }
                }
            }
        return Listener(
            try await bind(bootstrap, to: plan.listening.map(\.description), port: options.port), door, plan)
    }

    /// Binds all addresses to one port.
    ///
    /// Where any port will do, the one that is free at the first address may be taken at another: then the next is tried.
    private static func bind(
        _ bootstrap: ServerBootstrap, to addresses: [String], port: Int
    ) async throws(JoinError) -> [any Channel] {
        var channels: [any Channel] = []
        var attempts = port == 0 ? 16 : 1
        while true {
            attempts -= 1
            var place = (address: "", port: port)
            do {
                for address in addresses {
                    place = (address, channels.first?.localAddress?.port ?? port)
                    let target = try SocketAddress(ipAddress: place.address, port: place.port)
                    channels.append(try await bootstrap.bind(to: target).get())
                }
                return channels
            } catch {
                let isTaken = (error as? IOError)?.errnoCode == EADDRINUSE
                // They are closed already, or are now.
                for channel in channels { try? await channel.close() }
                if isTaken, attempts > 0, !channels.isEmpty {
                    channels = []
                    continue
                }
                let cure =
                    isTaken
                    ? ". Another program, or another driver of yours, listens there: use another port, or 0 for any that is free"
                    : ""
                throw JoinError(
                    .cannotListen,
                    "can't listen on \(place.address) port \(place.port): \(Reason.words(error))\(cure)")
            }
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
        // They are closed already, or are now.
        for channel in channels { try? await channel.close() }
    }
}
