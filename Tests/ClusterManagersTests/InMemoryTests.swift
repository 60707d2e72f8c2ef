import ClusterRuntime
import ParallelMap
import Remote
import Scheduling
import Synchronization
import Testing
import Transport
import Wire

@testable import ClusterManagers

/// One worker at the other end of a link that the test has in its hands.
private final class OneLink: ClusterManager {
    let near: MemoryLink
    let far: MemoryLink

    init(_ conditions: MemoryLink.Conditions = .init(), back: MemoryLink.Conditions? = nil) {
        (near, far) = MemoryLink.pair(conditions, back: back)
    }

    func launch(_ site: LaunchSite) async throws {
        let far = far
        Task { await Worker.serve(over: far) }
        try await site.add(try await LinkedWorker.greeted(over: near))
    }
}

/// A cluster that is closed at the end, however that comes.
private func withCluster(
    _ manager: some ClusterManager, heartbeatLimit: Duration = .seconds(15), _ body: (Cluster) async throws -> Void
) async throws {
    let cluster = Cluster(heartbeatLimit: heartbeatLimit)
    do {
        try await cluster.addWorkers(manager)
        try await body(cluster)
    } catch {
        await cluster.close()
        throw error
    }
    await cluster.close()
}

/// Not private: it travels by its name.
struct Trouble: Error, Codable, Equatable {
    var number: Int
}

/// Set when the body of the test of cancellation was cancelled.
private let hasBegun = Eventual<Void>()
private let wasCancelled = Eventual<Void>()
/// What bodies wait for.
private let gate = Eventual<Void>()
private let silenceBegan = Eventual<Void>()

@Suite("A cluster in memory")
struct InMemoryTests {
    @Test("maps and calls as one of processes does, with workers of their own numbers")
    func works() async throws {
        try await withCluster(.inMemory(4)) { cluster async throws in
            #expect(cluster.workers == [2, 3, 4, 5])
            #expect(try await cluster.pmap(1...100) { $0 * $0 } == (1...100).map { $0 * $0 })
            let table = [Double](repeating: 2, count: 100_000)
            let sums = try await cluster.pmap(0..<8, capturing: table) { i, table in table.reduce(Double(i), +) }
            #expect(sums == (0..<8).map { Double($0) + 200_000 })
            for worker in cluster.workers {
                #expect(try await cluster.remoteCallFetch(on: worker) { Worker.id } == worker)
            }
            let (sum, name) = try await cluster.remoteCallFetch(on: 3, capturing: 3, "x") { x, y in (x + 1, y + "y") }
            #expect(sum == 4 && name == "xy")
            let host = try await cluster.remoteCallFetch {
                await Task.yield()
                return hostName()
            }
            #expect(host == hostName())
        }
    }

    @Test("maps that are given no pool have the one that was set, until all workers are again")
    func defaultPool() async throws {
        try await withCluster(.inMemory(3)) { cluster async throws in
            let all = cluster.defaultPool
            cluster.defaultPool = WorkerPool([4])
            #expect(Set(try await cluster.pmap(0..<20, batchSize: 1) { _ in Worker.id }) == [4])
            #expect(Set(try await cluster.pmap(0..<20, pool: WorkerPool([2]), batchSize: 1) { _ in Worker.id }) == [2])
            cluster.defaultPool = WorkerPool()
            let none = await #expect(throws: ClusterError.self) { try await cluster.pmap(0..<2) { $0 } }
            #expect(none?.code == .noWorkers)
            cluster.defaultPool = all
            #expect(try await cluster.pmap(0..<20) { $0 } == Array(0..<20))
        }
    }

