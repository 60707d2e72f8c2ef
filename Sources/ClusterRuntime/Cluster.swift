public import Remote
import Synchronization
package import Transport
import Wire

/// Workers, and the ways to give them work. One is made by ``withCluster``, which ends its workers when it is left.
///
/// Each process of a cluster has one of its own: bodies have their worker's as `Worker.cluster`, and can call any process with
/// it, be it the driver. Only the driver's adds and removes workers.
public final class Cluster: Sendable {
    private struct State {
        var members: [WorkerID: (member: Member, manager: any ClusterManager)] = [:]
        var nextID = 2
        /// Who brought all workers that there ever were.
        var managed: [WorkerID: any ClusterManager] = [:]
        /// Workers that have their numbers, and are not members yet.
        var arriving: Set<WorkerID> = []
        var isClosed = false
        /// Ends that are being dealt with; closing waits for them.
        var departures: [WorkerID: Task<Void, Never>] = [:]
        /// For maps in this process; made when the first is.
        var localMembers: [Member] = []
        /// This process, to be called.
        var ownMember: Member?
        /// What workers that join do before all else.
        var rites: [Rite] = []
        var nextRite = 0
        /// Number of the next reference that gets its name here.
        var nextReference: UInt64 = 1
        /// Maps that take in whoever joins.
        var joinWatchers: [Int: JoinWatcher] = [:]
        /// Who must know when a worker leaves.
        var leaveWatchers: [Int: @Sendable (WorkerID) -> Void] = [:]
        var nextWatcher = 0
        /// How many managers, and hosts, may bring more workers by themselves.
        var expectations = 0
        /// Launches that are under way while others go on; closing ends them.
        var launches: [Int: Task<Void, Never>] = [:]
        var nextLaunch = 0
        /// What managers keep until the cluster is closed.
        var closers: [@Sendable () async -> Void] = []
        var hasClosed = false
    }

    /// What workers that join do before all else.
    private struct Rite {
        let number: Int
        /// What it defines, if it can be taken back.
        let name: String?
        let perform: @Sendable (Member) async throws -> Void
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
    /// Time that a synchronous body may go on after it was cancelled, before its worker is ended.
    let cancellationGrace: Duration
    /// Of the maps and calls that are given no seed.
    private let seeds: RunSeeds
    /// Captures of maps that were given no pool of their own.
    package let captureCache: CaptureCache
    /// Who may call whom.
    public let topology: ClusterTopology
    /// All workers, as they come and go.
    let everyone = WorkerPool()
    /// What ``defaultPool`` was set to.
    let chosenPool = Mutex<(any AbstractWorkerPool)?>(nil)

    /// Tells it from others, on all hosts.
    package let identity: UInt64
    /// The number of this process in the cluster: 1 in the driver.
    public let myID: WorkerID
    /// What this process has for bodies, and for others that refer to it.
    package let process: ProcessState
    var references: ReferenceTable { process.references }
    /// Channels of others that this process has references to.
    let channels = ChannelPlaces()
    /// What a worker knows of the others; `nil` in the driver.
    let station: WorkerStation?
    /// Runs synchronous bodies; `nil` where they run in tasks.
    let bodies: (any BodyThread)?
    /// What bodies take for their process's number, where the process is more than one.
    let processOfTasks: WorkerID?
    private let onLeave: (@Sendable () -> Void)?
    let counting = ReferenceCounting()
    /// The workers that are told of all others; held while one is told.
    let introductions = Mutex<Set<WorkerID>>([])

    /// The cluster of a driver.
    ///
    /// - Parameter network: Makes what carries links between hosts, when that is first needed; `nil` where there is none.
    package init(
        heartbeatLimit: Duration, cancellationGrace: Duration = .seconds(5), seed: UInt64 = 0,
        captures: CapturePlacement = .perHost, topology: ClusterTopology = .allToAll(),
        network: (@Sendable () -> any DriverNetwork)? = nil
    ) {
        self.heartbeatLimit = heartbeatLimit
        self.cancellationGrace = cancellationGrace
        seeds = RunSeeds(seed)
        self.topology = topology
        makeNetwork = network
        captureCache = CaptureCache(placement: captures)
        identity = UInt64.random(in: 1 ... .max)
        myID = .driver
        process = ProcessState(ReferenceTable(of: WorkerID.driver.rawValue))
        station = nil
        bodies = nil
        processOfTasks = nil
        onLeave = nil
        begin()
    }

