import Agent
import ClusterRuntime
import Transport

/// How workers on this host are started.
public struct LocalOptions: Hashable, Sendable {
    /// Their working directory; `nil` for this process's.
    public var directory: String?
    /// Path of the program, from this process's directory; `nil` for this one. It must be the same build. A script that
    /// prepares something ends with `exec program "$@"`.
    public var executable: String?
    /// Arguments added behind those of this process.
    public var flags: [String]
    /// Environment variables to set, besides those of this process.
    public var environment: [String: String]
    /// Whether nothing listens on the network for these workers. Local workers never do: they inherit their link. `false`
    /// is refused, since there is nothing it could open.
    public var restrict: Bool
    /// Whether OMP_NUM_THREADS and its kin are set to each worker's number of threads, where the user has not set them.
    public var setsThreadVariables: Bool
    /// How long a worker may take to reach its first `withCluster`; `nil` for the seconds that `MUSTER_WORKER_TIMEOUT` says,
    /// or a minute.
    public var startLimit: Duration?
    /// How often within a minute workers of this launch, all together, get successors; 5 unless told, 0 for never.
    ///
    /// The successor has a number of its own, and takes part in running maps. Elements that end worker after worker are
    /// given up before, see ``PoisonError``.
    public var restarts: Int

    /// Collects options.
    public init(
        directory: String? = nil, executable: String? = nil, flags: [String] = [], environment: [String: String] = [:],
        restrict: Bool = true, setsThreadVariables: Bool = true, startLimit: Duration? = nil,
        restarts: Int = 5
    ) {
        self.directory = directory
        self.executable = executable
        self.flags = flags
        self.environment = environment
        self.restrict = restrict
        self.setsThreadVariables = setsThreadVariables
        self.startLimit = startLimit
        precondition(restarts >= 0, "a number of starts is not negative")
        self.restarts = restarts
    }

    /// Starts the workers on this host.
    func launch(_ places: HostRequest.Places, _ site: LaunchSite) async throws {
        guard restrict else {
            throw LaunchError(
                "local workers do not listen on the network, so that restrict: false can't be had; leave it out")
        }
        var request = HostRequest(places)
        request.executable = executable
        request.flags = flags
        request.directory = directory
        request.environment = environment
        request.setsThreadVariables = setsThreadVariables
        request.startLimit = try StartLimit.seconds(startLimit)
        request.restarts = RestartLimit(perMinute: restarts)
        let supervisor = LocalSupervisor(site, request)
        try await HostAgent.start(request, note: notice) { worker in
            try await supervisor.add(worker)
        }
    }
}
