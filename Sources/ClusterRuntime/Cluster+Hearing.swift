package import Remote
import Synchronization
package import Transport
package import Wire

// MARK: - What a process hears of the others

extension Cluster {
    /// Takes what the driver of this worker says, as far as it is not for who runs its bodies.
    ///
    /// - Parameter server: Does what the driver asks.
    /// - Throws: `WireError` for what no driver says.
    @inline(never)
    package func hear(_ frame: inout WireReader, asTold server: CallServer?) throws(WireError) {
        if Message.hasNames(frame.rest) { return try hearNamed(&frame, asTold: server) }
        let message: Message = try frame.read()
        try hear(message, &frame, asTold: server)
    }

    @inline(never)
    private func hearNamed(_ frame: inout WireReader, asTold server: CallServer?) throws(WireError) {
        let (bytes, names) = try Message.open(frame.rest)
        let blocks = frame.restOfBlocks
        // SAFETY: every byte of a span of `UInt8` is initialised.
        var input = WireReader(unsafe bytes.span.bytes, from: 0, blocks: blocks.span)
        input.attachments = try hold(names)
        let message: Message = try input.read()
        try hear(message, &input, asTold: server)
    }

    @inline(never)
    private func hear(
        _ message: Message, _ input: inout WireReader, asTold server: CallServer?
    ) throws(WireError) {
        guard let station else { throw input.invalid("a driver is told that by nobody") }
        switch message {
        case .reply, .refusal: try station.driver.hear(message, &input)
        case .allow(let name, let places):
            // The driver, as this worker calls it, knows of no channels: it came before the cluster.
            station.driver.giveBack(channels.allow(name, places), of: name)
        case .relay(let process): try hearRelayed(from: WorkerID(process), &input, station)
        case .roster:
            let roster: Roster = try input.read()
            addToPool(roster.entries)
            for process in station.learn(roster, self) { references.forget(process) }
        case .joined:
            let entry: RosterEntry = try input.read()
            addToPool([entry])
            station.learn([entry], self)
        case .left(let process):
            station.learn(WorkerID(process), try input.read())
            tellPools(ofEndOf: WorkerID(process))
            references.forget(process)
        case .belong, .welcome, .heartbeat: break
        case .shutdown: leaveByDriver()
        default:
            guard try server?.hear(message, &input) == true else { throw input.invalid("a driver does not say that") }
        }
    }

    /// Processes are there: in the pool of all before whoever waits to be told of them looks at it.
    private func addToPool(_ entries: [RosterEntry]) {
        for entry in entries where entry.id != .driver { everyone.add(entry.id) }
    }

    @inline(never)
    private func hearRelayed(
        from process: WorkerID, _ input: inout WireReader, _ station: WorkerStation
    ) throws(WireError) {
        if Message.hasNames(input.rest) { return try hearRelayedNamed(from: process, &input, station) }
        let message: Message = try input.read()
        try hear(message, from: process, &input, station)
    }

    @inline(never)
    private func hearRelayedNamed(
        from process: WorkerID, _ frame: inout WireReader, _ station: WorkerStation
    ) throws(WireError) {
        let (bytes, names) = try Message.open(frame.rest)
        let blocks = frame.restOfBlocks
        // SAFETY: every byte of a span of `UInt8` is initialised.
        var input = WireReader(unsafe bytes.span.bytes, from: 0, blocks: blocks.span)
        input.attachments = try hold(names)
        let message: Message = try input.read()
        try hear(message, from: process, &input, station)
    }

    private func hear(
        _ message: Message, from process: WorkerID, _ input: inout WireReader, _ station: WorkerStation
    ) throws(WireError) {
        switch message {
        case .reply, .refusal, .allow: try station.peer(process)?.hear(message, &input)
        default:
            expectEnds(of: [process.rawValue])
            guard try station.server(for: process, self).hear(message, &input) else {
                throw input.invalid("no process asks that of another")
            }
        }
    }

    /// Has bodies end that other workers have called here.
    ///
    /// - Returns: For each that does not suspend, whether it is still at the same element.
    package func interruptServers() -> [@Sendable () -> Bool] { station?.interrupt() ?? [] }

    /// Serves a worker over a link that it has made to this one.
    package func serve(_ link: any Link, for caller: WorkerID) {
        expectEnds(of: [caller.rawValue])
        let server = CallServer(self, caller: caller, link, bodies: bodies)
        station?.keep(server)
        link.start { frame in
            do {
                try server.receive(&frame)
            } catch {
                // What follows can't be understood either: the caller learns of it by the end of the link.
                link.close()
            }
        } onEnd: { [station] _ in
            station?.drop(server)
            server.end()
        }
    }

    /// Processes refer to something that this one has, or ask for it: their ends must be heard of, and the driver tells of ends
    /// only those who have asked it of others.
    func expectEnds(of processes: [Int]) {
        guard let station else { return }
        for process in station.expectEnds(of: processes) { references.forget(process) }
    }