    /// A worker's view of the cluster that it was told to belong to.
    ///
    /// - Parameters:
    ///   - id: The worker's number.
    ///   - driver: The link to the driver. What comes over it is told by ``hear(_:asTold:)``.
    ///   - isAlone: Whether the process is this worker and nothing else.
    ///   - bodies: Runs synchronous bodies; tasks do unless told.
    ///   - connect: Makes links to workers of the same host; without, what is for them goes over the driver.
    ///   - onLeave: Called when the driver has told the worker to go.
    package init(
        _ identity: UInt64, worker id: WorkerID, driver: any Link, isAlone: Bool, bodies: (any BodyThread)? = nil,
        connect: (any PeerConnector)? = nil, onLeave: @escaping @Sendable () -> Void = {}
    ) {
        self.identity = identity
        heartbeatLimit = .seconds(15)
        cancellationGrace = .seconds(5)
        seeds = RunSeeds(identity &+ UInt64(id.rawValue))
        topology = .allToAll()
        makeNetwork = nil
        captureCache = CaptureCache()
        myID = id
        process = ProcessState(ReferenceTable(of: id.rawValue))
        station = WorkerStation(id, of: identity, driver: driver, connect)
        self.bodies = bodies
        processOfTasks = isAlone ? nil : id
        self.onLeave = onLeave
        begin()
    }

    private func begin() {
        if station != nil, processOfTasks == nil { ProcessState.become(process) }
        Cluster.clusters.withLock { clusters in
            // The driver's, where a process is several workers as well.
            if clusters[identity] == nil || myID == .driver { clusters[identity] = self }
        }
    }

    /// Whether the process is not this worker alone.
    var isOneOfSeveral: Bool { station == nil || processOfTasks != nil }

    /// Whether this process is the one that adds and removes workers.
    public var isDriver: Bool { station == nil }

    /// Tells an owner who holds references to what it has.
    func tell(_ counts: [ReferenceCount], to owner: WorkerID) async {
        if owner == myID {
            expectEnds(of: counts.map(\.process))
            return references.change(counts)
        }
        // Where the owner is gone, so is what it had.
        try? await reach(owner).tell(.counts) { output in output.write(counts) }
    }

    /// A name for something that a process has.
    func newReference(on owner: WorkerID) -> RemoteReferenceID {
        let number = state.withLock { state in
            defer { state.nextReference += 1 }
            return state.nextReference
        }
        return RemoteReferenceID(where: owner, whence: myID, id: number, cluster: identity)
    }

    // MARK: - Which there are

    /// The clusters that this process is part of.
    private static let clusters = Mutex<[UInt64: Cluster]>([:])

    /// In a body, or in a task that one has started: the cluster of its process, where the process is more than one worker.
    @TaskLocal package static var ofTask: Cluster?

    /// The cluster that this process is a worker of, and nothing else.
    static var ofProcess: Cluster? {
        clusters.withLock { $0.values.first { $0.station != nil && $0.processOfTasks == nil } }
    }

    /// The cluster that something is of, as this process has it.
    static func find(_ identity: UInt64) -> Cluster? {
        if let cluster = ofTask, cluster.identity == identity { return cluster }
        return clusters.withLock { $0[identity] }
    }

    /// Forgets the cluster; nothing can be referred to any more.
    private func unlist() {
        Cluster.clusters.withLock { clusters in
            if clusters[identity] === self { clusters[identity] = nil }
        }
        references.close(ReferenceError(.closed, "the cluster is closed: its withCluster has been left"))
    }

    /// This worker is part of the cluster no more.
    func leave() {
        state.withLock { $0.isClosed = true }
        station?.leave()
        state.withLock { $0.ownMember.take() }?.fail(ClusterError.closed)
        unlist()
    }

    func leaveByDriver() { onLeave?() }

    /// The numbers of all workers, ascending.
    public var workers: [WorkerID] {
        if let station { return station.roster.map(\.id).filter { $0 != .driver } }
        return state.withLock { $0.members.keys.sorted() }
    }

    /// The seed of a map that is given none.
    package func nextMapSeed() -> UInt64 { seeds.nextOfMaps() }

    /// The seed of a call.
    package func nextCallSeed() -> UInt64 { seeds.nextOfCalls() }

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
        try await addWorkers(manager) { _ in }
    }

    /// - Parameter onAdd: Told of each worker when it can be given work.
    func addWorkers(
        _ manager: some ClusterManager, onAdd: @escaping @Sendable (WorkerID) -> Void
    ) async throws -> [WorkerID] {
        guard isDriver else { throw ClusterError.notTheDriver }
        guard !state.withLock({ $0.isClosed }) else { throw ClusterError.closed }
        let site = LaunchSite(self, manager, onAdd: onAdd)
        do {
            try await manager.launch(site)
            return site.endLaunch()
        } catch {
            let added = site.endLaunch()
            await retire(added)
            throw error
        }
    }

