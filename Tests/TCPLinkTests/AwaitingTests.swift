import NIOCore
import NIOPosix
import Synchronization
import Testing
import Transport
import Wire

@testable import TCPLink

/// A process that was called up and waits for its driver on loopback.
private final class Waiting: Sendable {
    let file: JoinFile
    /// Where it listens, once it does.
    let port = Eventual<Int>()
    /// What comes of it.
    let end = Eventual<Result<TCPLink, JoinError>>()
    private let task = Mutex<Task<Void, Never>?>(nil)

    init(_ file: JoinFile, within patience: Duration = .seconds(60), buildID: [UInt8] = House.buildID) {
        self.file = file
        let (port, end) = (port, end)
        let task = Task {
            var options = Listener.Options()
            options.limits.seconds = 60
            do throws(JoinError) {
                let (_, link) = try await Listener.awaitDriver(
                    file, buildID: buildID, options: options, within: patience, onListening: { port.fulfil($0) })
                end.fulfil(.success(link))
            } catch {
                port.fulfil(0)
                end.fulfil(.failure(error))
            }
        }
        self.task.withLock { $0 = task }
    }

    func cancel() { task.withLock { $0?.cancel() } }

    func link() async throws -> TCPLink { try await end.get().get() }

    func failure() async -> JoinError? {
        if case .failure(let error) = await end.get() { error } else { nil }
    }

    /// Dials it, as its driver does.
    func reach(
        key: LaunchKey? = nil, role: JoinRole = .agent, buildID: [UInt8] = House.buildID
    ) async throws -> TCPLink {
        let launch = LaunchKeys.Launch(identity: file.identity, key: key ?? file.key, role: role)
        return try await Dialer.reach(["127.0.0.1"], port: await port.get(), launch, buildID: buildID)
    }
}

private func file(
    _ addresses: [String] = ["loopback"], port: Int = 0, _ launch: LaunchKeys.Launch? = nil, expiry: Int = 1 << 40
) throws -> JoinFile {
    try JoinFile(
        addresses: addresses, port: port,
        launch: launch ?? LaunchKeys.Launch(identity: .random(), key: .random(), role: .agent),
        buildID: House.buildID, expiry: expiry, direction: .listen)
}

/// Sends back whatever comes.
private final class Mirror: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.writeAndFlush(data, promise: nil)
    }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

/// A port behind which a mirror is: behind TLS too, if it has a launch's key.
private func mirror(_ launch: LaunchKeys.Launch? = nil, at address: String = "127.0.0.1") async throws -> any Channel {
    try await ServerBootstrap(group: NetworkThreads.shared)
        .childChannelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                if let launch {
                    try channel.pipeline.syncOperations.addHandler(try Cryptography.server { _ in launch.key })
                }
                try channel.pipeline.syncOperations.addHandler(Mirror())
            }
        }
        .bind(to: try SocketAddress(ipAddress: address, port: 0)).get()
}

@Suite("Awaiting a driver")
struct AwaitingTests {
    @Test("a driver dials who listens, and frames go both ways")
    func reach() async throws {
        let waiting = Waiting(try file(["127.0.0.1", "loopback"]))
        let driver = try await waiting.reach()
        let agent = try await waiting.link()
        let (atDriver, atAgent) = (Inbox(), Inbox())
        atDriver.start(driver)
        atAgent.start(agent)
        try send([1], on: driver)
        try send([2], on: agent)
        #expect(await eventually { atDriver.frames == [[2]] && atAgent.frames == [[1]] })
        // Nobody is listened to any more.
        let port = await waiting.port.get()
        await #expect(throws: (any Error).self) { try await Stranger(to: port) }
        driver.close()
        #expect(await eventually { atAgent.ends == [nil] })
    }

    @Test("a driver may dial before anybody listens")
    func early() async throws {
        // No other test's, so that nobody else takes the port meanwhile.
        let address = "127.0.0.77"
        // None that the kernel gives to dialers: one that dials itself would hold it for a moment.
        let port = Int.random(in: 20_000..<32_000)
        let file = try file([address], port: port)
        var options = Dialer.Options()
        options.patience = .seconds(300)
        async let driver = Dialer.reach(
            [address], port: port, file.launch, buildID: House.buildID, options: options)
        // So that it has probably been turned away once; the outcome is the same if not.
        await Task.yield()
        let waiting = Waiting(file)
        try await driver.close()
        try await waiting.link().close()
    }

