public import ClusterRuntime

/// The kinds of job queues by their names, for who learns at run time which one it is: `muster map --on slurm:4,partition=debug`.
public enum JobQueueKind: String, CaseIterable, Hashable, Sendable {
    /// See ``ClusterManager/slurm(_:_:address:options:)``.
    case slurm

    /// Workers through a queue of this kind.
    ///
    /// - Parameters:
    ///   - count: Number of tasks.
    ///   - flags: Options of the queue's own as key and value, in this order; an empty value for a key that stands alone.
    ///   - address: Where this process listens for agents.
    ///   - options: How workers are started.
    /// - Throws: `LaunchError` for a flag that can't be.
    public func manager(
        count: Int, flags: [(String, String)], address: NetworkAddress = .automatic, options: JobOptions = JobOptions()
    ) throws -> any SubmittingManager {
        switch self {
        case .slurm: .slurm(count, SlurmFlags(flags), address: address, options: options)
        }
    }
}
