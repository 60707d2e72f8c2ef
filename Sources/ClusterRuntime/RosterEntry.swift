package import Remote
package import Wire

/// What a worker is told of a process of its cluster.
package struct RosterEntry: Hashable, Sendable, WireCodable {
    package let id: WorkerID
    /// Name of its host.
    package let host: String
    /// The host's number of the process.
    package let process: Int
    /// Processes with the same number other than 0 were started by one agent: they can have rings between them.
    package let neighbourhood: UInt64
    /// What its manager calls it; for topologies of one's own.
    package let identity: String?
    /// Whom it calls, by what the manager calls them.
    package let connectsTo: [String]

    package init(
        id: WorkerID, host: String, process: Int, neighbourhood: UInt64, identity: String? = nil,
        connectsTo: [String] = []
    ) {
        self.id = id
        self.host = host
        self.process = process
        self.neighbourhood = neighbourhood
        self.identity = identity
        self.connectsTo = connectsTo
    }

    /// What the topology has to know of it.
    var place: ClusterTopology.Place { ClusterTopology.Place(id, identity: identity, connectsTo: connectsTo) }

    package func write(to output: inout WireWriter) {
        output.write(id, host, process, neighbourhood, identity, connectsTo)
    }

    package init(from input: inout WireReader) throws(WireError) {
        (id, host, process) = (try input.read(), try input.read(), try input.read())
        (neighbourhood, identity, connectsTo) = (try input.read(), try input.read(), try input.read())
    }
}

/// All processes of a cluster, as the driver tells of them.
struct Roster: Hashable, Sendable, WireCodable {
    let topology: ClusterTopology
    let entries: [RosterEntry]
    /// Workers that have their numbers, and are about to join.
    let arriving: [WorkerID]

    init(topology: ClusterTopology, entries: [RosterEntry], arriving: [WorkerID]) {
        (self.topology, self.entries, self.arriving) = (topology, entries, arriving)
    }

    func write(to output: inout WireWriter) { output.write(topology, entries, arriving) }

    init(from input: inout WireReader) throws(WireError) {
        (topology, entries, arriving) = (try input.read(), try input.read(), try input.read())
    }
}
