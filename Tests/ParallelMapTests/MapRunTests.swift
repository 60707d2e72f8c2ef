import ClusterRuntime
import Placement
import Scheduling
import Synchronization
import Testing
import Transport
import Wire

@testable import ParallelMap
@testable import Remote

/// A link that keeps the calls it is sent.
private final class FakeLink: Link {
    private let sent = Mutex<[UInt64]>([])
    var calls: [UInt64] { sent.withLock { $0 } }
    let lastHeard = 0.0

    func start(onFrame: @escaping @Sendable (inout WireReader) -> Void, onEnd: @escaping @Sendable (LinkError?) -> Void)
    {}
    func close() {}

    func send(_ bytes: RawSpan, _ blocks: [SharedArray<UInt8>]) throws(LinkError) {
        var reader = WireReader(bytes)
        guard let message = try? reader.read() as Message else { throw .closed }
        if case .call(let call) = message { sent.withLock { $0.append(call.id) } }
    }
}

private final class FakeWorker: LaunchedWorker {
    let fake = FakeLink()
    var link: any Link { fake }
    let host = "n"
    let process = 1
    let placement: PlacementPlan.Worker? = nil
    let warnings: [String] = []

    func adopt(
        as id: WorkerID, heartbeatLimit: Duration, onFrame: @escaping @Sendable (inout WireReader) -> Void,
        onEnd: @escaping @Sendable (LinkError?) -> Void
    ) async {}
    func end() async -> WorkerEnd { WorkerEnd(cause: .removed) }
    func kill() {}
}

/// A map over workers that do what the test says.
private struct FakeMap {
    let workers: [FakeWorker]
    let members: [Member]
    private let results: PlainResults<Int>
    let map: MapRun

    init(workers count: Int, elements: Int, handling: FailureHandling<Int> = FailureHandling()) throws {
        let workers = (0..<count).map { _ in FakeWorker() }
        self.workers = workers
        members = workers.enumerated().map { Member(id: WorkerID($0.offset + 2), launched: $0.element) }
        results = PlainResults(count: elements)
        map = MapRun(
            ArrayInput(Array(0..<elements)), count: elements, to: results,
            function: try RemoteFunction { (x: Int) in x }.reference, captures: nil, batchSize: 1, retries: 2,
            judge: handling, callSite: CallSite(file: "f", line: 1))
    }

    /// Runs the map to its end.
    func run(_ members: [Member]) async throws -> [Int] {
        map.begin(members)
        try await map.end()
        return results.collect()
    }

    func die(_ worker: Int) {
        let id = WorkerID(worker + 2)
        members[worker].fail(WorkerExited(worker: id, host: "n", end: WorkerEnd(cause: .exited(status: 1))))
    }

    func answer(_ worker: Int, call: UInt64, _ outputs: [Int]) throws {
        var body = WireWriter()
        BatchReply(outputs: outputs).write(to: &body)
        let bytes = try Message.reply(call: call).wireBytes() + body.finish()
        var reader = WireReader(bytes.span)
        members[worker].receive(&reader)
    }

    /// Waits until a worker has been sent so many calls.
    func calls(_ worker: Int, _ count: Int) async throws -> [UInt64] {
        let deadline = ContinuousClock.now + .seconds(60)
        while workers[worker].fake.calls.count < count {
            try #require(ContinuousClock.now < deadline, "worker \(worker) was not sent \(count) calls")
            await Task.yield()
        }
        return workers[worker].fake.calls
    }
}

@Suite("MapRun")
struct MapRunTests {
    @Test("a worker that ended with nothing to do is given nothing, and no element is blamed for its end")
    func idleDeath() async throws {
        let fake = try FakeMap(workers: 4, elements: 4)
        let results = Task { try await fake.run(fake.members) }
        for worker in 0..<4 { _ = try await fake.calls(worker, 1) }
        for worker in 0..<3 { try fake.answer(worker, call: fake.workers[worker].fake.calls[0], [worker]) }
        // Three have nothing to do when they end. The fourth ends with the last element.
        for worker in 0..<2 { fake.die(worker) }
        fake.die(3)
        let calls = try await fake.calls(2, 2)
        #expect(fake.workers[0].fake.calls.count == 1 && fake.workers[1].fake.calls.count == 1)
        try fake.answer(2, call: calls[1], [3])
        #expect(try await results.value == [0, 1, 2, 3])
    }

