public import ClusterRuntime

/// The kinds of job queues by their names, for who learns at run time which one it is: `muster map --on slurm:4,partition=debug`.
public enum JobQueueKind: String, CaseIterable, Hashable, Sendable {
    /// See ``ClusterManager/slurm(_:_:address:options:)``.
    case slurm
    /// See ``ClusterManager/pbs(_:queue:resources:workingDirectory:flags:address:options:)``. `queue` and `working_directory` are for
    /// themselves; another key of one letter is an option of `qsub`, a longer one a resource, as in `walltime=00:10:00`.
    case pbs
    /// See ``ClusterManager/lsf(_:bsubFlags:sshCommand:retryDelays:throttle:address:options:)``. `queue` and `throttle` are for themselves, `ssh`
    /// names the host where jobs are submitted; another key is an option of `bsub`, as in `W=0:10`.
    case lsf
    /// See ``ClusterManager/scyld(_:flags:address:options:)``; a key is an option of `beomap`.
    case scyld
    /// See ``ClusterManager/htcondor(_:_:address:options:)``.
    case htcondor
    /// See ``ClusterManager/kubernetes(_:image:namespace:cpu:memory:timeLimit:kubectl:address:options:configure:)``. `image`,
    /// `namespace`, `cpu` and `memory` are its options; `spec.activeDeadlineSeconds` and the like are places in the pods'
    /// manifest, with items of lists by their number; all others are `kubectl`'s.
    case kubernetes
    /// See ``ClusterManager/gridEngine(_:qsubFlags:queue:resources:workingDirectory:address:options:)``; `queue`, `resources`
    /// and `working_directory` are for themselves; another key is an option of `qsub`, as in `P=physics`.
    case gridEngine = "gridengine"
    /// See ``ClusterManager/qrsh(_:qrshFlags:queue:resources:workingDirectory:address:options:)``; the keys are the same.
    case qrsh

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
        case .pbs: JobQueueManager(PBSQueue(flags), count: count, address: address, options: options)
        case .lsf: JobQueueManager(try LSFQueue(flags), count: count, address: address, options: options)
        case .scyld: JobQueueManager(ScyldQueue(flags), count: count, address: address, options: options)
        case .htcondor: .htcondor(count, HTCondorCommands(flags), address: address, options: options)
        case .kubernetes:
            JobQueueManager(
                try KubernetesQueue(flags, address), count: count, address: address, options: options)
        case .gridEngine:
            JobQueueManager(
                GridEngineQueue(GridEngineOptions(flags)), count: count, address: address, options: options)
        case .qrsh:
            JobQueueManager(
                GridEngineInteractiveQueue(GridEngineOptions(flags)), count: count, address: address, options: options)
        }
    }
}
