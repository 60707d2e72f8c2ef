public import Remote
public import Transport

extension Cluster {
    /// The numbers of all processes, ascending: the driver's, then those of ``workers``.
    public var processes: [WorkerID] { [.driver] + workers }

    /// How many processes there are, the driver among them.
    public var processCount: Int { workerCount + 1 }

    /// How many workers there are: 0 where there is only the driver, which does not count as one.
    public var workerCount: Int { workers.count }

    /// The numbers of all processes on the host of one of them, ascending.
    ///
    /// - Throws: ``ClusterError/Code/noSuchWorker``, ``ClusterError/Code/closed``.
    public func processes(onHostOf process: WorkerID) throws(ClusterError) -> [WorkerID] {
        let hosts = try hosts()
        guard let host = hosts.first(where: { $0.0 == process })?.1 else { throw .noSuchWorker(process) }
        return hosts.filter { $0.1 == host }.map(\.0)
    }

    /// All processes and the names of their hosts, ascending.
    private func hosts() throws(ClusterError) -> [(WorkerID, String)] {
        if let station { return station.roster.map { ($0.id, $0.host) } }
        return [(.driver, hostName())] + (try allMembers().map { ($0.id, $0.launched.host) })
    }

    /// The worker at the other end of a link; `nil` if there is none, or no more.
    public func worker(over link: any Link) -> WorkerID? {
        (try? allMembers())?.first { $0.launched.link === link }?.id
    }
}
