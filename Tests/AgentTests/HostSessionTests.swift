import Placement
import Synchronization
import Testing
import Transport
import Wire

@testable import Agent

/// A worker that is none: it answers what it is told with the same bytes and blocks.
private final class EchoWorker: HostedWorker, Link {
    private struct State {
        var onFrame: (@Sendable (inout WireReader) -> Void)?
        var told: [[UInt8]] = []
    }

    private let state = Mutex(State())
    private let ended = Eventual<WorkerEnd>()
    private let canSucceed: Bool

    init(canSucceed: Bool = true) { self.canSucceed = canSucceed }

    var link: any Link { self }
    var told: [[UInt8]] { state.withLock { $0.told } }
    let description = WorkerDescription(
        hello: Hello(process: 1, host: "here", buildID: [], cpus: [], memory: nil), placement: nil, warnings: [])

    func adopt(
        as id: Int, heartbeatLimit: Double, onFrame: @escaping @Sendable (inout WireReader) -> Void,
        onEnd: @escaping @Sendable (LinkError?) -> Void
    ) async {
        state.withLock { $0.onFrame = onFrame }
    }

    func end() async -> WorkerEnd { await ended.get() }
    func kill(because cause: WorkerEnd.Cause) { die(cause) }
    func die(_ cause: WorkerEnd.Cause) { ended.fulfil(WorkerEnd(cause: cause, standardErrorTail: "its last words")) }
    func again() async throws -> (any HostedWorker)? { canSucceed ? EchoWorker() : nil }
    func leavePlace() async {}

    var lastHeard: Double { monotonicSeconds() }
    func close() {}
    func start(
        onFrame: @escaping @Sendable (inout WireReader) -> Void, onEnd: @escaping @Sendable (LinkError?) -> Void
    ) {}

    func send(_ bytes: RawSpan, _ blocks: [SharedArray<UInt8>]) throws(LinkError) {
        let copy = unsafe bytes.withUnsafeBytes { unsafe Array($0) }
        let onFrame = state.withLock { state in
            state.told.append(copy)
            return state.onFrame
        }
        var reader = WireReader(unsafe copy.span.bytes, from: 0, blocks: blocks.span)
        onFrame?(&reader)
    }
}

private struct EchoWorkers: WorkerSource {
    let workers: [EchoWorker]
    var failure: LaunchError?

    func start(
        _ request: HostRequest, output: @escaping @Sendable (_ line: [UInt8], _ worker: Int, _ stream: CInt) -> Void,
        note: @escaping @Sendable (String) -> Void, ready: @Sendable (any HostedWorker) async throws -> Void
    ) async throws {
        note("a note")
        for worker in workers { try await ready(worker) }
        if let failure {
            for worker in workers { worker.kill() }
            throw failure
        }
    }
}

/// A driver's and an agent's end, joined in memory.
private final class Pairing: Sendable {
    let connection: HostConnection
    let session: HostSession
    let driversLink: LinkPair
    let events = Mutex<[HostEvent]>([])

    private final class Events: Sendable {
        let handler = Eventual<@Sendable (HostEvent) -> Void>()
    }

    init(_ source: some WorkerSource, address: String? = nil, network: (any PeerNetwork)? = nil) {
        let (driver, agent) = LinkPair.make()
        driversLink = driver
        let events = Events()
        connection = HostConnection(driver, address: address, heartbeatLimit: 5) { event in
            events.handler.whenHere { $0(event) }
        }
        session = HostSession(
            agent, source, HostDescription(host: "there", process: 1, usableCPUCount: 2, offer: nil), network: network,
            welcomeLimit: 600)
        events.handler.fulfil { [self] event in self.events.withLock { $0.append(event) } }
        session.start()
    }

    func launch(restarts: Int = 0) async throws -> [HostWorker] {
        _ = try await connection.start()
        var request = HostRequest(.unbound(count: 1))
        request.restarts = RestartLimit(perMinute: restarts)
        var workers: [HostWorker] = []
        try await connection.launch(request) { workers.append($0) }
        return workers
    }

    func has(_ isIt: @Sendable (HostEvent) -> Bool) -> Bool { events.withLock { $0.contains(where: isIt) } }
}

/// Looks until something is so, and says whether it became so.
private func eventually(_ condition: () -> Bool) async -> Bool {
    let end = ContinuousClock.now + .seconds(60)
    while !condition() {
        guard ContinuousClock.now < end else { return false }
        try? await Task.sleep(for: .milliseconds(1))
    }
    return true
}

