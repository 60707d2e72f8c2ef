import Agent
public import ClusterRuntime
public import Placement

/// Starts workers on other hosts over SSH, pinned there as local ones are here.
///
/// On each host OpenSSH's client starts one agent, which connects to this process and starts the workers. This process
/// listens for that, so the hosts have to reach it. For one that can't, give an address of its own behind its name
/// (`"node1 10.0.0.9"`): the agent listens there, and this process dials it; or, if only SSH goes through, see
/// ``SSHOptions/tunnel``. The secret by which both
/// sides know each other goes by the agent's standard input.
public struct SSHManager: ClusterManager {
    /// Where to start workers.
    private let hosts: Result<[SSHHost], LaunchError>
    /// Number of workers on a host for which none is given.
    public let workers: WorkerCount
    /// Where this process listens for them; with a tunnel it listens at its loopback interface only.
    public let address: NetworkAddress
    /// How they are started.
    public let options: SSHOptions
    /// Where they go on each host; the number in it is of no account.
    private let placement: PlacementRequest

    /// Names the hosts, and what is wanted there.
    ///
    /// - Parameters:
    ///   - workers: Number of workers on a host for which none is given.
    ///   - placement: Where they go on each host; the number in it is of no account.
    ///   - address: Where this process listens for them.
    ///   - options: How they are started.
    public init(
        hosts: [SSHHost], workers: WorkerCount = .automatic, placement: PlacementRequest = PlacementRequest(),
        address: NetworkAddress = .automatic, options: SSHOptions = SSHOptions()
    ) {
        self.init(.success(hosts), workers, placement, address, options)
    }

    init(
        _ hosts: Result<[SSHHost], LaunchError>, _ workers: WorkerCount, _ placement: PlacementRequest,
        _ address: NetworkAddress, _ options: SSHOptions
    ) {
        (self.hosts, self.workers, self.placement) = (hosts, workers, placement)
        (self.address, self.options) = (address, options)
    }

    /// Starts the agents, some at a time, and the workers of each as soon as it is there.
    ///
    /// - Throws: ``SSHFailure`` with what was run on which host, what it said, and the likely cure; `LaunchError` for what
    ///   can't be had; what keeps this process from listening. The first failure ends the launch on all hosts.
    public func launch(_ site: LaunchSite) async throws {
        // A default has no way to say that what it was made of is no time limit.
        _ = try StartLimit.seconds()
        guard options.maxParallel >= 1 else {
            throw LaunchError("maxParallel is \(options.maxParallel); at least one host has to be started on at a time")
        }
        let shares = try SSHManager.shares(of: hosts.get(), workers)
        // Where every host listens itself, nobody comes.
        let isDialled = !options.tunnel && shares.contains { $0.host.bindAddress == nil }
        let port = try await site.network.listen(at: isDialled ? address : .loopback, port: 0)
        let launches = shares.map { share in
            var placement = placement
            placement.workers = share.workers
            return SSHLaunch(host: share.host, placement: placement, options: options, port: port, site: site)
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            var rest = launches[...]
            func startNext() {
                guard let launch = rest.popFirst() else { return }
                group.addTask { try await launch.run() }
            }
            for _ in 0..<options.maxParallel where !rest.isEmpty { startNext() }
            while try await group.next() != nil { startNext() }
        }
    }

    /// A host, and how many workers it gets; `nil` if its CPUs decide.
    struct Share: Hashable {
        var host: SSHHost
        var workers: Int?
    }

    /// Puts together what is given for the same host, so that it gets one agent, and the program once.
    static func shares(of hosts: [SSHHost], _ usual: WorkerCount) throws(LaunchError) -> [Share] {
        guard !hosts.isEmpty else { throw LaunchError("no hosts were given; name at least one") }
        var shares: [Share] = []
        for var host in hosts {
            let number = (host.workers ?? usual).number
            if let number, number < 1 {
                throw LaunchError("\(number) workers were asked for on \(host.destination); ask for at least one")
            }
            host.workers = nil
            guard let index = shares.firstIndex(where: { $0.host == host }) else {
                shares.append(Share(host: host, workers: number))
                continue
            }
            guard let number, let others = shares[index].workers else {
                throw LaunchError(
                    """
                    \(host.destination) is given more than once, with workers for all of its CPUs: name it once, or say \
                    how many workers it gets each time
                    """)
            }
            shares[index].workers = others + number
        }
        return shares
    }
}

extension ClusterManager where Self == SSHManager {
    /// Workers on other hosts, over SSH.
    ///
    /// ```swift
    /// try await withCluster(.ssh(["ada@node1", "4*node2:2222"])) { cluster in … }
    /// ```
    ///
    /// - Parameters:
    ///   - hosts: Each `[count*][user@]host[:port] [bind_addr[:port]]`; see ``SSHHost``.
    ///   - workers: Number of workers on a host for which none is given; one for each usable core of the host unless told.
    ///   - mode: How they are spread over the host; see ``PlacementMode``.
    ///   - threads: CPUs for each worker.
    ///   - address: Where this process listens for them.
    ///   - options: How they are started.
    public static func ssh(
        _ hosts: [String], workers: WorkerCount = .automatic, mode: PlacementMode = .balanced, threads: Int = 1,
        address: NetworkAddress = .automatic, options: SSHOptions = SSHOptions()
    ) -> SSHManager {
        SSHManager(
            Result { () throws(LaunchError) in
                var all: [SSHHost] = []
                for text in hosts { all.append(try SSHHost(text)) }
                return all
            }, workers, PlacementRequest(mode: mode, threads: threads), address, options)
    }

    /// Workers on other hosts, over SSH, with a number of workers for each; see ``ssh(_:workers:mode:threads:address:options:)``.
    public static func ssh(
        _ hosts: [(String, WorkerCount)], mode: PlacementMode = .balanced, threads: Int = 1,
        address: NetworkAddress = .automatic, options: SSHOptions = SSHOptions()
    ) -> SSHManager {
        SSHManager(
            Result { () throws(LaunchError) in
                var all: [SSHHost] = []
                for (text, workers) in hosts { all.append(try SSHHost(text, workers: workers)) }
                return all
            }, .automatic, PlacementRequest(mode: mode, threads: threads), address, options)
    }
}
