public import Remote

/// Some workers of a cluster that keep captures from one map to the next.
///
/// A map over a pool that has mapped with the same captures before sends none. They are the same if their types are,
/// and their large arrays of numbers (64 KiB and more) are the same memory: not looked at, so that a hit costs nothing,
/// and no change goes unseen, since changing an array that is kept here copies it. All else is compared by its bytes,
/// encoded.
///
/// ```swift
/// var table = [Double](repeating: 1, count: 10_000_000)
/// let pool = CachingPool(cluster.workers)
/// _ = try await cluster.pmap(1...8, capturing: table, pool: pool) { i, table in table[i] }   // sent
/// _ = try await cluster.pmap(1...8, capturing: table, pool: pool) { i, table in table[i] }   // kept: a hit
/// table[3] = 7
/// _ = try await cluster.pmap(1...8, capturing: table, pool: pool) { i, table in table[i] }   // another: sent
/// print(pool.statistics.hits)   // 1
/// ```
///
/// Large arrays go to a host once, into shared memory, whatever the number of its workers; or with
/// ``CapturePlacement/perNUMANode`` once to each NUMA node that has workers. The least recently used
/// captures are dropped when there are more bytes than the limit. Maps without a pool use one that the cluster has, see
/// ``Cluster/captureStatistics``.
public final class CachingPool: AbstractWorkerPool {
    /// Who is free, and who waits.
    public let freeWorkers: FreeWorkers
    package let cache: CaptureCache

    /// A pool of these workers, all free.
    ///
    /// - Parameters:
    ///   - limit: Most bytes of captures to keep that no running map uses, at least 0; 512 MiB unless told. All copies on a
    ///     host count.
    ///   - captures: Whether a host has one copy of large arrays, or each of its NUMA nodes one; one for the host unless
    ///     told.
    public init(_ workers: [WorkerID], limit: Int = 1 << 29, captures: CapturePlacement = .perHost) {
        freeWorkers = FreeWorkers(workers)
        cache = CaptureCache(limit: limit, placement: captures)
    }

    deinit { cache.clear() }

    /// Most bytes of captures that are kept though no running map uses them.
    public var limit: Int { cache.limit }

    /// What has become of captures so far.
    public var statistics: CaptureStatistics { cache.statistics }

    /// Drops the captures that no running map uses, here and in the workers.
    ///
    /// Does not wait for the workers: their memory is free when they have come to it, after the bodies they run.
    public func clear() {
        cache.clear()
    }
}
