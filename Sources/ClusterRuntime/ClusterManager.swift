public import Placement
public import Remote
public import Transport
public import Wire

/// Brings workers up, somewhere: on this host, on others, through a job queue.
///
/// ```swift
/// let ids = try await cluster.addWorkers(.local(4))
/// ```
///
/// The managers that come with Muster are static members: `.local(…)`, `.localAffinity(…)`.
public protocol ClusterManager: Sendable {
    /// Starts workers and adds each to the site when it can be talked to; they are numbered in that order.
    ///
    /// Returns when all are up that are waited for. If it throws, it has ended those it had started and not added, and the
    /// cluster ends the others.
    func launch(_ site: LaunchSite) async throws

    /// Told when something happens to one of its workers. Does nothing unless implemented.
    func manage(_ worker: WorkerID, _ event: WorkerEvent) async

    /// Ends a worker that did not end by itself. Calls ``LaunchedWorker/kill()`` unless implemented.
    func kill(_ worker: any LaunchedWorker) async
}

extension ClusterManager {
    /// Does nothing.
    public func manage(_ worker: WorkerID, _ event: WorkerEvent) async {}

    /// Ends the worker at once.
    public func kill(_ worker: any LaunchedWorker) async { worker.kill() }
}

extension LaunchedWorker {
    /// Does nothing.
    public func willLeave() {}
    /// Ends the worker at once, whatever the cause.
    public func kill(because cause: WorkerEnd.Cause) { kill() }
    /// Not known.
    public var cpus: CPUSet? { nil }
    /// Not known.
    public var memory: String? { nil }
    /// Not known.
    public var remainingTime: Duration? { nil }
    /// None.
    public var identity: String? { nil }
    /// None.
    public var connectsTo: [String] { [] }
}

/// What a manager is told about its workers.
public struct WorkerEvent: Hashable, Sendable {
    private enum Kind { case registered, deregistered, interrupted, finalized }
    private let kind: Kind
    /// The worker has joined the cluster.
    public static let registered = WorkerEvent(kind: .registered)
    /// The worker has left the cluster, or is lost.
    public static let deregistered = WorkerEvent(kind: .deregistered)
    /// The body that the worker runs was asked to end: see ``Cluster/interrupt(_:)``.
    public static let interrupted = WorkerEvent(kind: .interrupted)
    /// The cluster is being closed, and has no more to do with the worker, which has left it before.
    public static let finalized = WorkerEvent(kind: .finalized)
}

/// A worker that has come up, as its manager hands it to the cluster.
public protocol LaunchedWorker: AnyObject, Sendable {
    /// The link to it.
    var link: any Link { get }
    /// Name of its host.
    var host: String { get }
    /// The host's number of the process.
    var process: Int { get }
    /// Where it was put; `nil` if that was left to the kernel.
    var placement: PlacementPlan.Worker? { get }
    /// The CPUs that it may run on, as the kernel told it; `nil` if that isn't known. So unless implemented.
    var cpus: CPUSet? { get }
    /// Its memory policy in words, as the kernel told it; `nil` if that isn't known. So unless implemented.
    var memory: String? { get }
    /// How long it is until whoever gave it a host for some time ends it, as a job queue does; `nil` if that isn't known. So unless
    /// implemented. Maps give it no element that, by the mean of those measured, would take longer.
    var remainingTime: Duration? { get }
    /// Its name in a topology of its manager's own, see ``ClusterTopology/custom``. None unless implemented.
    var identity: String? { get }
    /// The names of the workers that it may call in such a topology, and be called by. None unless implemented.
    var connectsTo: [String] { get }
    /// What could not be had for it, in words: a memory policy that the container forbids, say.
    var warnings: [String] { get }

    /// Tells it its number, and delivers what it says to `onFrame` from then on.
    ///
    /// - Parameters:
    ///   - heartbeatLimit: Silence after which it counts as lost.
    ///   - onEnd: Called once, when the link has ended.
    func adopt(
        as id: WorkerID, heartbeatLimit: Duration, onFrame: @escaping @Sendable (inout WireReader) -> Void,
        onEnd: @escaping @Sendable (LinkError?) -> Void) async

    /// Told that it is about to be removed: should it end before, that is no reason to start another. Does nothing unless
    /// implemented.
    func willLeave()

    /// Waits until it has ended, and tells how.
    func end() async -> WorkerEnd

    /// Ends it, and what it started, at once.
    func kill()

    /// Ends it for a reason that lies with itself: another may come in its place. Calls ``kill()`` unless implemented.
    ///
    /// - Parameter cause: What ``end()`` tells.
    func kill(because cause: WorkerEnd.Cause)
}
