import NIOCore
import NIOPosix
import Synchronization
import Testing
import Transport

@testable import TCPLink

/// Something that listens and is no driver.
private final class Bystander: Sendable {
    private final class Mouth: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        let words: String?
        let isCutting: Bool

        init(_ words: String?, isCutting: Bool) {
            self.words = words
            self.isCutting = isCutting
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            if let words { context.channel.writeAndFlush(ByteBuffer(string: words), promise: nil) }
            if isCutting { context.close(promise: nil) }
        }
    }

    let channel: any Channel
    let count: Counter

    final class Counter: Sendable {
        let connections = Atomic(0)
    }

    /// - Parameters:
    ///   - words: What it answers; nothing if nil.
    ///   - isCutting: Whether it ends the connection then.
    init(at address: String, port: Int = 0, saying words: String? = nil, isCutting: Bool = false) async throws {
        let count = Counter()
        self.count = count
        channel = try await ServerBootstrap(group: NetworkThreads.shared)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    count.connections.add(1, ordering: .relaxed)
                    try channel.pipeline.syncOperations.addHandler(Mouth(words, isCutting: isCutting))
                }
            }
            .bind(to: try SocketAddress(ipAddress: address, port: port)).get()
    }

    var port: Int { channel.localAddress?.port ?? 0 }
}

@Suite("Dialer")
struct DialerTests {
    private func options(patience: Duration = .seconds(20), headStart: Duration = .milliseconds(50)) -> Dialer.Options {
        var options = Dialer.Options()
        (options.patience, options.headStart) = (patience, headStart)
        return options
    }

    private func launch() -> LaunchKeys.Launch {
        LaunchKeys.Launch(identity: .random(), key: .random(), role: .agent)
    }

    @Test("the address that works is found among those that refuse, are silent, or are somebody else's")
    func candidates() async throws {
        let house = try await House()
        let port = house.listener.port
        let silent = try await Bystander(at: "127.0.0.3", port: port)
        let other = try await Bystander(at: "127.0.0.4", port: port, saying: "HTTP/1.1 400 Bad Request\r\n\r\n")
        let file = try JoinFile(
            addresses: ["127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.1"], port: port, launch: try house.expect(),
            buildID: House.buildID, expiry: 0)
        let link = try await Dialer.join(file, buildID: House.buildID, options: options())
        #expect(await eventually { house.peers.count == 1 })
        link.close()
        try await silent.channel.close()
        try await other.channel.close()
        await house.listener.close()
    }

    @Test("a name is looked up")
    func name() async throws {
        let house = try await House()
        let link = try await Dialer.join(
            ["localhost"], port: house.listener.port, as: try house.expect(), buildID: House.buildID,
            options: options())
        link.close()
        await house.listener.close()
    }

    @Test("two ways to the same driver cost one join")
    func sameDriver() async throws {
        let house = try await House()
        let launch = try house.expect(joins: 2)
        let links = try await withThrowingTaskGroup { group in
            for _ in 0..<2 {
                group.addTask {
                    try await Dialer.join(
                        ["127.0.0.1", "127.0.0.1", "127.0.0.1"], port: house.listener.port, as: launch,
                        buildID: House.buildID, options: options(headStart: .zero))
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(links.count == 2)
        #expect(await eventually { house.peers.count == 2 && house.listener.waitingCount == 0 })
        #expect(house.peers.map(\.remainingJoins).sorted() == [0, 1])
        await house.listener.close()
    }

    @Test("where nobody is, the error names each address and why")
    func nobody() async throws {
        let free = try await Bystander(at: "127.0.0.1")
        let port = free.port
        try await free.channel.close()
        let error = await #expect(throws: JoinError.self) {
            try await Dialer.join(
                ["127.0.0.1", "::1"], port: port, as: launch(), buildID: [], options: options())
        }
        #expect(error?.code == .notReached)
        #expect(
            error?.description
                == "could not join the driver at 127.0.0.1:\(port): Connection refused; [::1]:\(port): Connection refused"
        )
    }

    @Test(
        "who dials by a file is told whether the driver may have ended, or the file is another host's",
        arguments: [(["127.0.0.1", "::1"], true), (["localhost"], false)])
    func cures(addresses: [String], isLocal: Bool) async throws {
        let free = try await Bystander(at: "127.0.0.1")
        let port = free.port
        try await free.channel.close()
        let file = try JoinFile(addresses: addresses, port: port, launch: launch(), buildID: [], expiry: 1 << 40)
        let error = await #expect(throws: JoinError.self) {
            try await Dialer.join(file, buildID: [], options: options())
        }
        let words = error?.description ?? ""
        #expect(error?.code == .notReached && words.contains("has the driver ended?"), "\(words)")
        #expect(words.contains("--on elastic:address=automatic") == isLocal, "\(words)")
    }

