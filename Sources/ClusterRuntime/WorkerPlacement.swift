public import Placement
public import Remote

/// Where a worker was to be, and where it is.
public struct WorkerPlacement: Hashable, Sendable {
    /// The worker.
    public let worker: WorkerID
    /// Its host.
    public let host: String
    /// Where the plan puts it; `nil` for one that the kernel moves as it likes.
    public let plan: PlacementPlan.Worker?
    /// The CPUs that it may run on, as the kernel told it at its start; `nil` if that isn't known.
    public let cpus: CPUSet?
    /// Its memory policy in words, as the kernel told it at its start; `nil` if that isn't known.
    public let memory: String?
}

extension WorkerPlacement: CustomStringConvertible {
    /// Plan and reality in one line, such as `worker 2 on node7: planned CPU 0, has CPU 0; memory: prefer node 0`.
    public var description: String {
        let planned = plan.map { "planned CPU \($0.cpus)" } ?? "not pinned"
        return "worker \(worker) on \(host): \(planned), has CPU \(cpus.map { "\($0)" } ?? "unknown")"
            + "; memory: \(memory ?? "unknown")"
    }
}

extension Cluster {
    /// How long it is until a job queue, or whoever else lent a worker's host, ends the worker.
    ///
    /// - Returns: `nil` where nobody does, or it isn't known.
    /// - Throws: ``ClusterError/Code/noSuchWorker``.
    public func remainingTime(of worker: WorkerID) throws(ClusterError) -> Duration? {
        try member(worker).launched.remainingTime
    }

    /// Where each worker was to be and where it is, in the order of their numbers.
    ///
    /// A worker that is not on the CPUs of its plan, or has another memory policy, never gets this far: it is an error
    /// when it starts. Where the system forbids memory policies, that is said then, and shows here.
    public var placement: [WorkerPlacement] {
        ((try? allMembers()) ?? []).map { member in
            let launched = member.launched
            return WorkerPlacement(
                worker: member.id, host: launched.host, plan: launched.placement, cpus: launched.cpus,
                memory: launched.memory)
        }
    }
}
