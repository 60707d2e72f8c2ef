public import Remote

extension Cluster {
    /// Asks the bodies that workers run at this moment to end: they see ``Worker/isCancelled``, asynchronous ones as tasks that are
    /// cancelled. What comes after them runs as usual.
    ///
    /// Julia's `interrupt`. What an interrupted body returns is its result, and what it throws is its error, as always: a map's
    /// `retryDelays` may have the element tried again. A body that does not suspend and goes on for longer than
    /// `withCluster(cancellationGrace:)` costs its worker, as if it had crashed.
    ///
    /// Does not wait for the bodies.
    ///
    /// - Parameter workers: Those to be interrupted; all unless told.
    /// - Throws: ``ClusterError/Code/noSuchWorker``, before any is interrupted; ``ClusterError/Code/notTheDriver`` in a worker.
    public func interrupt(_ workers: [WorkerID]? = nil) async throws {
        guard isDriver else { throw ClusterError.notTheDriver }
        let members = if let workers { try workers.map { try member($0) } } else { try allMembers() }
        for member in members { member.interrupt() }
        for member in members { await manager(of: member.id)?.manage(member.id, .interrupted) }
    }
}
