package import Agent
public import ClusterRuntime

/// Starts workers, gives the cluster to `body`, and ends the workers however `body` is left.
///
/// ```swift
/// try await withCluster(.localAffinity(count: 4, mode: .balanced)) { cluster in
///     let squares = try await cluster.pmap(1...100) { $0 * $0 }
/// }
/// ```
///
/// A worker is this program, started again with the same arguments. It runs like this process up to its first
/// `withCluster`, which turns it into a worker and never returns there: so what must not happen in every worker belongs
/// inside `body`, and globals that bodies use have the values that the code before gives them.
///
/// SIGINT, SIGTERM and SIGHUP, unless the program handles them itself, cancel the task that called, end the workers,
/// and then end this process as they would have.
///
/// - Parameters:
///   - manager: Where the first workers come from; more can be added later.
///   - heartbeatLimit: Silence after which a worker counts as lost and is ended. A busy worker is not silent.
///   - cancellationGrace: Time that a body which does not suspend may go on after it was cancelled because nobody waits for it any
///     more, its deadline has passed, or it was interrupted; 5 s unless told. After that its worker is ended, as if it had
///     crashed: another comes in its place, and what it was to do besides is done by others or fails by the rules for that.
///   - seed: Of all random numbers that bodies draw from ``Worker/random``, unless a map is given a seed of its own.
///   - captures: Whether a host has one copy of the large arrays that maps without a pool capture, or each of its NUMA nodes
///     one; one for the host unless told.
///   - topology: Who may call whom; everybody everybody unless told.
///   - body: Works with the cluster, which ends with it.
/// - Returns: What `body` returned.
/// - Throws: What kept the workers from starting, or what `body` threw.
public nonisolated(nonsending) func withCluster<Result>(
    _ manager: some ClusterManager, heartbeatLimit: Duration = .seconds(15), cancellationGrace: Duration = .seconds(5),
    seed: UInt64 = 0, captures: CapturePlacement = .perHost, topology: ClusterTopology = .allToAll(),
    body: (Cluster) async throws -> Result
) async throws -> Result {
    try await withCluster(
        heartbeatLimit: heartbeatLimit, cancellationGrace: cancellationGrace, seed: seed, captures: captures,
        topology: topology
    ) { cluster in
        try await cluster.addWorkers(manager)
        return try await body(cluster)
    }
}

/// Gives `body` a cluster without workers, to which it adds some; otherwise like the form with a manager.
public nonisolated(nonsending) func withCluster<Result>(
    heartbeatLimit: Duration = .seconds(15), cancellationGrace: Duration = .seconds(5), seed: UInt64 = 0,
    captures: CapturePlacement = .perHost, topology: ClusterTopology = .allToAll(),
    body: (Cluster) async throws -> Result
) async throws -> Result {
    switch Role.current {
    case .worker(let link) where !WorkerLoop.isInBody: await WorkerLoop.run(link: link, as: ProcessMembership())
    case .agent(let source) where !WorkerLoop.isInBody: try await serveAsAgent(source)
    case .stray: throw WorkerStartError.stray
    case .worker, .agent, .driver: break
    }
    precondition(heartbeatLimit >= .milliseconds(100), "a heartbeat limit below 100 ms would end healthy workers")
    precondition(cancellationGrace >= .zero, "a body has no less than no time to end")
    let cluster = Cluster(
        heartbeatLimit: heartbeatLimit, cancellationGrace: cancellationGrace, seed: seed, captures: captures,
        topology: topology, network: driverNetwork)
    let guarded = try TerminationGuard(cluster)
    let result: Swift.Result<Result, any Error>
    do {
        result = .success(try await cluster.asCurrent { try await body(cluster) })
    } catch {
        result = .failure(error)
    }
    await cluster.close()
    guarded.end()
    return try result.get()
}

#if Network
    private let driverNetwork: (@Sendable () -> any DriverNetwork)? = { TLSNetwork() }

    /// Makes this process the agent of its host; does not return.
    ///
    /// - Parameter offer: The workers that it would have; what the environment says unless told.
    package func serveAsAgent(_ source: JoinSource, offer: HostRequest? = nil) async throws {
        await AgentProcess.run(source, offer: offer)
    }
#else
    private let driverNetwork: (@Sendable () -> any DriverNetwork)? = nil

    package func serveAsAgent(_ source: JoinSource, offer: HostRequest? = nil) async throws {
        throw LaunchError("this program can't join a driver: it was built without the trait Network")
    }
#endif
