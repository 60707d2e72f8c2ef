import ClusterManagers
import Remote
import Synchronization
import Testing
import Transport

@testable import ClusterRuntime

/// Brings workers up one by one, as the test lets it.
private final class Slowly: ClusterManager {
    let turns: [Eventual<Bool>]

    init(_ count: Int) { turns = (0..<count).map { _ in Eventual() } }

    struct Refused: Error {}

    func launch(_ site: LaunchSite) async throws {
        for turn in turns {
            let isWanted = await withTaskCancellationHandler {
                await turn.get()
            } onCancel: {
                for turn in turns { turn.fulfil(false) }
            }
            try Task.checkCancellation()
            guard isWanted else { throw Refused() }
            try await InMemoryManager([.init()]).launch(site)
        }
    }
}

/// What the bodies of these tests wait for, each test by a number of its own.
private let gates = (0..<2).map { _ in Eventual<Void>() }

/// A cluster of workers in memory, which is closed at the end.
private func withCluster(_ count: Int, _ body: (Cluster) async throws -> Void) async throws {
    let cluster = Cluster(heartbeatLimit: .seconds(15))
    do {
        try await cluster.addWorkers(.inMemory(count))
        try await body(cluster)
    } catch {
        await cluster.close()
        throw error
    }
    await cluster.close()
}

@Suite("Workers that go")
struct WorkerRemovalTests {
    @Test("take no calls from when their removal is scheduled, and answer those they have")
    func scheduled() async throws {
        try await withCluster(2) { cluster async throws in
            let call = Task { try await cluster.remoteCallFetch(on: 2) { await gates[0].get() } }
            while try cluster.member(2).pendingCount == 0 { await Task.yield() }
            let removal = try cluster.scheduleRemoval([2])
            #expect(removal.workers == [2] && !removal.isDone)
            let refused = await #expect(throws: ClusterError.self) { try await cluster.remoteCallFetch(on: 2) { 1 } }
            #expect(refused?.code == .noSuchWorker)
            gates[0].fulfil(())
            await removal.wait()
            try await call.value
            #expect(removal.isDone && cluster.workers == [3])
            try await removal.wait(within: .zero)
        }
    }

    @Test("are named when they have not gone in time, and can be ended then")
    func late() async throws {
        try await withCluster(3) { cluster async throws in
            let call = Task { try await cluster.remoteCallFetch(on: 3) { await gates[1].get() } }
            while try cluster.member(3).pendingCount == 0 { await Task.yield() }
            let removal = try cluster.scheduleRemoval([2, 3])
            try await cluster.removeWorkers([4], within: .seconds(60))
            while cluster.workers != [3] { await Task.yield() }
            let error = await #expect(throws: ClusterError.self) { try await removal.wait(within: .milliseconds(10)) }
            #expect(error?.code == .stillThere)
            #expect(error?.description.contains("worker 3 is at work still, 0.01 seconds after") == true)
            removal.endNow()
            await removal.wait()
            let failed = await #expect(throws: ClusterError.self) { try await call.value }
            #expect(failed?.code == .noSuchWorker && cluster.workers == [])
            gates[1].fulfil(())
        }
    }

    @Test("must be there, all of them")
    func strangers() async throws {
        try await withCluster(1) { cluster async throws in
            #expect(throws: ClusterError.self) { try cluster.scheduleRemoval([2, 99]) }
            await #expect(throws: ClusterError.self) { try await cluster.removeWorkers([2, 99], within: .seconds(1)) }
            #expect(try await cluster.remoteCallFetch(on: 2) { 1 } == 1)
        }
    }
}

@Suite("Workers that come")
struct WorkerArrivalsTests {
    @Test("can be used while others are on their way, and are told to whoever asks, from the first on")
    func oneByOne() async throws {
        try await withCluster(0) { cluster async throws in
            let manager = Slowly(3)
            let arrivals = cluster.startWorkers(manager)
            var iterator = arrivals.makeAsyncIterator()
            manager.turns[0].fulfil(true)
            #expect(try await iterator.next() == 2)
            #expect(try await cluster.remoteCallFetch(on: 2) { 1 } == 1)
            let whole = Task { try await arrivals.all() }
            manager.turns[1].fulfil(true)
            #expect(try await iterator.next() == 3)
            manager.turns[2].fulfil(true)
            #expect(try await whole.value == [2, 3, 4])
            #expect(try await iterator.next() == 4)
            #expect(try await iterator.next() == nil)
            var again: [WorkerID] = []
            for try await worker in arrivals { again.append(worker) }
            #expect(again == [2, 3, 4])
        }
    }

    @Test("go again when the manager fails, which both ways of waiting tell")
    func failure() async throws {
        try await withCluster(0) { cluster async throws in
            let manager = Slowly(2)
            let arrivals = cluster.startWorkers(manager)
            var iterator = arrivals.makeAsyncIterator()
            manager.turns[0].fulfil(true)
            #expect(try await iterator.next() == 2)
            manager.turns[1].fulfil(false)
            await #expect(throws: Slowly.Refused.self) { try await arrivals.all() }
            await #expect(throws: Slowly.Refused.self) { try await iterator.next() }
            #expect(cluster.workers == [])
        }
    }