    @Test("a driver that does not know the file's key is another one")
    func otherDriver() async throws {
        let house = try await House()
        let file = try JoinFile(
            addresses: ["127.0.0.1"], port: house.listener.port, launch: launch(), buildID: House.buildID,
            expiry: 1 << 40)
        let error = await #expect(throws: JoinError.self) {
            try await Dialer.join(file, buildID: House.buildID, options: options())
        }
        let words = error?.description ?? ""
        #expect(error?.code == .notProven && words.contains("use the file of the driver that runs now"), "\(words)")
        #expect(words.contains("the driver's own host only") && !words.contains("has the driver ended"), "\(words)")
        await house.listener.close()
    }

    @Test("somebody else's server is not a driver, and is said to be none")
    func notADriver() async throws {
        let server = try await Bystander(at: "127.0.0.1", saying: "HTTP/1.1 400 Bad Request\r\n\r\n")
        let error = await #expect(throws: JoinError.self) {
            try await Dialer.join(
                ["127.0.0.1"], port: server.port, as: launch(), buildID: [], options: options())
        }
        #expect(error?.code == .notProven)
        #expect(error?.description.contains("or it is none of ours") == true, "\(String(describing: error))")
        try await server.channel.close()
    }

    @Test("an expired join file is said to be one, when it is refused")
    func expired() async throws {
        let house = try await House()
        let file = try JoinFile(
            addresses: ["127.0.0.1"], port: house.listener.port, launch: try house.expect(for: .zero),
            buildID: House.buildID, expiry: 1_700_000_000)
        let error = await #expect(throws: JoinError.self) {
            try await Dialer.join(file, buildID: House.buildID, options: options())
        }
        #expect(error?.code == .notProven)
        #expect(error?.description.contains("the join file has expired") == true, "\(String(describing: error))")
        await house.listener.close()
    }

    @Test("a driver that is silent is given up when the time is over")
    func deadline() async throws {
        let silent = try await Bystander(at: "127.0.0.1")
        let error = await #expect(throws: JoinError.self) {
            try await Dialer.join(
                ["127.0.0.1"], port: silent.port, as: launch(), buildID: [],
                options: options(patience: .milliseconds(200)))
        }
        #expect(error?.code == .notReached)
        #expect(error?.description.contains("127.0.0.1:\(silent.port): nobody answered in time") == true)
        try await silent.channel.close()
    }

    @Test("a connection that is cut off is tried again and again")
    func cutOff() async throws {
        let server = try await Bystander(at: "127.0.0.1", isCutting: true)
        let port = server.port
        let task = Task {
            try await Dialer.join(["127.0.0.1"], port: port, as: launch(), buildID: [], options: options())
        }
        #expect(await eventually { server.count.connections.load(ordering: .relaxed) > 3 })
        task.cancel()
        let error = await #expect(throws: JoinError.self) { try await task.value }
        #expect(error?.code == .notReached)
        try await server.channel.close()
    }

    @Test("dialling ends when its task is cancelled")
    func cancellation() async throws {
        let silent = try await Bystander(at: "127.0.0.1")
        let port = silent.port
        let task = Task {
            try await Dialer.join(["127.0.0.1"], port: port, as: launch(), buildID: [], options: options())
        }
        #expect(await eventually { silent.count.connections.load(ordering: .relaxed) == 1 })
        task.cancel()
        let error = await #expect(throws: JoinError.self) { try await task.value }
        #expect(error?.description.contains("cancelled") == true)
        try await silent.channel.close()
    }

    @Test("a short key goes to loopback only")
    func shortKey() async throws {
        let house = try await House()
        let key = try LaunchKey(Array("cookie".utf8))
        let launch = try house.listener.expect(.agent, joins: 1, for: .seconds(60), key: key)
        let taken = #expect(throws: JoinError.self) {
            try house.listener.expect(.agent, joins: 1, for: .seconds(60), identity: launch.identity)
        }
        #expect(taken?.description.contains("expected already") == true)
        let link = try await house.join(launch)
        link.close()
        let plan = DialPlan(targets: [], direction: .dial, launch: launch, buildID: [], options: options())
        let loop = NetworkThreads.shared.next()
        let objections = try await loop.submit {
            let promise = loop.makePromise(of: TCPLink.self)
            let dialling = Dialling(plan, loop, promise)
            dialling.cancel()
            return try ["127.0.0.9", "10.0.0.1", "2001:db8::1"].map {
                dialling.objection(to: try SocketAddress(ipAddress: $0, port: 1))
            }
        }.get()
        #expect(objections[0] == nil && objections[1]?.code == .unfitKey && objections[2]?.code == .unfitKey)
        await house.listener.close()
    }
}
