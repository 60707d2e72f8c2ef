import Remote
import Synchronization
package import Transport
import Wire

/// What a worker knows of the other processes of its cluster, and its ways to them.
final class WorkerStation: Sendable {
    private struct State {
        /// By number; nil as long as the driver was not asked.
        var roster: [WorkerID: RosterEntry]?
        var isIntroduced = false
        var topology = ClusterTopology.allToAll()
        /// How those that have left did.
        var ends: [WorkerID: WorkerEnd] = [:]
        /// Who refers to something here, or asks for it.
        var holders: Set<WorkerID> = []
        /// Those that were about to join when the driver told of all.
        var arriving: Set<WorkerID> = []
        /// The highest number that there was then: whoever is below it, and neither there nor about to come, had ended.
        var highest = WorkerID.driver

        /// Those who were heard of, and are gone.
        mutating func takeGone() -> [Int] {
            guard let roster else { return [] }
            let gone = holders.filter { $0 <= highest && roster[$0] == nil && !arriving.contains($0) }
            holders.subtract(gone)
            return gone.map(\.rawValue)
        }
        var peers: [WorkerID: Peer] = [:]
        var making: [WorkerID: Task<Member, any Error>] = [:]
        /// For those that call over the driver.
        var servers: [WorkerID: CallServer] = [:]
        /// For those that call over links of their own.
        var linked: [ObjectIdentifier: CallServer] = [:]
        var hasLeft = false
        /// How often somebody wanted any worker.
        var turns = 0
    }

    private struct Peer {
        let member: Member
        let process: PeerProcess
        let isRelayed: Bool
    }

    /// Seconds from the end of a link to a process until it is taken for lost though the driver has not said so.
    private static let grace = 5.0

    private let me: WorkerID
    private let driverLink: any Link
    /// The driver, to be called.
    let driver: Member
    private let connect: (any PeerConnector)?
    private let here = Eventual<Bool>()
    private let state = Mutex(State())

    init(_ me: WorkerID, of identity: UInt64, driver link: any Link, _ connect: (any PeerConnector)?) {
        self.me = me
        driverLink = link
        self.connect = connect
        driver = Member(
            id: .driver, launched: PeerProcess(link, host: "the driver's host", process: 0), identity: identity)
    }

    // MARK: - The roster

    /// Waits until the driver has told of all processes; it is asked once.
    func introduce() async throws {
        askForRoster()
        guard await here.get() else { throw ClusterError.closed }
    }

    /// Asks the driver for all processes, once; where it is gone, so is this process.
    func askForRoster() {
        let isFirst = state.withLock { state in
            defer { state.isIntroduced = true }
            return !state.isIntroduced
        }
        if isFirst { try? driverLink.send(.introduce) }
    }

    /// Has the driver tell of the ends of processes, and does not wait for it; returns those that are gone already.
    func expectEnds(of processes: [Int]) -> [Int] {
        let others = processes.map { WorkerID($0) }.filter { $0 != .driver && $0 != me }
        guard !others.isEmpty else { return [] }
        let gone = state.withLock { state in
            state.holders.formUnion(others)
            return state.takeGone()
        }
        askForRoster()
        return gone
    }

    var roster: [RosterEntry] {
        state.withLock { ($0.roster ?? [:]).values.sorted { $0.id < $1.id } }
    }

    /// Another worker each time: how much they have to do, only the driver knows.
    func nextWorker() throws(ClusterError) -> WorkerID {
        try state.withLock { state throws(ClusterError) in
            let workers = (state.roster ?? [:]).keys.filter { $0 != .driver }.sorted()
            guard !workers.isEmpty else { throw .noWorkers }
            defer { state.turns += 1 }
            return workers[(state.turns + me.rawValue) % workers.count]
        }
    }

    func entry(_ id: WorkerID) -> RosterEntry? { state.withLock { $0.roster?[id] } }

    /// The driver tells of all processes. Returns those that refer to something here and have ended, of which nobody has told.
    func learn(_ roster: Roster, _ cluster: Cluster) -> [Int] {
        state.withLock { state in
            (state.topology, state.isIntroduced) = (roster.topology, true)
            state.arriving = Set(roster.arriving)
            state.highest = (roster.entries.map(\.id) + roster.arriving).max() ?? .driver
        }
        learn(roster.entries, cluster)
        return state.withLock { $0.takeGone() }
    }

    /// There are more processes.
    func learn(_ entries: [RosterEntry], _ cluster: Cluster) {
        let isLazy = state.withLock { state in
            var roster = state.roster ?? [:]
            for entry in entries where state.ends[entry.id] == nil { roster[entry.id] = entry }
            state.roster = roster
            return state.topology.isLazy
        }
        here.fulfil(true)
        guard !isLazy else { return }
        // Where one can't be reached, a call says so.
        Task { for entry in entries where entry.id != me { _ = try? await reach(entry.id, cluster) } }
    }

