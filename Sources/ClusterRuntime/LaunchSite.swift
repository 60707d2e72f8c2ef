public import Remote
import Synchronization

/// Where a manager hands in its workers: a cluster, which it was given to.
///
/// It stays valid until the cluster is closed, so that workers may come later too: of hosts that join when they like, or in
/// the place of one that has ended.
public final class LaunchSite: Sendable {
    private struct State {
        var added: [WorkerID] = []
        var isLaunching = true
        /// Workers that may still come, though none is there.
        var expected = 0
    }

    private let cluster: Cluster
    private let manager: any ClusterManager
    private let onAdd: @Sendable (WorkerID) -> Void
    private let state = Mutex(State())

    /// - Parameter onAdd: Told of each worker that is added before the launch is over.
    init(_ cluster: Cluster, _ manager: some ClusterManager, onAdd: @escaping @Sendable (WorkerID) -> Void = { _ in }) {
        self.cluster = cluster
        self.manager = manager
        self.onAdd = onAdd
    }

    /// Adds a worker that can be talked to; it takes part in running maps at once.
    ///
    /// - Returns: Its number: they count up in the order in which workers are added.
    /// - Throws: ``ClusterError/Code/closed``; then it is the manager's to end.
    @discardableResult
    public func add(_ worker: any LaunchedWorker) async throws -> WorkerID {
        let id = try await cluster.adopt(worker, manager)
        let isOfLaunch = state.withLock { state in
            if state.isLaunching { state.added.append(id) }
            return state.isLaunching
        }
        if isOfLaunch { onAdd(id) }
        return id
    }

    /// Silence after which a worker counts as lost.
    public var heartbeatLimit: Duration { cluster.heartbeatLimit }

    /// Removes workers, each after the calls it is working on; those that are members no more are passed over.
    package func retire(_ ids: [WorkerID]) async { await cluster.retire(ids) }

    /// Says that workers may come later: maps wait for them where they would fail for want of workers.
    ///
    /// Balanced by as many ``expectNoMore()``.
    public func expectMore() {
        state.withLock { $0.expected += 1 }
        cluster.expectWorkers()
    }

    /// Takes back what ``expectMore()`` said: maps without workers fail.
    ///
    /// - Precondition: ``expectMore()`` was called before, as often at least.
    public func expectNoMore() {
        state.withLock { state in
            precondition(state.expected > 0, "what was never expected can't be taken back")
            state.expected -= 1
        }
        cluster.expectNoMoreWorkers()
    }

    /// Has `action` called when the cluster is being closed, after its workers have ended; now, if it is closed already.
    ///
    /// For what the manager keeps from its launch on. The cluster waits for it: it must come to an end by itself.
    public func whenClosed(_ action: @escaping @Sendable () async -> Void) {
        cluster.whenClosed(action)
    }

    /// How hosts reach this driver.
    ///
    /// - Throws: ``ClusterError/Code/noNetwork`` where the package was built without links between hosts.
    package var network: any DriverNetwork {
        get throws(ClusterError) { try cluster.network() }
    }

    /// The launch is over; returns those that it added.
    func endLaunch() -> [WorkerID] {
        state.withLock { state in
            state.isLaunching = false
            return state.added
        }
    }
}