    /// Starts a launch that others do not wait for: if the cluster is closed before its end, it is cancelled and waited for.
    func launch(_ work: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        state.withLock { state in
            let number = state.nextLaunch
            state.nextLaunch += 1
            let task = Task { [self] in
                await work()
                self.state.withLock { $0.launches[number] = nil }
            }
            // Who closes finds it here, or has closed before: then nothing is launched.
            state.launches[number] = task
            if state.isClosed { task.cancel() }
            return task
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

    func expectWorkers() {
        state.withLock { $0.expectations += 1 }
        followExpectations()
    }

    /// Those who wait for a worker of any kind wait as long as some may come.
    private func followExpectations() { everyone.freeWorkers.expect { [self] in expectsWorkers } }

    func expectNoMoreWorkers() {
        let watchers = state.withLock { state -> [JoinWatcher] in
            state.expectations -= 1
            return state.expectations == 0 ? Array(state.joinWatchers.values) : []
        }
        followExpectations()
        for watcher in watchers { watcher.onNoneExpected() }
    }

    /// Whether workers may come though nobody adds any.
    package var expectsWorkers: Bool { state.withLock { $0.expectations > 0 && !$0.isClosed } }

    func adopt(_ launched: any LaunchedWorker, _ manager: any ClusterManager) async throws -> WorkerID {
        let id = try state.withLock { state throws(ClusterError) -> WorkerID in
            guard !state.isClosed else { throw .closed }
            defer { state.nextID += 1 }
            state.arriving.insert(WorkerID(state.nextID))
            return WorkerID(state.nextID)
        }
        defer { state.withLock { _ = $0.arriving.remove(id) } }
        let member = Member(id: id, launched: launched, cluster: self, cancellationGrace: cancellationGrace)
        await launched.adopt(as: member.id, heartbeatLimit: heartbeatLimit) { frame in
            member.receive(&frame)
        } onEnd: { [self] _ in
            linkEnded(member)
        }
        // A link that has ended tells so by itself.
        try? member.tell(.belong(cluster: identity, worker: id.rawValue)) { _ in }
        try await enter(member, manager)
        everyone.add(member.id)
        // It may have ended meanwhile: whoever removes it from here on finds it in the pool.
        if !state.withLock({ $0.members[member.id] != nil }) { everyone.remove(member.id) }
        tellOfJoin(member)
        if !topology.isLazy { introduce(member) }
        for watcher in state.withLock({ Array($0.joinWatchers.values) }) { watcher.onJoin(member) }
        await manager.manage(member.id, .registered)
        return member.id
    }

    /// Workers that have their numbers, and may call others: that is a part of what all do that join.
    var arrivingWorkers: [WorkerID] { state.withLock { $0.arriving.sorted() } }

    /// Has a worker do what all do that join, and makes it a member then: in one step with the look whether there is more to do.
    private func enter(_ member: Member, _ manager: any ClusterManager) async throws {
        var done = -1
        while let rites = try state.withLock({ state throws(ClusterError) -> [Rite]? in
            guard !state.isClosed else { throw .closed }
            let rites = state.rites.filter { $0.number > done }
            if rites.isEmpty {
                state.members[member.id] = (member, manager)
                state.managed[member.id] = manager
            }
            return rites.isEmpty ? nil : rites
        }) {
            for rite in rites {
                try await rite.perform(member)
                done = rite.number
            }
        }
        // An end that came before found no member to remove.
        if !member.takesCalls { _ = remove(member, WorkerEnd(cause: .removed)) }
    }

    /// Has workers that join do something before all else.
    ///
    /// - Returns: The workers that there are now: they are none of those.
    func addRite(_ name: String?, _ perform: @escaping @Sendable (Member) async throws -> Void) -> [WorkerID] {
        state.withLock { state in
            state.rites.append(Rite(number: state.nextRite, name: name, perform: perform))
            state.nextRite += 1
            return state.members.keys.sorted()
        }
    }

    /// What defines a name is not done any more.
    func forgetRites(of name: String) { state.withLock { $0.rites.removeAll { $0.name == name } } }

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

    /// Calls `action` with every worker that leaves from now on, until ``endLeaveWatch(_:)``.
    func watchLeaves(_ action: @escaping @Sendable (WorkerID) -> Void) -> Int {
        state.withLock { state in
            state.nextWatcher += 1
            state.leaveWatchers[state.nextWatcher] = action
            return state.nextWatcher
        }
    }

    /// Ends what ``watchLeaves(_:)`` began; a call that is under way may still come to its end.
    func endLeaveWatch(_ watcher: Int) {
        state.withLock { $0.leaveWatchers[watcher] = nil }
    }

    // MARK: - Removing

    /// Ends workers, each after the calls it is working on.
    ///
    /// If this task is cancelled, those calls fail and the workers end at once.
    ///
    /// - Throws: ``ClusterError/Code/noSuchWorker``, before any is ended.
    public func removeWorkers(_ ids: [WorkerID]) async throws {
        try await scheduleRemoval(ids).wait()
    }

    func retire(_ ids: [WorkerID]) async {
        await remove(ids.compactMap { id in state.withLock { $0.members[id]?.member } })
    }

    func remove(_ leaving: [Member]) async {
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
        let entry = remove(member, WorkerEnd(cause: .removed))
        if let entry { await entry.manager.manage(member.id, .deregistered) }
    }

    /// From now on it is no member any more.
    private func remove(_ member: Member, _ end: WorkerEnd) -> (member: Member, manager: any ClusterManager)? {
        let entry = state.withLock { $0.members.removeValue(forKey: member.id) }
        tellPools(ofEndOf: member.id)
        tellOfEnd(member.id, end)
        return entry
    }

    /// A worker has left: those who wait for one of a pool must not wait for it.
    func tellPools(ofEndOf id: WorkerID) {
        everyone.remove(id)
        for watcher in state.withLock({ Array($0.leaveWatchers.values) }) { watcher(id) }
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
            let isDismissed = !member.takesCalls && end.cause == .exited(status: 0)
            let entry = remove(member, isDismissed ? WorkerEnd(cause: .removed) : end)
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
        let (members, local, departures, launches) = state.withLock { state in
            state.isClosed = true
            defer { (state.localMembers, state.ownMember) = ([], nil) }
            return (
                state.members.values.map(\.member),
                state.localMembers + (state.ownMember.map { [$0] } ?? []), Array(state.departures.values),
                Array(state.launches.values)
            )
        }
        for launch in launches { launch.cancel() }
        followExpectations()
        for member in local {
            // Its calls would wait for ever, and it for itself.
            member.fail(ClusterError.closed)
            member.launched.kill()
        }
        await shielded { [self] in
            await withTaskGroup { group in
                for member in members { group.addTask { [self] in await dismiss(member, .closed) } }
                for departure in departures { group.addTask { await departure.value } }
                for launch in launches { group.addTask { await launch.value } }
            }
            for (id, manager) in state.withLock({ state in state.managed.sorted { $0.key < $1.key } }) {
                await manager.manage(id, .finalized)
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
            unlist()
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

    /// Who has brought a worker; nil if it has left.
    func manager(of id: WorkerID) -> (any ClusterManager)? { state.withLock { $0.members[id]?.manager } }

    /// The worker with this number.
    package func member(_ id: WorkerID) throws(ClusterError) -> Member {
        let (member, isClosed) = state.withLock { ($0.members[id]?.member, $0.isClosed) }
        guard !isClosed else { throw .closed }
        guard let member else { throw .noSuchWorker(id) }
        return member
    }

    /// Whether calls to this process are taken: it is there, and, as far as is known here, not about to leave.
    func takesCalls(_ id: WorkerID) -> Bool {
        if id == myID || id == .driver { return !state.withLock { $0.isClosed } }
        if let station { return station.entry(id) != nil }
        return state.withLock { $0.members[id]?.member }?.takesCalls ?? false
    }

    /// All workers, in the order of their numbers.
    package func allMembers() throws(ClusterError) -> [Member] {
        let (members, isClosed) = state.withLock { ($0.members.values.map(\.member), $0.isClosed) }
        guard !isClosed else { throw .closed }
        return members.sorted { $0.id < $1.id }
    }

    /// This process, to be called as others are.
    var ownMember: Member {
        get throws(ClusterError) {
            try state.withLock { state throws(ClusterError) in
                guard !state.isClosed else { throw .closed }
                if let member = state.ownMember { return member }
                let member = InProcessWorker.members(of: self, count: 1, bodies: bodies)[0]
                state.ownMember = member
                return member
            }
        }
    }

    /// What stands in for workers in maps that stay in this process.
    package var localMembers: [Member] {
        get throws(ClusterError) {
            try state.withLock { state throws(ClusterError) in
                guard !state.isClosed else { throw .closed }
                if state.localMembers.isEmpty { state.localMembers = InProcessWorker.members(of: self) }
                return state.localMembers
            }
        }
    }

    /// The worker with the fewest calls under way; of several the oldest.
    package func leastBusyMember() throws(ClusterError) -> Member {
        guard isDriver else { throw .notTheDriver }
        // Who is about to leave has nothing to do, and takes nothing.
        let counted = try allMembers().filter(\.takesCalls).map { ($0.pendingCount, $0.id, $0) }
        guard let first = counted.min(by: { ($0.0, $0.1) < ($1.0, $1.1) }) else { throw .noWorkers }
        return first.2
    }
}
