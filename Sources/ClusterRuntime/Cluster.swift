public import Remote
import Synchronization
import Transport

/// Workers, and the ways to give them work. One is made by ``withCluster``, which ends its workers when it is left.
public final class Cluster: Sendable {
    private struct State {
        var members: [WorkerID: (member: Member, manager: any ClusterManager)] = [:]
        var nextID = 2
        var isClosed = false
        /// Ends that are being dealt with; closing waits for them.
        var departures: [WorkerID: Task<Void, Never>] = [:]
        /// For maps in this process; made when the first is.
        var localMembers: [Member] = []
        /// Maps that take in whoever joins.
        var joinWatchers: [Int: JoinWatcher] = [:]
        var nextWatcher = 0
        /// How many managers, and hosts, may bring more workers by themselves.
        var expectations = 0
        /// What managers keep until the cluster is closed.
        var closers: [@Sendable () async -> Void] = []
        var hasClosed = false
    }

    private struct JoinWatcher {
        let onJoin: @Sendable (Member) -> Void
        let onNoneExpected: @Sendable () -> Void
    }

    private let state = Mutex(State())
    private let makeNetwork: (@Sendable () -> any DriverNetwork)?
    private let madeNetwork = Mutex<(any DriverNetwork)?>(nil)

    /// Silence after which a worker counts as lost.
    package let heartbeatLimit: Duration
    /// Captures of maps that were given no pool of their own.
    package let captureCache: CaptureCache

    /// - Parameter network: Makes what carries links between hosts, when that is first needed; `nil` where there is none.
    package init(
        heartbeatLimit: Duration, captures: CapturePlacement = .perHost,
        network: (@Sendable () -> any DriverNetwork)? = nil
    ) {
        self.heartbeatLimit = heartbeatLimit
        makeNetwork = network
        captureCache = CaptureCache(placement: captures)
    }

    /// The numbers of all workers, ascending.
    public var workers: [WorkerID] {
        state.withLock { $0.members.keys.sorted() }
    }

    // MARK: - Captures

    /// What has become of the captures of maps without a pool, which the cluster keeps from one map to the next as a
    /// ``CachingPool`` does, up to 512 MiB.
    public var captureStatistics: CaptureStatistics { captureCache.statistics }

    /// Drops the captures of maps without a pool that no running map uses, here and in the workers.
    ///
    /// Does not wait for the workers: their memory is free when they have come to it, after the bodies they run.
    public func clearCaptures() { captureCache.clear() }

    // MARK: - Adding

    /// Starts workers and adds them to the cluster.
    ///
    /// - Returns: Their numbers, in the order of the manager's plan.
    /// - Throws: What kept the manager from starting them all; then none of them is left.
    @discardableResult
    public func addWorkers(_ manager: some ClusterManager) async throws -> [WorkerID] {
        guard !state.withLock({ $0.isClosed }) else { throw ClusterError.closed }
        let site = LaunchSite(self, manager)
        do {
            try await manager.launch(site)
            return site.endLaunch()
        } catch {
            let added = site.endLaunch()
            await retire(added)
            throw error
        }
    }

    func network() throws(ClusterError) -> any DriverNetwork {
        guard let makeNetwork else {
            throw ClusterError(
                .noNetwork,
                "this build has no links between hosts: build the package with its trait Network, which is on by default"
            )
        }
        return madeNetwork.withLock { made in
            if let made { return made }
            let network = makeNetwork()
            made = network
            return network
        }
    }

    func whenClosed(_ action: @escaping @Sendable () async -> Void) {
        let isTooLate = state.withLock { state in
            if !state.hasClosed { state.closers.append(action) }
            return state.hasClosed
        }
        if isTooLate { Task { await action() } }
    }

    func expectWorkers() { state.withLock { $0.expectations += 1 } }

    func expectNoMoreWorkers() {
        let watchers = state.withLock { state -> [JoinWatcher] in
            state.expectations -= 1
            return state.expectations == 0 ? Array(state.joinWatchers.values) : []
        }
        for watcher in watchers { watcher.onNoneExpected() }
    }

    /// Whether workers may come though nobody adds any.
    package var expectsWorkers: Bool { state.withLock { $0.expectations > 0 && !$0.isClosed } }

    func adopt(_ launched: any LaunchedWorker, _ manager: any ClusterManager) async throws -> WorkerID {
        let member = try state.withLock { state throws(ClusterError) -> Member in
            guard !state.isClosed else { throw .closed }
            let member = Member(id: WorkerID(state.nextID), launched: launched)
            state.nextID += 1
            state.members[member.id] = (member, manager)
            return member
        }
        await launched.adopt(as: member.id, heartbeatLimit: heartbeatLimit) { frame in
            member.receive(&frame)
        } onEnd: { [self] _ in
            linkEnded(member)
        }
        for watcher in state.withLock({ Array($0.joinWatchers.values) }) { watcher.onJoin(member) }
        await manager.manage(member.id, .registered)
        return member.id
    }

    /// Calls `action` with every worker that can be given work from now on, until ``endJoinWatch(_:)``.
    ///
    /// A worker that is there already may be among them.
    ///
    /// - Parameter onNoneExpected: Called when no worker is to be expected any more, see ``expectsWorkers``.
    package func watchJoins(
        _ action: @escaping @Sendable (Member) -> Void, onNoneExpected: @escaping @Sendable () -> Void = {}
    ) -> Int {
        state.withLock { state in
            state.nextWatcher += 1
            state.joinWatchers[state.nextWatcher] = JoinWatcher(onJoin: action, onNoneExpected: onNoneExpected)
            return state.nextWatcher
        }
    }

