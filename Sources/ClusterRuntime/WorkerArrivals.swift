public import Remote
import Synchronization
import Transport

/// Workers that a manager starts, as they come up, see ``Cluster/startWorkers(_:)``.
///
/// It can be gone through more than once, from the first worker on each time.
public struct WorkerArrivals: AsyncSequence, Sendable {
    /// A worker that is up.
    public typealias Element = WorkerID
    /// What keeps the manager from starting them all.
    public typealias Failure = any Error

    fileprivate let launch: Launch

    /// Waits until the manager has started them all.
    ///
    /// If this task is cancelled, so is the launch.
    ///
    /// - Returns: Their numbers, in the order in which they came up.
    /// - Throws: What kept the manager from starting them all; then none of them is left.
    public func all() async throws -> [WorkerID] {
        try await withTaskCancellationHandler {
            try await launch.outcome.get().get()
        } onCancel: {
            launch.cancel()
        }
    }

    /// Ends the launch, if it is under way: those of its workers that have come up end too.
    public func cancel() { launch.cancel() }

    /// Begins with the first that came up.
    public func makeAsyncIterator() -> Iterator { Iterator(launch: launch) }

    /// One after the other, as they come up.
    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let launch: Launch
        fileprivate var index = 0

        /// The next worker that is up; `nil` after the last. If this task is cancelled, so is the launch. Who only leaves the loop
        /// does not end it.
        ///
        /// - Throws: What kept the manager from starting them all; those that were told have ended again.
        public mutating func next() async throws -> WorkerID? {
            let (launch, index) = (launch, index)
            let worker = try await withTaskCancellationHandler {
                try await launch.worker(index)
            } onCancel: {
                launch.cancel()
            }
            self.index += 1
            return worker
        }
    }

    /// A launch that is under way, and who waits for its workers.
    fileprivate final class Launch: Sendable {
        private struct State {
            var workers: [WorkerID] = []
            var waiting: [(index: Int, waiter: Eventual<Void>)] = []
        }

        private let state = Mutex(State())
        private let task = Mutex<Task<Void, Never>?>(nil)
        let outcome = Eventual<Result<[WorkerID], any Error>>()

        func begin(_ manager: some ClusterManager, in cluster: Cluster) {
            let running = cluster.launch { [self] in
                let result: Result<[WorkerID], any Error>
                do {
                    result = .success(try await cluster.addWorkers(manager) { [self] in hasCome($0) })
                } catch {
                    result = .failure(error)
                }
                outcome.fulfil(result)
                wake { _ in true }
            }
            task.withLock { $0 = running }
        }

        func cancel() { task.withLock { $0 }?.cancel() }

        private func hasCome(_ worker: WorkerID) {
            let count = state.withLock { state in
                state.workers.append(worker)
                return state.workers.count
            }
            wake { $0 < count }
        }

        private func wake(_ isDue: (Int) -> Bool) {
            let due = state.withLock { state in
                let due = state.waiting.filter { isDue($0.index) }
                state.waiting.removeAll { isDue($0.index) }
                return due
            }
            for (_, waiter) in due { waiter.fulfil(()) }
        }

        /// The worker that came up after `index` others; `nil` if there are no more.
        func worker(_ index: Int) async throws -> WorkerID? {
            let waiter = Eventual<Void>()
            let isHere = state.withLock { state in
                // Fulfilled before those who wait are woken, so that nobody comes to wait for what is over.
                if index < state.workers.count || outcome.value != nil { return true }
                state.waiting.append((index, waiter))
                return false
            }
            if !isHere { await waiter.get() }
            let worker = state.withLock { index < $0.workers.count ? $0.workers[index] : nil }
            if let worker { return worker }
            _ = try await outcome.get().get()
            return nil
        }
    }
}

extension Cluster {
    /// Starts workers, and tells of each when it is up: those that are can be given work while others are on their way.
    ///
    /// ```swift
    /// let arrivals = cluster.startWorkers(.slurm(100))
    /// for try await worker in arrivals { print("\(worker) is up") }
    /// let workers = try await arrivals.all()
    /// ```
    ///
    /// - Returns: At once. The launch ends with the cluster, if it is not over by then.
    public func startWorkers(_ manager: some ClusterManager) -> WorkerArrivals {
        let launch = WorkerArrivals.Launch()
        launch.begin(manager, in: self)
        return WorkerArrivals(launch: launch)
    }
}