    @Test("errors of bodies come back, with the worker and the error itself")
    func errors() async throws {
        try await withCluster(.inMemory(2)) { cluster async throws in
            let error = await #expect(throws: RemoteError.self) {
                try await cluster.remoteCallFetch(on: 3) { throw Trouble(number: 7) }
            }
            #expect(error?.worker == 3 && error?.underlying as? Trouble == Trouble(number: 7))
            let failure = await #expect(throws: MapError.self) {
                try await cluster.pmap(0..<10) { if $0 == 5 { throw Trouble(number: $0) } }
            }
            #expect(failure?.indices == [5])
        }
    }

    @Test("a call that is cancelled is cancelled in the worker")
    func cancellation() async throws {
        try await withCluster(.inMemory(1)) { cluster async throws in
            let call = Task {
                try await cluster.remoteCallFetch {
                    hasBegun.fulfil(())
                    await withTaskCancellationHandler {
                        await wasCancelled.get()
                    } onCancel: {
                        wasCancelled.fulfil(())
                    }
                }
            }
            await hasBegun.get()
            call.cancel()
            await #expect(throws: CancellationError.self) { try await call.value }
            await wasCancelled.get()
            #expect(try await cluster.remoteCallFetch { 1 } == 1)
        }
    }

    @Test("a worker that gets lost in the middle of a map leaves its elements to the others", arguments: [3, 6, 20])
    func loss(frames: Int) async throws {
        try await withCluster(.inMemory([.init(), .init(lossAfter: frames)])) { cluster async throws in
            let squares = try await cluster.pmap(0..<200, batchSize: 1) { $0 * $0 }
            #expect(squares == (0..<200).map { $0 * $0 })
            #expect(cluster.workers == [2])
        }
    }

    @Test("a connection that is lost on demand fails the call with the reason")
    func lossOnDemand() async throws {
        let manager = OneLink()
        try await withCluster(manager) { cluster async throws in
            let call = Task { try await cluster.remoteCallFetch { await gate.get() } }
            while try cluster.member(2).pendingCount == 0 { await Task.yield() }
            #expect(cluster.worker(over: manager.near) == 2 && cluster.worker(over: manager.far) == nil)
            manager.near.lose("the cable was cut")
            let error = await #expect(throws: WorkerExited.self) { try await call.value }
            #expect(error?.end.cause == .lost("the cable was cut") && error?.worker == 2)
            let none = await #expect(throws: ClusterError.self) { try await cluster.pmap(0..<2) { $0 } }
            #expect(none?.code == .noWorkers)
        }
    }

    @Test("what a worker does not take is refused when it is too much; what it took is answered")
    func backPressure() async throws {
        let manager = OneLink(.init(capacity: 10_000))
        try await withCluster(manager) { cluster async throws in
            // The body is known there from here on.
            func call(_ bytes: [UInt8]) async throws -> Int {
                try await cluster.remoteCallFetch(on: 2, capturing: bytes) { $0.count }
            }
            #expect(try await call([1]) == 1)
            manager.far.pause()
            let first = Task { try await call([UInt8](repeating: 0, count: 6000)) }
            while try cluster.member(2).pendingCount == 0 { await Task.yield() }
            let full = await #expect(throws: LinkError.self) {
                while true {
                    // The first may not be on its way yet, though it is counted.
                    _ = try await Task.immediate { try await call([UInt8](repeating: 0, count: 6000)) }.value
                }
            }
            #expect(full?.code == .tooMuchWaiting)
            let large = await #expect(throws: LinkError.self) {
                try await call([UInt8](repeating: 0, count: 12_000))
            }
            #expect(large?.code == .frameTooLarge)
            manager.far.resume()
            #expect(try await first.value == 6000)
            #expect(try await call([1, 2]) == 2)
        }
    }

    @Test("an answer that its link does not take is a refusal, and the worker goes on")
    func largeAnswer() async throws {
        try await withCluster(OneLink(.init(), back: .init(capacity: 10_000))) { cluster async throws in
            let error = await #expect(throws: ClusterError.self) {
                try await cluster.remoteCallFetch(on: 2) { [UInt8](repeating: 1, count: 12_000) }
            }
            #expect(error?.code == .refused && error?.description.contains("12") == true)
            #expect(try await cluster.remoteCallFetch(on: 2) { 1 } == 1)
        }
    }

    @Test("a late link is waited for, there and back")
    func delay() async throws {
        try await withCluster(.inMemory(2, conditions: .init(delay: .milliseconds(30)))) { cluster async throws in
            let start = ContinuousClock.now
            #expect(try await cluster.pmap(0..<4) { $0 } == [0, 1, 2, 3])
            #expect(ContinuousClock.now - start >= .milliseconds(60))
        }
    }

    @Test("a worker that is not heard for too long counts as lost")
    func silence() async throws {
        let manager = OneLink()
        try await withCluster(manager, heartbeatLimit: .milliseconds(300)) { cluster async throws in
            let call = Task { try await cluster.remoteCallFetch { await silenceBegan.get() } }
            while try cluster.member(2).pendingCount == 0 { await Task.yield() }
            manager.near.pause()
            let error = await #expect(throws: WorkerExited.self) { try await call.value }
            if case .silent(let seconds) = error?.end.cause {
                #expect(seconds >= 0.3)
            } else {
                Issue.record("\(String(describing: error))")
            }
        }
    }

    @Test("a worker whose bodies hold every thread up is heard all the same")
    func busy() async throws {
        try await withCluster(.inMemory(8), heartbeatLimit: .seconds(1)) { cluster async throws in
            let ids = try await cluster.pmap(0..<8, batchSize: 1) { _ in
                let end = ContinuousClock.now + .milliseconds(400)
                while ContinuousClock.now < end {}
                return Worker.id
            }
            #expect(ids.count == 8 && cluster.workers.count == 8)
        }
    }
}