    @Test("an answer with too many or too few results ends the map", arguments: [[], [1, 2]])
    func wrongCount(outputs: [Int]) async throws {
        let fake = try FakeMap(workers: 1, elements: 1)
        let results = Task { try await fake.run(fake.members) }
        let calls = try await fake.calls(0, 1)
        try fake.answer(0, call: calls[0], outputs)
        let error = await #expect(throws: ClusterError.self) { try await results.value }
        #expect(error?.code == .refused)
    }

    @Test("who joins is given elements, once")
    func joins() async throws {
        let fake = try FakeMap(workers: 2, elements: 3)
        let results = Task { try await fake.run([fake.members[0]]) }
        let first = try await fake.calls(0, 2)
        fake.map.join(fake.members[1])
        fake.map.join(fake.members[1])
        fake.map.join(fake.members[0])
        let second = try await fake.calls(1, 1)
        #expect(second.count == 1)
        try fake.answer(1, call: second[0], [2])
        try fake.answer(0, call: first[1], [1])
        try fake.answer(0, call: first[0], [0])
        #expect(try await results.value == [0, 1, 2])
    }

    @Test("workers that end one after the other leave an error with the last one's end")
    func allEnd() async throws {
        let fake = try FakeMap(workers: 2, elements: 9)
        let results = Task { try await fake.run(fake.members) }
        for worker in 0..<2 { _ = try await fake.calls(worker, 2) }
        fake.die(0)
        fake.die(1)
        let error = await #expect(throws: ClusterError.self) { try await results.value }
        #expect(error?.code == .noWorkers && error?.lastWorker?.worker == 3)
    }

    @Test("a stopped map takes an answer whose failures are none of the batch's, or twice the same")
    func confusedFailures() async throws {
        let workers = (0..<2).map { _ in FakeWorker() }
        let members = workers.enumerated().map { Member(id: WorkerID($0.offset + 2), launched: $0.element) }
        let input = ArrivingInput<Int>()
        for element in 0..<6 { input.append([element]) }
        let map = MapRun(
            input, count: nil, to: RunResults<Int>(), function: try RemoteFunction { (x: Int) in x }.reference,
            captures: nil, batchSize: 3, retries: 2, judge: FailureHandling<Int>(),
            callSite: CallSite(file: "f", line: 1))
        map.supply(6)
        map.begin(members)
        func fail(_ worker: Int, _ indices: [Int], outputs: [Int] = []) throws {
            let failures = indices.map { IndexedFailure(index: $0, failure: RemoteFailure(CancellationError())) }
            var body = WireWriter()
            BatchReply(outputs: outputs, failures: failures).write(to: &body)
            let bytes = try Message.reply(call: workers[worker].fake.calls[0]).wireBytes() + body.finish()
            var reader = WireReader(bytes.span)
            members[worker].receive(&reader)
        }
        try fail(1, [0], outputs: [4, 5])
        try fail(0, [2, 0, 2, 0, -1, 2, 9])
        await #expect(throws: MapError.self) { try await map.end() }
    }

    @Test("a map that stays in this process ends with its cluster", .timeLimit(.minutes(1)))
    func localMapOfClosedCluster() async throws {
        let cluster = Cluster(heartbeatLimit: .seconds(15))
        let outcome = Eventual<String>()
        Task {
            do {
                _ = try await cluster.pmap(0..<3, distributed: false) { number in
                    try await Task.sleep(for: .seconds(3600))
                    return number
                }
            } catch { outcome.fulfil("\((error as? ClusterError)?.code == .closed)") }
        }
        while try cluster.localMembers.allSatisfy({ $0.pendingCount == 0 }) {
            try Task.checkCancellation()
            await Task.yield()
        }
        await cluster.close()
        Task {
            try await Task.sleep(for: .seconds(5))
            outcome.fulfil("still waiting")
        }
        #expect(await outcome.get() == "true")
        await #expect(throws: ClusterError.closed) { try await cluster.pmap(0..<3, distributed: false) { $0 } }
    }

    @Test("a stream that may not read ahead at all is refused, it would never begin")
    func noReadAhead() async {
        await #expect(processExitsWith: .failure) {
            _ = try Cluster(heartbeatLimit: .seconds(15)).pmapStream(0..<3, readAhead: 0, body: { $0 })
        }
    }
}
