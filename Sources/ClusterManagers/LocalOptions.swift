import Agent
import ClusterRuntime
import Glibc
import Machine
import Placement
import Remote
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
    /// How long a worker may take to reach its first `withCluster`.
    public var startLimit: Duration

    /// Collects options.
    public init(
        directory: String? = nil, executable: String? = nil, flags: [String] = [], environment: [String: String] = [:],
        restrict: Bool = true, setsThreadVariables: Bool = true, startLimit: Duration = .seconds(60)
    ) {
        self.directory = directory
        self.executable = executable
        self.flags = flags
        self.environment = environment
        self.restrict = restrict
        self.setsThreadVariables = setsThreadVariables
        self.startLimit = startLimit
    }

    /// Starts a worker for each place; `nil` is a place of the kernel's choice.
    ///
    /// - Parameter reservation: What holds the CPUs of the places.
    func launch(
        _ places: [PlacementPlan.Worker?], _ reservation: CPUReservation?,
        _ ready: (any LaunchedWorker) async throws -> Void
    ) async throws {
        guard restrict else {
            throw LaunchError(
                "local workers do not listen on the network, so that restrict: false can't be had; leave it out")
        }
        let launches = places.map { place in
            var launch = WorkerLaunch()
            launch.executable = executable
            launch.flags = flags
            launch.directory = directory
            launch.environment = environment
            launch.placement = place
            launch.memory = place?.memory.map { MemoryPolicy($0) }
            if setsThreadVariables {
                let variables = ThreadVariables.values(threads: place?.cpus.count ?? 1) { name in
                    unsafe environment[name] != nil || getenv(name) != nil
                }
                launch.environment.merge(variables) { mine, _ in mine }
            }
            return launch
        }
        // Ended with the workers that they are handed to, or here.
        let held = WorkerCPUs.hold(places.compactMap { $0?.cpus }, reservation)
        let agent = HostAgent(startLimit: startLimit.seconds)
        var said: Set<String> = []
        try await agent.start(launches) { index, process, hello in
            for warning in process.warnings where said.insert(warning).inserted { notice(warning) }
            try await ready(LocalWorker(process, hello, places[index], held.isEmpty ? nil : held[index]))
        }
    }
}

/// Workers could not be launched as asked.
public struct LaunchError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was asked, why it can't be had, and the cure.
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}