/// Takes what a worker says.
private final class Ear: Sendable {
    private let state = Mutex<[([UInt8], [[UInt8]])]>([])
    let end = Eventual<LinkError?>()
    var heard: [([UInt8], [[UInt8]])] { state.withLock { $0 } }

    func listen(to worker: HostWorker, as id: Int) {
        worker.adopt(as: id) { [self] frame in
            let bytes = unsafe frame.rest.withUnsafeBytes { unsafe Array($0) }
            let blocks = frame.restOfBlocks.map { unsafe $0.span.withUnsafeBufferPointer { unsafe Array($0) } }
            state.withLock { $0.append((bytes, blocks)) }
        } onEnd: { [self] error in
            end.fulfil(error)
        }
    }
}

private func block(_ count: Int, _ byte: UInt8) -> SharedArray<UInt8> {
    SharedArray([UInt8](repeating: byte, count: count))
}

extension HostWorker {
    fileprivate func tell(_ bytes: [UInt8], _ blocks: [SharedArray<UInt8>] = []) throws {
        try send(unsafe bytes.span.bytes, blocks)
    }
}

@Suite("A host's workers behind one link")
struct HostSessionTests {
    @Test("what is said to each worker comes to it alone, in order, and so do the answers")
    func frames() async throws {
        let echoes = [EchoWorker(), EchoWorker()]
        let pairing = Pairing(EchoWorkers(workers: echoes))
        let workers = try await pairing.launch()
        let ears = [Ear(), Ear()]
        for (index, worker) in workers.enumerated() {
            ears[index].listen(to: worker, as: 2 + index)
            // Before anybody can know whether it has its number.
            for byte: UInt8 in 0..<100 { try worker.tell([8, UInt8(index), byte], [block(20_000, byte)]) }
        }
        #expect(await eventually { ears.allSatisfy { $0.heard.count == 100 } })
        for index in 0..<2 {
            #expect(ears[index].heard.map(\.0) == (0..<100).map { [8, UInt8(index), $0] })
            #expect(ears[index].heard.allSatisfy { $0.1 == [[UInt8](repeating: $0.0[2], count: 20_000)] })
            #expect(echoes[index].told.count == 100)
        }
        #expect(pairing.has { if case .note("there: a note") = $0 { true } else { false } })
    }

    @Test("a block that workers share crosses once, and is dropped with the last that has it")
    func shared() async throws {
        let pairing = Pairing(EchoWorkers(workers: [EchoWorker(), EchoWorker()]))
        let workers = try await pairing.launch()
        let ears = [Ear(), Ear()]
        for (index, worker) in workers.enumerated() { ears[index].listen(to: worker, as: 2 + index) }
        let large = block(1 << 21, 7)
        let before = pairing.driversLink.sentByteCount
        var kept = try workers[0].share([large])
        #expect(try workers[1].share(kept).count == 1)
        for worker in workers { for _ in 0..<5 { try worker.tell([8], kept) } }
        #expect(await eventually { ears.allSatisfy { $0.heard.count == 5 } })
        #expect(ears.allSatisfy { $0.heard.allSatisfy { $0.1 == [[UInt8](repeating: 7, count: 1 << 21)] } })
        #expect(pairing.driversLink.sentByteCount - before < (1 << 21) + 10_000)
        // Heartbeats go the same way, so that a drop is what is looked for.
        let sent = pairing.driversLink.sentByteCount
        kept = []
        #expect(pairing.driversLink.sentByteCount > sent, "the host is told")
        _ = kept
    }