    /// A process has left the cluster.
    func learn(_ id: WorkerID, _ end: WorkerEnd) {
        let (peer, server) = state.withLock { state in
            state.roster?[id] = nil
            state.ends[id] = end
            return (state.peers[id], state.servers.removeValue(forKey: id))
        }
        server?.end()
        guard let peer else { return }
        peer.process.hasEnded(end)
        // What it said over a link of its own may still be read: the end of that link follows.
        if peer.isRelayed { lose(peer) }
    }

    // MARK: - Reaching others

    /// A process that was reached before.
    func peer(_ id: WorkerID) -> Member? {
        if id == .driver { return driver }
        return state.withLock { $0.peers[id]?.member }
    }

    /// The process with a number, over a link that is made now if there is none.
    func reach(_ id: WorkerID, _ cluster: Cluster) async throws -> Member {
        if let known = peer(id) { return known }
        try await introduce()
        let task = try state.withLock { state throws(ClusterError) -> Task<Member, any Error> in
            if let task = state.making[id] { return task }
            guard !state.hasLeft else { throw .closed }
            guard let entry = state.roster?[id], let mine = state.roster?[me] else { throw .noSuchWorker(id) }
            try state.topology.check(from: mine.place, to: entry.place)
            let task = Task { try await self.make(entry, cluster) }
            state.making[id] = task
            return task
        }
        defer { state.withLock { _ = $0.making.removeValue(forKey: id) } }
        return try await task.value
    }

    private func make(_ entry: RosterEntry, _ cluster: Cluster) async throws -> Member {
        if let known = peer(entry.id) { return known }
        let link = await directLink(to: entry)
        let process = PeerProcess(
            link ?? RelayLink(to: entry.id, over: driverLink), host: entry.host, process: entry.process)
        let member = Member(id: entry.id, launched: process, cluster: cluster)
        let peer = Peer(member: member, process: process, isRelayed: link == nil)
        let end = try state.withLock { state throws(ClusterError) -> WorkerEnd? in
            // Whoever left meanwhile has failed the calls to those that were there.
            guard !state.hasLeft else { throw .closed }
            state.peers[entry.id] = peer
            return state.ends[entry.id]
        }
        link?.start { frame in
            member.receive(&frame)
        } onEnd: { [self] _ in
            linkEnded(peer)
        }
        if let end {
            process.hasEnded(end)
            if link == nil { lose(peer) }
        }
        return member
    }

    /// Rings to a worker of the same host. Where they can't be had, what is for it goes over the driver.
    private func directLink(to entry: RosterEntry) async -> (any Link)? {
        guard let connect, let mine = self.entry(me), mine.neighbourhood != 0,
            entry.neighbourhood == mine.neighbourhood
        else { return nil }
        return try? await connect.connect(toProcess: entry.process)
    }

    private func linkEnded(_ peer: Peer) {
        Task {
            let deadline = Task {
                try await Task.sleep(for: .seconds(WorkerStation.grace))
                peer.process.hasEnded(WorkerEnd(cause: .lost("the link to it ended")))
            }
            _ = await peer.process.end()
            deadline.cancel()
            lose(peer)
        }
    }

    private func lose(_ peer: Peer) {
        Task {
            let end = await peer.process.end()
            let id = peer.member.id
            state.withLock { if $0.peers[id]?.member === peer.member { $0.peers[id] = nil } }
            peer.member.fail(
                end.cause == .removed
                    ? ClusterError.noSuchWorker(id) : WorkerExited(worker: id, host: peer.process.host, end: end))
        }
    }

    // MARK: - Being called

    /// Serves a process that calls over the driver.
    func server(for id: WorkerID, _ cluster: Cluster) -> CallServer {
        state.withLock { state in
            if let server = state.servers[id] { return server }
            let server = CallServer(cluster, caller: id, RelayLink(to: id, over: driverLink), bodies: cluster.bodies)
            state.servers[id] = server
            return server
        }
    }

    /// Somebody calls over a link of its own.
    func keep(_ server: CallServer) { state.withLock { $0.linked[ObjectIdentifier(server)] = server } }

    /// That link has ended.
    func drop(_ server: CallServer) { state.withLock { $0.linked[ObjectIdentifier(server)] = nil } }

    /// Bodies are to end that others than the driver have called.
    ///
    /// - Returns: As ``CallServer/interrupt()``, for each that runs.
    func interrupt() -> [@Sendable () -> Bool] {
        let servers = state.withLock { Array($0.servers.values) + $0.linked.values }
        return servers.compactMap { $0.interrupt() }
    }

    /// The process is part of the cluster no more.
    func leave() {
        let (peers, servers) = state.withLock { state in
            state.hasLeft = true
            defer {
                state.peers = [:]
                state.servers = [:]
            }
            return (Array(state.peers.values), Array(state.servers.values))
        }
        here.fulfil(false)
        for server in servers { server.end() }
        for peer in peers {
            peer.member.fail(ClusterError.closed)
            peer.process.link.close()
        }
        driver.fail(ClusterError.closed)
    }
}

/// Makes links between the workers of one host.
package protocol PeerConnector: Sendable {
    /// A link to the worker that is a process of this host.
    func connect(toProcess process: Int) async throws -> any Link
}
