public import Remote

/// Where a call goes: a worker's number, or ``any``.
public protocol RemoteTarget: Sendable {
    /// Picks the worker for one call.
    ///
    /// - Throws: ``ClusterError`` if there is none.
    func worker(in cluster: Cluster) throws(ClusterError) -> WorkerID
}

extension WorkerID: RemoteTarget {
    /// This worker.
    public func worker(in cluster: Cluster) throws(ClusterError) -> WorkerID { self }
}

extension Int: RemoteTarget {
    /// The worker with this number.
    public func worker(in cluster: Cluster) throws(ClusterError) -> WorkerID { WorkerID(self) }
}

/// Whichever worker has the least to do.
public struct AnyWorker: RemoteTarget {
    /// Names no worker in particular.
    public init() {}

    /// The worker with the fewest calls under way.
    public func worker(in cluster: Cluster) throws(ClusterError) -> WorkerID {
        try cluster.leastBusyMember().id
    }
}

extension RemoteTarget where Self == AnyWorker {
    /// Whichever worker has the least to do.
    public static var any: AnyWorker { AnyWorker() }
}