    @Test("a worker that dies is reported, with its last words, and has a successor")
    func successor() async throws {
        let echo = EchoWorker()
        let pairing = Pairing(EchoWorkers(workers: [echo]))
        let worker = try await pairing.launch(restarts: 1)[0]
        let ear = Ear()
        ear.listen(to: worker, as: 2)
        echo.die(.signalled(11))
        let end = await worker.end.get()
        #expect(end.cause == .signalled(11) && end.standardErrorTail == "its last words")
        #expect(await ear.end.get() == nil)
        #expect(await eventually { pairing.has { if case .newcomer = $0 { true } else { false } } })
        let newcomer = pairing.events.withLock { events in
            events.compactMap { if case .newcomer(let worker) = $0 { worker } else { nil } }.first
        }
        let ears = Ear()
        ears.listen(to: try #require(newcomer), as: 3)
        try newcomer?.tell([8, 1])
        #expect(await eventually { ears.heard.count == 1 })
        #expect(throws: LinkError.self) { try worker.tell([8]) }
    }

    @Test("a worker that the driver ends for a reason has a successor; one that is not wanted any more has none")
    func ended() async throws {
        let pairing = Pairing(EchoWorkers(workers: [EchoWorker()]))
        let worker = try await pairing.launch(restarts: 1)[0]
        worker.kill(because: .unresponsive(seconds: 0.25))
        #expect(await worker.end.get().cause == .unresponsive(seconds: 0.25))
        #expect(await eventually { pairing.has { if case .newcomer = $0 { true } else { false } } })
        let newcomer = pairing.events.withLock { events in
            events.compactMap { if case .newcomer(let worker) = $0 { worker } else { nil } }.first
        }
        try #require(newcomer).kill()
        #expect(await newcomer?.end.get().cause == .removed)
        #expect(await pairing.session.end.get() == .dismissed)
    }

    @Test("one that can't succeed another is told, and a host without workers is dismissed")
    func noSuccessor() async throws {
        let echo = EchoWorker(canSucceed: false)
        let pairing = Pairing(EchoWorkers(workers: [echo]))
        let worker = try await pairing.launch(restarts: 1)[0]
        echo.die(.exited(status: 3))
        #expect(await worker.end.get().cause == .exited(status: 3))
        #expect(await eventually { pairing.has { if case .notReplaced = $0 { true } else { false } } })
        #expect(await pairing.session.end.get() == .dismissed)
    }

    @Test("what a host can't do is an error with its reason; its workers are gone")
    func failure() async throws {
        let pairing = Pairing(EchoWorkers(workers: [EchoWorker()], failure: LaunchError("no licence")))
        let error = await #expect(throws: HostError.self) { try await pairing.launch() }
        #expect(error?.description == "on there: no licence")
    }

    @Test("when the driver is gone, workers end and the session says so")
    func driverGone() async throws {
        let echo = EchoWorker()
        let pairing = Pairing(EchoWorkers(workers: [echo]))
        _ = try await pairing.launch()
        pairing.driversLink.close()
        #expect(await pairing.session.end.get() == .lost("the driver closed the link"))
        #expect(await echo.end().cause == .removed)
    }

    @Test("a driver that never says a word is given up")
    func muteDriver() async throws {
        let (driver, agent) = LinkPair.make()
        driver.start { _ in
        } onEnd: { _ in
        }
        let session = HostSession(
            agent, EchoWorkers(workers: []), HostDescription(host: "h", process: 1, usableCPUCount: 1, offer: nil),
            welcomeLimit: 0.05)
        session.start()
        #expect(await session.end.get() == .lost("the driver said nothing within 0 s"))
    }

    @Test("when the agent is gone, its workers are lost, and it is said how")
    func agentGone() async throws {
        let pairing = Pairing(EchoWorkers(workers: [EchoWorker()]))
        let worker = try await pairing.launch()[0]
        let ear = Ear()
        ear.listen(to: worker, as: 2)
        pairing.connection.close()
        #expect(await worker.end.get().cause == .lost("its agent ended"))
        await #expect(throws: HostError.self) { try await pairing.connection.launch(.ofHost()) { (_: HostWorker) in } }
    }

    @Test("what is no message ends the link, on either side")
    func garbage() async throws {
        let (driver, agent) = LinkPair.make()
        let session = HostSession(
            agent, EchoWorkers(workers: []), HostDescription(host: "h", process: 1, usableCPUCount: 1, offer: nil))
        session.start()
        driver.start { _ in
        } onEnd: { _ in
        }
        try driver.send(unsafe ([99] as [UInt8]).span.bytes, [])
        guard case .lost(let reason) = await session.end.get() else {
            Issue.record("it goes on")
            return
        }
        #expect(reason.contains("no message"))

        let (mine, theirs) = LinkPair.make()
        let connection = HostConnection(mine, heartbeatLimit: 5) { _ in }
        theirs.start { _ in
        } onEnd: { _ in
        }
        try theirs.send(unsafe ([1, 2, 3] as [UInt8]).span.bytes, [])
        await #expect(throws: LinkError.self) { try await connection.start() }
    }
}

/// Agents that reach each other in memory.
private final class MemoryPeers: PeerNetwork {
    static let waiting = Mutex<[String: @Sendable (any Link) -> Void]>([:])
    let isReachable: Bool

    init(isReachable: Bool) { self.isReachable = isReachable }