    @Test("end with the task that waits for them, and with their cluster", arguments: [true, false])
    func cancellation(bySequence: Bool) async throws {
        try await withCluster(0) { cluster async throws in
            let manager = Slowly(2)
            let arrivals = cluster.startWorkers(manager)
            manager.turns[0].fulfil(true)
            var iterator = arrivals.makeAsyncIterator()
            #expect(try await iterator.next() == 2)
            let waiting = Task {
                if bySequence {
                    for try await _ in arrivals {}
                } else {
                    _ = try await arrivals.all()
                }
            }
            waiting.cancel()
            await #expect(throws: CancellationError.self) { try await waiting.value }
            #expect(cluster.workers == [])
            let second = cluster.startWorkers(Slowly(1))
            await cluster.close()
            await #expect(throws: (any Error).self) { try await second.all() }
            let late = await #expect(throws: ClusterError.self) {
                try await cluster.startWorkers(Slowly(1)).all()
            }
            #expect(late?.code == .closed)
        }
    }
}

@Suite("What a cluster says of its processes")
struct ProcessesTests {
    @Test("the driver is one of the processes, and none of the workers")
    func counts() async throws {
        try await withCluster(2) { cluster async throws in
            #expect(cluster.processes == [1, 2, 3] && cluster.processCount == 3 && cluster.workerCount == 2)
            #expect(cluster.myID == .driver)
            #expect(try cluster.processes(onHostOf: 2) == [1, 2, 3])
            #expect(try cluster.processes(onHostOf: .driver) == [1, 2, 3])
            #expect(throws: ClusterError.self) { try cluster.processes(onHostOf: 9) }
        }
    }
}

@Suite("A cluster's own pool")
struct DefaultPoolTests {
    @Test("follows workers as they come and go, until another is set")
    func follows() async throws {
        try await withCluster(2) { cluster async throws in
            let own = cluster.defaultPool
            #expect(own.workers == [2, 3] && own.isReady)
            try await cluster.addWorkers(.inMemory(1))
            try await cluster.removeWorkers([2])
            #expect(own.workers == [3, 4] && own.count == 2)
            let set = WorkerPool([4])
            cluster.defaultPool = set
            #expect(cluster.defaultPool === set && cluster.poolOfMaps === set)
            cluster.defaultPool = own
            #expect(cluster.defaultPool === own && cluster.poolOfMaps == nil)
        }
    }

    @Test("is where functions run that are called like any other")
    func functions() async throws {
        try await withCluster(2) { cluster async throws in
            let square = cluster.remote { (x: Int) in x * x }
            #expect(try await square(3) == 9)
            let add = cluster.remote { (x: Int, y: Double) async in Double(x) + y }
            #expect(try await add(1, 0.5) == 1.5)
            let host = cluster.remote { hostName() }
            #expect(try await host() == hostName())
            let where_ = cluster.remote(WorkerPool([3])) { Worker.id }
            #expect(try await where_() == 3)
            let id = cluster.remote { Worker.id }
            cluster.defaultPool = WorkerPool([2])
            for _ in 0..<4 { #expect(try await id() == 2) }
            let hidden = 5
            let refused = cluster.remote { (x: Int) in x + hidden }
            await #expect(throws: BodyError.self) { try await refused(1) }
            #expect(cluster.defaultPool.isReady)
        }
    }

    @Test("is there in bodies too, and other pools are")
    func inBodies() async throws {
        try await withCluster(2) { cluster async throws in
            let other = try await cluster.remoteCallFetch(on: 2) {
                try await Worker.cluster.remoteCallFetch(on: WorkerPool([3])) { Worker.id }
            }
            #expect(other == 3)
            let (all, someone) = try await cluster.remoteCallFetch(on: 2) {
                let cluster = try await Worker.cluster
                let someone = try await cluster.remoteCallFetch(on: cluster.defaultPool) { Worker.id }
                return (cluster.defaultPool.workers, someone)
            }
            #expect(all == [2, 3] && all.contains(someone))
            let gone = await #expect(throws: RemoteError.self) {
                try await cluster.remoteCallFetch(on: 2) {
                    try await Worker.cluster.remoteCallFetch(on: WorkerPool([9])) { Worker.id }
                }
            }
            #expect(gone?.message.contains("the pool has no workers") == true)
        }
    }

    @Test("a call that waits for a worker learns that the last has gone")
    func lastLeaves() async throws {
        try await withCluster(1) { cluster async throws in
            let pool = WorkerPool([2])
            let worker = try await pool.take(in: cluster)
            let call = Task { try await cluster.remoteCallFetch(on: pool) { 1 } }
            while pool.freeWorkers.waitingCount == 0 { await Task.yield() }
            try await cluster.removeWorkers([worker])
            let error = await #expect(throws: ClusterError.self) { try await call.value }
            #expect(error?.code == .noWorkers && pool.workers == [])
        }
    }

    @Test("a worker that may still come is waited for, as long as it may")
    func expected() async throws {
        try await withCluster(0) { cluster async throws in
            cluster.expectWorkers()
            let call = Task { try await cluster.remoteCallFetch(on: cluster.defaultPool) { Worker.id } }
            while (cluster.defaultPool as? WorkerPool)?.freeWorkers.waitingCount == 0 { await Task.yield() }
            try await cluster.addWorkers(.inMemory(1))
            #expect(try await call.value == 2)
            try await cluster.removeWorkers([2])
            let vain = Task { try await cluster.remoteCallFetch(on: cluster.defaultPool) { Worker.id } }
            while (cluster.defaultPool as? WorkerPool)?.freeWorkers.waitingCount == 0 { await Task.yield() }
            cluster.expectNoMoreWorkers()
            await #expect(throws: ClusterError.self) { try await vain.value }
        }
    }
}
