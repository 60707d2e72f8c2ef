import Agent
public import ClusterRuntime
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
    /// CPUs that workers of other clusters of the same user have are taken last. This process's own threads keep off the
    /// workers' CPUs where they may use any other.
    ///
    /// - Throws: `PlacementError` for an impossible request, `TopologyError`, `WorkerStartError`.
    public func launch(_ site: LaunchSite) async throws {
        try await options.launch(.planned(request), site)
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
    ///   - mode: `.compact` fills cores in order, `.balanced` spreads over packages, NUMA nodes and L3 caches,
    ///     `.spread(.l3)` over parts of one kind.
    ///   - threads: CPUs for each worker.
    ///   - reserved: CPUs that no worker gets.
    ///   - near: Only CPUs near this device, such as `gpu0`, `eth0` or a PCI address.
    ///   - memory: Where the workers' memory comes from.
    ///   - options: How each is started.
    public static func localAffinity(
        count: Int? = nil, mode: PlacementMode = .balanced, threads: Int = 1, reserved: CPUSet = [],
        near: String? = nil, memory: MemoryMode = .preferred, options: LocalOptions = LocalOptions()
    ) -> LocalAffinityManager {
        var request = PlacementRequest(workers: count, mode: mode, threads: threads)
        request.reserved = reserved
        request.near = near
        request.memory = memory
        return LocalAffinityManager(request: request, options: options)
    }

    /// Workers on this host, one for each part of a kind, such as NUMA nodes, with all of its CPUs.
    ///
    /// - Parameters:
    ///   - domain: The kind of parts.
    ///   - threads: CPUs for each worker; all of its part unless told.
    ///   - memory: Where the workers' memory comes from.
    ///   - options: How each is started.
    public static func localAffinity(
        per domain: PlacementDomain, threads: Int? = nil, memory: MemoryMode = .preferred,
        options: LocalOptions = LocalOptions()
    ) -> LocalAffinityManager {
        var request = PlacementRequest(per: domain, threads: threads)
        request.memory = memory
        return LocalAffinityManager(request: request, options: options)
    }

    /// Workers on this host, as a request says that has all there is to ask for.
    public static func localAffinity(
        _ request: PlacementRequest, options: LocalOptions = LocalOptions()
    ) -> LocalAffinityManager {
        LocalAffinityManager(request: request, options: options)
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