    func admit(_ secret: PairSecret, onJoin: @escaping @Sendable (any Link) -> Void) async throws -> Int {
        MemoryPeers.waiting.withLock { $0[secret.identity] = onJoin }
        return 1
    }

    func dial(_ address: String, port: Int, _ secret: PairSecret) async throws -> any Link {
        guard isReachable else { throw LinkError.closed }
        let (one, other) = LinkPair.make()
        MemoryPeers.waiting.withLock { $0.removeValue(forKey: secret.identity) }?(other)
        return one
    }
}

/// Agents that reach each other, by links over which nothing comes, not even an end.
private struct MutePeers: PeerNetwork {
    static let links = Mutex<[LinkPair]>([])

    func admit(_ secret: PairSecret, onJoin: @escaping @Sendable (any Link) -> Void) async throws -> Int { 1 }

    func dial(_ address: String, port: Int, _ secret: PairSecret) async throws -> any Link {
        let (one, other) = LinkPair.make()
        MutePeers.links.withLock { $0.append(other) }
        return one
    }
}

@Suite("Blocks that go from host to host")
struct BlockDistributionTests {
    @Test(
        "the driver sends two copies, whatever the number of hosts; where hosts can't reach each other, one for each",
        arguments: [true, false])
    func tree(isReachable: Bool) async throws {
        let pairings = (0..<9).map { _ in
            Pairing(
                EchoWorkers(workers: [EchoWorker()]), address: "10.0.0.7",
                network: MemoryPeers(isReachable: isReachable))
        }
        var workers: [HostWorker] = []
        var ears: [Ear] = []
        for (index, pairing) in pairings.enumerated() {
            workers += try await pairing.launch()
            ears.append(Ear())
            ears[index].listen(to: workers[index], as: 2 + index)
        }
        let large = block(1 << 21, 9)
        let kept = try workers.map { try $0.share([large]) }
        for (worker, blocks) in zip(workers, kept) { try worker.tell([8], blocks) }
        #expect(await eventually { ears.allSatisfy { $0.heard.count == 1 } })
        #expect(ears.allSatisfy { $0.heard[0].1 == [[UInt8](repeating: 9, count: 1 << 21)] })
        let copies = pairings.map { $0.driversLink.sentByteCount >> 21 }.reduce(0, +)
        #expect(copies == (isReachable ? 2 : 9))
        _ = kept
    }

    @Test("what a host that is gone was to pass on comes from the driver, though its link to the other has not ended")
    func senderGone() async throws {
        // Links between them are made, and nothing goes over them: as from a host that has lost its power.
        let pairings = (0..<3).map { _ in
            Pairing(EchoWorkers(workers: [EchoWorker()]), address: "10.0.0.7", network: MutePeers())
        }
        var workers: [HostWorker] = []
        var ears: [Ear] = []
        for (index, pairing) in pairings.enumerated() {
            workers += try await pairing.launch()
            ears.append(Ear())
            ears[index].listen(to: workers[index], as: 2 + index)
        }
        let large = block(1 << 21, 5)
        let kept = try workers.map { try $0.share([large]) }
        try workers[2].tell([8], kept[2])
        #expect(await eventually { MutePeers.links.withLock { !$0.isEmpty } })
        try await Task.sleep(for: .milliseconds(50))
        #expect(ears[2].heard.isEmpty)
        for pairing in pairings[..<2] { pairing.connection.close() }
        #expect(await eventually { ears[2].heard.count == 1 })
        _ = kept
    }

    @Test("a host whose link has ended is given no blocks, and not kept")
    func ended() async throws {
        let pairing = Pairing(EchoWorkers(workers: [EchoWorker()]))
        let worker = try await pairing.launch()[0]
        pairing.connection.close()
        _ = await worker.end.get()
        let distribution = BlockDistribution()
        #expect(throws: LinkError.self) { try distribution.put(block(100, 1), on: pairing.connection) }
        #expect(distribution.hostCount == 0)
    }

    @Test("small ones all come from the driver")
    func small() async throws {
        let pairings = (0..<4).map { _ in
            Pairing(EchoWorkers(workers: [EchoWorker()]), address: "10.0.0.7", network: MemoryPeers(isReachable: true))
        }
        let one = block(100_000, 1)
        var kept: [[SharedArray<UInt8>]] = []
        for pairing in pairings { kept.append(try await pairing.launch()[0].share([one])) }
        #expect(pairings.allSatisfy { $0.driversLink.sentByteCount > 100_000 })
    }
}