    /// Ends what ``watchJoins(_:)`` began; a call that is under way may still come to its end.
    package func endJoinWatch(_ watcher: Int) {
        state.withLock { $0.joinWatchers[watcher] = nil }
    }

    // MARK: - Removing

    /// Ends workers, each after the calls it is working on.
    ///
    /// If this task is cancelled, those calls fail and the workers end at once.
    ///
    /// - Throws: ``ClusterError/Code/noSuchWorker``, before any is ended.
    public func removeWorkers(_ ids: [WorkerID]) async throws {
        let leaving = try ids.map { try member($0) }
        await withTaskCancellationHandler {
            await remove(leaving)
        } onCancel: {
            for member in leaving { member.fail(ClusterError.noSuchWorker(member.id)) }
        }
    }

    func retire(_ ids: [WorkerID]) async {
        await remove(ids.compactMap { id in state.withLock { $0.members[id]?.member } })
    }

    private func remove(_ leaving: [Member]) async {
        await shielded { [self] in
            await withTaskGroup { group in
                for member in leaving {
                    group.addTask { [self] in
                        await member.drain()
                        await dismiss(member, .noSuchWorker(member.id))
                    }
                }
            }
        }
    }

    /// Ends a worker: asks it, and does not wait long for it to comply.
    private func dismiss(_ member: Member, _ reason: ClusterError) async {
        member.fail(reason)
        try? member.launched.link.send(.shutdown)
        let manager = state.withLock { $0.members[member.id]?.manager }
        await withTaskGroup { group in
            group.addTask {
                _ = await member.launched.end()
            }
            group.addTask {
                try? await Task.sleep(for: .seconds(1))
                guard !Task.isCancelled else { return }
                if let manager { await manager.kill(member.launched) } else { member.launched.kill() }
            }
            await group.next()
            group.cancelAll()
            await group.waitForAll()
        }
        _ = await member.launched.end()
        await forget(member)
    }

    private func forget(_ member: Member) async {
        let entry = state.withLock { $0.members.removeValue(forKey: member.id) }
        if let entry { await entry.manager.manage(member.id, .deregistered) }
    }

    /// Learns why a worker is gone, then fails its calls with the reason.
    private func linkEnded(_ member: Member) {
        let task = Task { [self] in
            let deadline = Task {
                try? await Task.sleep(for: .seconds(5))
                if !Task.isCancelled { member.launched.kill() }
            }
            let end = await member.launched.end()
            deadline.cancel()
            // First it is no member any more: whoever learns of its end by a failed call goes on without it.
            let entry = state.withLock { $0.members.removeValue(forKey: member.id) }
            // Who has left in an orderly way gives back what it was at.
            let error: any Error =
                end.cause == .removed
                ? ClusterError.noSuchWorker(member.id)
                : WorkerExited(worker: member.id, host: member.launched.host, end: end)
            member.fail(error)
            if let entry { await entry.manager.manage(member.id, .deregistered) }
            state.withLock { $0.departures[member.id] = nil }
        }
        state.withLock { state in
            if state.members[member.id] != nil { state.departures[member.id] = task }
        }
    }

    /// Ends all workers at once; the cluster can't be used afterwards.
    package func close() async {
        let (members, local, departures) = state.withLock { state in
            state.isClosed = true
            defer { state.localMembers = [] }
            return (state.members.values.map(\.member), state.localMembers, Array(state.departures.values))
        }
        for member in local {
            // Its calls would wait for ever, and it for itself.
            member.fail(ClusterError.closed)
            member.launched.kill()
        }
        await shielded { [self] in
            await withTaskGroup { group in
                for member in members { group.addTask { [self] in await dismiss(member, .closed) } }
                for departure in departures { group.addTask { await departure.value } }
            }
            let closers = state.withLock { state in
                state.hasClosed = true
                defer { state.closers = [] }
                return state.closers
            }
            await withTaskGroup { group in
                for closer in closers { group.addTask { await closer() } }
            }
            await madeNetwork.withLock { $0 }?.close()
        }
    }

    /// Runs to the end even in a cancelled task: workers must be ended also then.
    private func shielded(_ work: @escaping @Sendable () async -> Void) async {
        await Task { await work() }.value
    }

    /// Ends all workers without asking; does not wait.
    package func killAll() {
        let members = state.withLock { state in
            state.isClosed = true
            return state.members.values.map(\.member)
        }
        for member in members { member.launched.kill() }
    }

    // MARK: - Finding

    /// The worker with this number.
    package func member(_ id: WorkerID) throws(ClusterError) -> Member {
        let (member, isClosed) = state.withLock { ($0.members[id]?.member, $0.isClosed) }
        guard !isClosed else { throw .closed }
        guard let member else { throw .noSuchWorker(id) }
        return member
    }

    /// All workers, in the order of their numbers.
    package func allMembers() throws(ClusterError) -> [Member] {
        let (members, isClosed) = state.withLock { ($0.members.values.map(\.member), $0.isClosed) }
        guard !isClosed else { throw .closed }
        return members.sorted { $0.id < $1.id }
    }

    /// What stands in for workers in maps that stay in this process.
    package var localMembers: [Member] {
        get throws(ClusterError) {
            try state.withLock { state throws(ClusterError) in
                guard !state.isClosed else { throw .closed }
                if state.localMembers.isEmpty { state.localMembers = InProcessWorker.members() }
                return state.localMembers
            }
        }
    }

    /// The worker with the fewest calls under way; of several the oldest.
    package func leastBusyMember() throws(ClusterError) -> Member {
        let counted = try allMembers().map { ($0.pendingCount, $0.id, $0) }
        guard let first = counted.min(by: { ($0.0, $0.1) < ($1.0, $1.1) }) else { throw .noWorkers }
        return first.2
    }
}
