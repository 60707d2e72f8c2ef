import Remote
import Synchronization
import Testing

@testable import ClusterRuntime

/// A pool of a user's own: the newest worker first.
private final class NewestFirst: AbstractWorkerPool {
    let freeWorkers = FreeWorkers([2, 3, 4])
    var workers: [WorkerID] { freeWorkers.workers.reversed() }
}

private final class Order: Sendable {
    private let numbers = Mutex<[Int]>([])
    var all: [Int] { numbers.withLock { $0 } }
    func add(_ number: Int) { numbers.withLock { $0.append(number) } }
}

@Suite("FreeWorkers")
struct FreeWorkersTests {
    /// Waits until so many wait for a worker.
    private func waiting(_ count: Int, for free: FreeWorkers) async {
        while free.waitingCount != count { await Task.yield() }
    }

    @Test("those who wait have workers in the order in which they came")
    func fairness() async throws {
        let pool = WorkerPool([2])
        #expect(pool.isReady && pool.count == 1)
        #expect(try await pool.take() == 2)
        #expect(!pool.isReady && pool.count == 1)
        let order = Order()
        try await withThrowingTaskGroup { group in
            for number in 0..<5 {
                group.addTask {
                    let worker = try await pool.take()
                    order.add(number)
                    pool.putBack(worker)
                }
                await waiting(number + 1, for: pool.freeWorkers)
            }
            pool.putBack(2)
            try await group.waitForAll()
        }
        #expect(order.all == [0, 1, 2, 3, 4])
        #expect(pool.isReady)
    }

    @Test("a task that is cancelled waits no more, and takes nothing")
    func cancellation() async throws {
        let pool = WorkerPool([2])
        _ = try await pool.take()
        let taker = Task { try await pool.take() }
        let looker = Task { try await pool.waitUntilReady() }
        await waiting(2, for: pool.freeWorkers)
        taker.cancel()
        looker.cancel()
        await #expect(throws: CancellationError.self) { try await taker.value }
        await #expect(throws: CancellationError.self) { try await looker.value }
        pool.putBack(2)
        #expect(try await pool.take() == 2)
        let late = Task {
            unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
            return try await pool.take()
        }
        await #expect(throws: CancellationError.self) { try await late.value }
        #expect(pool.freeWorkers.waitingCount == 0)
    }

    @Test("a pool without workers says so, to those who come and to those who wait")
    func nothingToWaitFor() async throws {
        let empty = await #expect(throws: ClusterError.self) { try await WorkerPool().take() }
        #expect(empty?.code == .noWorkers)
        let pool = WorkerPool([2])
        _ = try await pool.take()
        let taker = Task { try await pool.take() }
        await waiting(1, for: pool.freeWorkers)
        pool.remove(2)
        let late = await #expect(throws: ClusterError.self) { try await taker.value }
        #expect(late?.code == .noWorkers)
    }

    @Test("waiting until a worker is free takes none")
    func ready() async throws {
        let pool = WorkerPool([2])
        try await pool.waitUntilReady()
        _ = try await pool.take()
        let looker = Task { try await pool.waitUntilReady() }
        await waiting(1, for: pool.freeWorkers)
        pool.putBack(2)
        try await looker.value
        #expect(pool.isReady)
    }

    @Test("workers that are not of the cluster are dropped by those who take")
    func strangers() async throws {
        let cluster = Cluster(heartbeatLimit: .seconds(1))
        let pool = WorkerPool([7, 8])
        let error = await #expect(throws: ClusterError.self) { try await pool.take(in: cluster) }
        #expect(error?.code == .noWorkers && pool.workers == [])
        await cluster.close()
    }

    @Test("a pool of one's own is a few lines, and does the rest as others do")
    func own() async throws {
        let pool = NewestFirst()
        #expect(pool.workers == [4, 3, 2] && pool.count == 3 && pool.isReady)
        #expect(try await pool.take() == 2)
        pool.add(9)
        pool.putBack(2)
        #expect(pool.workers == [9, 4, 3, 2])
    }
}
