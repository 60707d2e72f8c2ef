package import ClusterRuntime
public import Remote

/// Workers that a map is spread over.
public protocol AbstractWorkerPool: AnyObject, Sendable {
    /// Their numbers.
    var workers: [WorkerID] { get }
}

/// Some workers of a cluster; captures are sent anew with each map.
public final class WorkerPool: AbstractWorkerPool {
    /// Their numbers, in the order they were given.
    public let workers: [WorkerID]

    /// A pool of these workers.
    public init(_ workers: [WorkerID]) {
        self.workers = workers
    }
}

/// Some workers of a cluster that keep captures from one map to the next.
///
/// A map over a pool that has mapped with the same captures before (same types, same bytes) sends none. The least
/// recently used are dropped when there are more than 512 MiB; maps without a pool use one that the cluster has.
public final class CachingPool: AbstractWorkerPool {
    /// Their numbers, in the order they were given.
    public let workers: [WorkerID]
    package let cache = CaptureCache()

    /// A pool of these workers.
    public init(_ workers: [WorkerID]) {
        self.workers = workers
    }

    deinit { cache.clear() }

    /// Drops the captures that no running map uses, here and in the workers.
    public func clear() {
        cache.clear()
    }
}