    // MARK: - What the driver does for its workers

    /// Tells a worker of all processes, and of those that come and go from now on.
    func introduce(_ worker: Member) {
        introductions.withLock { introductions in
            guard introductions.insert(worker.id).inserted else { return }
            // Before the members: whoever becomes one meanwhile is in both.
            let arriving = arrivingWorkers
            let entries = [driverEntry] + ((try? allMembers()) ?? []).map(entry)
            try? worker.tell(.roster) { output in
                output.write(Roster(topology: topology, entries: entries, arriving: arriving))
            }
        }
    }

    /// Tells those who want to know that a process has joined.
    func tellOfJoin(_ member: Member) {
        introductions.withLock { introductions in
            let entry = entry(member)
            for id in introductions where id != member.id {
                try? self.member(id).tell(.joined) { output in output.write(entry) }
            }
        }
    }

    /// Tells those who want to know that a process is gone, and forgets what it held.
    func tellOfEnd(_ id: WorkerID, _ end: WorkerEnd) {
        references.forget(id.rawValue)
        introductions.withLock { introductions in
            introductions.remove(id)
            for other in introductions {
                try? member(other).tell(.left(process: id.rawValue)) { output in output.write(end) }
            }
        }
    }

    private var driverEntry: RosterEntry {
        RosterEntry(id: .driver, host: hostName(), process: processID(), neighbourhood: 0)
    }

    private func entry(_ member: Member) -> RosterEntry {
        let launched = member.launched
        return RosterEntry(
            id: member.id, host: launched.host, process: launched.process,
            neighbourhood: launched.link.sharedMemory.map { UInt64(UInt(bitPattern: $0)) } ?? 0,
            identity: launched.identity, connectsTo: launched.connectsTo)
    }

    /// Passes on what a worker has for another.
    func relay(_ input: inout WireReader, from sender: Member, to id: WorkerID) {
        do {
            let other = try member(id)
            try topology.check(from: entry(sender).place, to: entry(other).place)
            do throws(LinkError) {
                try other.launched.link.relay(input.rest, input.restOfBlocks, sender.id)
            } catch {
                // Of its end all are told; else it is there, and takes this not.
                if error.code != .closed { refuse(input.rest, from: sender, to: other, "\(error)") }
            }
        } catch {
            // It can't be reached any more: whoever waits for its answers learns so.
            let end = WorkerEnd(cause: .lost("it can't be reached: \(error)"))
            try? sender.tell(.left(process: id.rawValue)) { output in output.write(end) }
        }
    }
}

extension Cluster {
    /// What one worker has for another can't be passed on: whoever waits for an answer learns that there is none.
    @inline(never)
    private func refuse(_ frame: RawSpan, from sender: Member, to other: Member, _ reason: String) {
        guard let message = try? Message(relayed: frame) else { return }
        switch message {
        case .call(let call), .callOnce(let call): refuse(call.id, of: sender, by: other.id, reason)
        case .ask(let call, _, _): refuse(call, of: sender, by: other.id, reason)
        case .reply(let call): refuse(call, of: other, by: sender.id, reason)
        default: break
        }
    }

    private func refuse(_ call: UInt64, of caller: Member, by process: WorkerID, _ reason: String) {
        var output = WireWriter(reserving: 64)
        Message.refusal(call: call, reason: reason).write(to: &output)
        // A link that has ended says so by itself.
        try? caller.launched.link.relay(output.bytes, [], process)
    }
}

extension Message {
    /// The head of a message that is passed on.
    fileprivate init(relayed frame: RawSpan) throws(WireError) {
        let bytes = Message.hasNames(frame) ? try Message.open(frame).message : frame.copyBytes()
        var reader = WireReader(bytes.span)
        self = try reader.read()
    }
}

// MARK: - Reaching processes

extension Cluster {
    /// The process with this number, ready to be called. From a worker to another a link is made if there is none.
    ///
    /// - Throws: ``ClusterError/Code/noSuchWorker``, ``ClusterError/Code/closed``.
    package nonisolated(nonsending) func reach(_ id: WorkerID) async throws -> Member {
        if id == myID { return try ownMember }
        guard let station else { return try member(id) }
        return try await station.reach(id, self)
    }

    /// The worker that this process knows to have the least to do; in a worker one after the other.
    nonisolated(nonsending) func leastBusyWorker() async throws -> WorkerID {
        guard let station else { return try leastBusyMember().id }
        try await station.introduce()
        return try station.nextWorker()
    }

    /// All workers, ready to be called, in the order of their numbers; not those that are known to be about to leave.
    package nonisolated(nonsending) func reachAll() async throws -> [Member] {
        guard let station else { return try allMembers().filter(\.takesCalls) }
        try await station.introduce()
        var members: [Member] = []
        for entry in station.roster where entry.id != .driver { members.append(try await reach(entry.id)) }
        return members
    }
}
