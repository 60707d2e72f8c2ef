public import Remote

/// Where a call goes: a worker's number, ``any``, or a pool, which is waited for.
public protocol RemoteTarget: Sendable {
    /// The worker for one call; waits until there is one, where there may be none to have.
    ///
    /// Whoever was given one gives it back with ``release(_:in:)``, once, when the call is over.
    ///
    /// - Throws: ``ClusterError`` if there is none, `CancellationError` if this task was cancelled while it waited.
    nonisolated(nonsending) func acquire(in cluster: Cluster) async throws -> WorkerID

    /// The call is over for which ``acquire(in:)`` gave this worker. Does nothing unless implemented.
    func release(_ worker: WorkerID, in cluster: Cluster)
}

extension RemoteTarget {
    /// Nothing was taken.
    public func release(_ worker: WorkerID, in cluster: Cluster) {}
}

extension WorkerID: RemoteTarget {
    /// This worker; does not wait.
    public nonisolated(nonsending) func acquire(in cluster: Cluster) async throws -> WorkerID { self }
}

extension Int: RemoteTarget {
    /// The worker with this number; does not wait.
    public nonisolated(nonsending) func acquire(in cluster: Cluster) async throws -> WorkerID { WorkerID(self) }
}

/// Whichever worker has the least to do.
public struct AnyWorker: RemoteTarget {
    /// Names no worker in particular.
    public init() {}

    /// The worker with the fewest calls under way; does not wait.
    public nonisolated(nonsending) func acquire(in cluster: Cluster) async throws -> WorkerID {
        try await cluster.leastBusyWorker()
    }
}

extension RemoteTarget where Self == AnyWorker {
    /// Whichever worker has the least to do.
    public static var any: AnyWorker { AnyWorker() }
}
