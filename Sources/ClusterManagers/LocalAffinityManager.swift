public import ClusterRuntime
import Agent
import Machine
public import Placement

/// Starts workers on this host, each pinned to its CPUs and with its memory beside them.
public struct LocalAffinityManager: ClusterManager {
    /// Which workers go where.
    public let request: PlacementRequest
    /// How each is started.
    public let options: LocalOptions

    /// Workers as `request` says.
    public init(request: PlacementRequest, options: LocalOptions = LocalOptions()) {
        self.request = request
        self.options = options
    }

    /// Plans, starts the workers in their places, and checks that the kernel put them there.
    ///
    /// - Throws: `PlacementError` for an impossible request, `TopologyError`, `WorkerStartError`.
    public func launch(_ ready: (any LaunchedWorker) async throws -> Void) async throws {
        let plan = try PlacementPlan(request, on: .discover())
        for note in plan.notes { notice(note) }
        try await options.launch(plan.workers, threads: request.threads, ready)
    }
}

extension ClusterManager where Self == LocalAffinityManager {
    /// Workers on this host, one for each of the places that `mode` chooses.
    ///
    /// ```swift
    /// try await withCluster(.localAffinity(count: 4, mode: .balanced)) { cluster in … }
    /// ```
    ///
    /// - Parameters:
    ///   - count: Number of workers; one for each usable core unless told.
    ///   - mode: `.compact` fills cores in order, `.balanced` spreads over packages and NUMA nodes.
    ///   - threads: CPUs for each worker.
    ///   - options: How each is started.
    public static func localAffinity(
        count: Int? = nil, mode: PlacementMode = .balanced, threads: Int = 1, options: LocalOptions = LocalOptions()
    ) -> LocalAffinityManager {
        LocalAffinityManager(
            request: PlacementRequest(workers: count, mode: mode, threads: threads), options: options)
    }

    /// Workers on this host, one for each of these CPUs.
    ///
    /// - Parameters:
    ///   - cpus: The system's CPU numbers, each once; all must be allowed here.
    ///   - threads: Consecutive CPUs of the list for each worker.
    ///   - options: How each is started.
    public static func localAffinity(
        cpus: [Int], threads: Int = 1, options: LocalOptions = LocalOptions()
    ) -> LocalAffinityManager {
        LocalAffinityManager(request: PlacementRequest(cpus: cpus, threads: threads), options: options)
    }
}