    @Test("a wrong key, another build, another role and strangers are refused; the driver gets in after them")
    func refused() async throws {
        let waiting = Waiting(try file())
        let key = await #expect(throws: JoinError.self) { try await waiting.reach(key: .random()) }
        #expect(key?.code == .notProven)
        #expect(key?.description.contains("could not join the agent at 127.0.0.1") == true)
        let build = await #expect(throws: JoinError.self) { try await waiting.reach(buildID: [9]) }
        #expect(build?.code == .refused)
        let words = "it is build 09, the agent 010203ab"
        #expect(build?.description.contains(words) == true, "\(String(describing: build))")
        let role = await #expect(throws: JoinError.self) { try await waiting.reach(role: .worker) }
        #expect(role?.code == .refused)
        #expect(role?.description.contains("it says that it is agent, where the worker") == true)
        // One that holds the key and was called up like this one.
        let port = await waiting.port.get()
        let sibling = await #expect(throws: JoinError.self) {
            try await Dialer.join(["127.0.0.1"], port: port, as: waiting.file.launch, buildID: House.buildID)
        }
        #expect(sibling?.code == .refused)
        let stranger = try await Stranger(to: port)
        stranger.say(Array("GET / HTTP/1.1\r\n\r\n".utf8))
        #expect(await eventually { stranger.isClosed })
        try await waiting.reach().close()
        try await waiting.link().close()
    }

    @Test("a driver's own door is no agent, and says so")
    func drivers() async throws {
        let house = try await House()
        let launch = try house.expect()
        let error = await #expect(throws: JoinError.self) {
            try await Dialer.reach(["127.0.0.1"], port: house.listener.port, launch, buildID: House.buildID)
        }
        #expect(error?.code == .refused)
        #expect(error?.description.contains("it says that it is driver, where the agent should be") == true)
        #expect(await house.refused(.wrongRole))
        // And its place is still there.
        try await house.join(launch).close()
        await house.listener.close()
    }

    @Test("what sends back what it hears is no driver and no agent, without the key and with it")
    func mirrors() async throws {
        let launch = LaunchKeys.Launch(identity: .random(), key: .random(), role: .agent)
        for (server, code) in [(try await mirror(), JoinError.Code.notProven), (try await mirror(launch), .refused)] {
            let port = try #require(server.localAddress?.port)
            let driver = await #expect(throws: JoinError.self) {
                try await Dialer.reach(["127.0.0.1"], port: port, launch, buildID: House.buildID)
            }
            #expect(driver?.code == code, "\(String(describing: driver))")
            let agent = await #expect(throws: JoinError.self) {
                try await Dialer.join(["127.0.0.1"], port: port, as: launch, buildID: House.buildID)
            }
            #expect(agent?.code == code, "\(String(describing: agent))")
            try await server.close()
        }
    }

    @Test("each side's greeting is refused by every other reading of it")
    func roles() throws {
        let build: [UInt8] = [1, 2]
        for role in JoinRole.allCases {
            for direction in JoinDirection.allCases {
                let (listening, dialling) = direction.parties(role)
                let greeting = Greeting(dialling, to: listening, buildID: build)
                #expect(greeting.objection(dialling, to: listening, buildID: build) == nil)
                #expect(greeting.objection(listening, to: dialling, buildID: build)?.kind == .wrongRole)
                // Sent on to one who waits for the same, and is something else.
                let other = Party.joining(role == .agent ? .worker : .agent)
                let elsewhere = greeting.objection(dialling, to: other, buildID: build)
                #expect(elsewhere?.kind == .wrongRole)
                let answer = GreetingAnswer(listening, buildID: build, reason: nil)
                #expect(answer.objection(listening, buildID: build) == nil)
                #expect(answer.objection(dialling, buildID: build)?.contains("says that it is") == true)
                // A greeting that comes back is no answer.
                let back = try? GreetingAnswer(wireBytes: greeting.wireBytes())
                #expect(back?.objection(listening, buildID: build) != nil || back == nil)
            }
        }
        var hostile = Greeting(.driver, to: .driver, buildID: build)
        hostile.role = "\u{1b}[2J"
        let reason = hostile.objection(.driver, to: .joining(.agent), buildID: build)?.reason
        #expect(reason?.contains("something unknown") == true)
    }

    @Test("where nobody comes until the deadline, the error says where and who came instead")
    func deadline() async throws {
        let alone = Waiting(try file(), within: .milliseconds(100))
        let nobody = await alone.failure()
        #expect(nobody?.code == .notReached)
        let port = await alone.port.get()
        #expect(nobody?.description.contains("to 127.0.0.1 port \(port) in 0.1 seconds; nobody has") == true)
        let visited = Listener.noDriver(
            at: ["10.0.0.7", "fd00::7"], port: 9, after: .seconds(5), [.silent: 1, .wrongKey: 3, .notTLS: 2])
        let words = "fd00::7 port 9 in 5.0 seconds; others came (wrong key: 3, no TLS: 2, said nothing: 1)."
        #expect(visited.description.contains(words), "\(visited)")
    }

    @Test("waiting ends when its task is cancelled, and leaves the port free")
    func cancellation() async throws {
        let waiting = Waiting(try file(["127.0.0.78"]))
        let port = await waiting.port.get()
        waiting.cancel()
        #expect(await waiting.failure()?.description.contains("cancelled") == true)
        let again = Waiting(try file(["127.0.0.78"], port: port))
        #expect(await again.port.get() == port)
        again.cancel()
        _ = await again.failure()
    }

    @Test("one driver is let in: of two, the second is refused")
    func one() async throws {
        let waiting = Waiting(try file())
        let outcomes = await withTaskGroup { group in
            for _ in 0..<2 {
                group.addTask {
                    var options = Dialer.Options()
                    options.patience = .seconds(2)
                    return try? await Dialer.reach(
                        ["127.0.0.1"], port: await waiting.port.get(), waiting.file.launch, buildID: House.buildID,
                        options: options)
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.count { $0 != nil } == 1)
        try await waiting.link().close()
    }

    @Test("a file for the other direction, an expired one and an address that is none are refused")
    func files() async throws {
        let dialling = try JoinFile(
            addresses: ["127.0.0.1"], port: 1, launch: try file().launch, buildID: House.buildID, expiry: 1 << 40)
        let direction = await Waiting(dialling).failure()
        #expect(direction?.code == .badFile && direction?.description.contains("\"direction listen\"") == true)
        let listening = await #expect(throws: JoinError.self) {
            try await Dialer.join(try file(port: 1), buildID: House.buildID)
        }
        #expect(listening?.code == .badFile && listening?.description.contains("waits for its driver") == true)
        let expired = await #expect(throws: JoinError.self) {
            try await Listener.awaitDriver(try file(expiry: 1_700_000_000), buildID: House.buildID)
        }
        #expect(expired?.description.contains("has expired") == true)
        let nowhere = await Waiting(try file(["no-such-card0"])).failure()
        #expect(nowhere?.code == .cannotListen && nowhere?.description.contains("lo (127.0.0.1") == true)
    }
}