@Suite("LinkedWorker")
struct LinkedWorkerTests {
    @Test("what greets as another build of the program is refused, with both builds")
    func otherBuild() async throws {
        let (near, far) = MemoryLink.pair()
        try far.send(.hello(Hello(process: 1, host: "node7", buildID: [0xab, 0x0c], cpus: [], memory: nil)))
        let error = await #expect(throws: LinkError.self) { try await LinkedWorker.greeted(over: near) }
        #expect(error?.description.contains("ab0c") == true && error?.description.contains("node7") == true)
        #expect(error?.description.contains("\(BuildID.current)") == true)
        #expect(throws: LinkError.closed) { try far.send(.heartbeat) }
    }

    @Test("what talks nonsense is no worker")
    func nonsense() async throws {
        let (near, far) = MemoryLink.pair()
        try far.send(.shutdown)
        let error = await #expect(throws: LinkError.self) { try await LinkedWorker.greeted(over: near) }
        #expect(error?.description.contains("no worker") == true)
    }

    @Test("who does not greet in time is not waited for, nor after the task was cancelled, nor when the link ends")
    func noGreeting() async throws {
        let (near, _) = MemoryLink.pair()
        let late = await #expect(throws: LinkError.self) {
            try await LinkedWorker.greeted(over: near, within: .milliseconds(20))
        }
        #expect(late?.description.contains("0.02 seconds") == true)
        let (other, _) = MemoryLink.pair()
        let task = Task { try await LinkedWorker.greeted(over: other) }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        let (third, far) = MemoryLink.pair()
        far.close()
        await #expect(throws: LinkError.self) { try await LinkedWorker.greeted(over: third) }
    }

    @Test("what the manager says of it is there, and its process is ended with it")
    func details() async throws {
        let (near, far) = MemoryLink.pair()
        let serving = Task { await Worker.serve(over: far) }
        let killed = Eventual<Void>()
        let worker = try await LinkedWorker.greeted(
            over: near,
            .init(identity: "a", connectsTo: ["b"], warnings: ["w"], userData: 4711, kill: { killed.fulfil(()) }))
        #expect(worker.host == hostName() && worker.process == processID())
        #expect(worker.identity == "a" && worker.connectsTo == ["b"] && worker.warnings == ["w"])
        #expect(worker.details.userData as? Int == 4711 && worker.remainingTime == nil && worker.cpus == nil)
        worker.kill()
        await killed.get()
        #expect(await worker.end().cause == .removed)
        await serving.value
    }
}
