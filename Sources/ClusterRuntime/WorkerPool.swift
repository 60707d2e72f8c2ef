public import Remote

/// Workers that calls and maps are given to.
///
/// A call on a pool takes a worker that is free, waits for one if there is none, and puts it back at the end:
///
/// ```swift
/// let pool = WorkerPool(cluster.workers)
/// let host = try await cluster.remoteCallFetch(on: pool) { hostName() }
/// ```
///
/// So no two calls on the pool run on one worker at a time. A map over a pool takes none: it is spread over all that the pool
/// has, free or not, and shares them with the calls.
///
/// A pool of one's own has a ``FreeWorkers``, and whatever it does otherwise; the rest is there.
public protocol AbstractWorkerPool: AnyObject, RemoteTarget {
    /// Who is free, and who waits.
    var freeWorkers: FreeWorkers { get }

    /// Their numbers: those that a map is spread over. All of ``freeWorkers`` unless implemented.
    var workers: [WorkerID] { get }

    /// How many workers it has, free or not.
    var count: Int { get }

    /// Whether a worker is free.
    var isReady: Bool { get }

    /// Adds a worker, which is free.
    func add(_ worker: WorkerID)

    /// Takes a worker out of the pool, free or not.
    func remove(_ worker: WorkerID)

    /// Takes a worker that is free; waits for one if there is none. It is the caller's until ``putBack(_:)``.
    ///
    /// - Parameter cluster: Workers that are in it no more are dropped; all are taken for there if it is `nil`.
    /// - Throws: ``ClusterError/Code/noWorkers`` if there are none, or none any more; `CancellationError` if this task was
    ///   cancelled.
    nonisolated(nonsending) func take(in cluster: Cluster?) async throws -> WorkerID

    /// Gives back a worker that was taken: whoever waits longest has it next.
    func putBack(_ worker: WorkerID)

    /// Waits until a worker is free, and takes none.
    ///
    /// - Throws: As ``take(in:)``.
    nonisolated(nonsending) func waitUntilReady(in cluster: Cluster?) async throws
}

extension AbstractWorkerPool {
    /// In the order in which they were added.
    public var workers: [WorkerID] { freeWorkers.workers }

    /// Free or not.
    public var count: Int { workers.count }

    /// Whether one could be taken without waiting.
    public var isReady: Bool { freeWorkers.freeCount > 0 }

    /// One that is there already stays as it is.
    public func add(_ worker: WorkerID) { freeWorkers.add(worker) }

    /// If it was the last, those who wait are told that there is none.
    public func remove(_ worker: WorkerID) { freeWorkers.remove(worker) }

    /// The one that is free for longest; first come, first served.
    public nonisolated(nonsending) func take(in cluster: Cluster?) async throws -> WorkerID {
        try await freeWorkers.take(in: cluster)
    }

    /// The same, where the worker need not be looked for in a cluster: calls on one that has left throw
    /// ``ClusterError/Code/noSuchWorker``.
    public nonisolated(nonsending) func take() async throws -> WorkerID { try await take(in: nil) }

    /// One that is free already, or was removed, is passed over.
    public func putBack(_ worker: WorkerID) { freeWorkers.putBack(worker) }

    /// It may be taken by the time that this returns.
    public nonisolated(nonsending) func waitUntilReady(in cluster: Cluster?) async throws {
        try await freeWorkers.waitUntilReady(in: cluster)
    }

    /// The same, without looking whether the worker is still in a cluster.
    public nonisolated(nonsending) func waitUntilReady() async throws { try await waitUntilReady(in: nil) }

    /// Takes a worker for a call.
    public nonisolated(nonsending) func acquire(in cluster: Cluster) async throws -> WorkerID {
        try await take(in: cluster)
    }

    /// Puts the worker back, or drops it if it has left the cluster.
    public func release(_ worker: WorkerID, in cluster: Cluster) {
        if cluster.takesCalls(worker) { putBack(worker) } else { remove(worker) }
    }
}

/// Some workers of a cluster; captures of maps are sent anew with each map.
public final class WorkerPool: AbstractWorkerPool {
    /// Who is free, and who waits.
    public let freeWorkers: FreeWorkers

    /// A pool of these workers, all free.
    public init(_ workers: [WorkerID] = []) {
        freeWorkers = FreeWorkers(workers)
    }
}
