import Agent
public import ClusterRuntime
import Glibc
import Machine
import Transport

/// Workers on a host that can't reach this driver: a process there listens, and the driver dials it.
///
/// ```swift
/// // On the other host: MUSTER_JOIN=FILE program…, with the file that this writes.
/// let ids = try await cluster.addWorkers(.dialled("node7", port: 9009, joinFile: "/home/me/.muster/node7"))
/// ```
public struct DialledManager: ClusterManager {
    private let host: String
    private let port: Int
    private let address: String
    private let joinFile: String
    private let workers: Int?
    private let patience: Duration

    /// - Parameters:
    ///   - host: Name or address by which this driver reaches the host.
    ///   - port: Where the process there listens, 1 to 65,535.
    ///   - address: The address of its host that it listens on, the name of an interface there, or `automatic`: the private
    ///     addresses of the interface that leads to others.
    ///   - joinFile: Path of the file to write for it, with a key for it alone. It has to be taken there as it is: for its
    ///     user's eyes only.
    ///   - workers: How many; what it offers itself, or one for each of its cores, unless told.
    ///   - patience: How long it may take to be there; 10 minutes unless told.
    public init(
        _ host: String, port: Int, address: String = "automatic", joinFile: String, workers: Int? = nil,
        patience: Duration = .seconds(600)
    ) {
        precondition((1...65_535).contains(port), "a port is in 1...65535")
        self.host = host
        self.port = port
        self.address = address
        self.joinFile = joinFile
        self.workers = workers
        self.patience = patience
    }

    /// Writes the join file, and dials until the process is there.
    ///
    /// - Throws: What keeps it from writing the file, from reaching the process in time, or the process from having workers.
    public func launch(_ site: LaunchSite) async throws {
        let summons = try site.network.summon(at: [address], port: port, for: patience)
        try summons.write(to: joinFile)
        notice(
            """
            dialling \(host) port \(port); start there, with a copy of the file (mode 600, in a directory of mode 700): \
            \(OwnProcess.joinCommand(joinFile))
            """)
        defer { summons.remove(joinFile) }
        let host = RemoteHost(try await summons.reach([host], port: port, within: patience), at: nil, site)
        site.whenClosed { await host.dismiss() }
        do {
            let description = try await host.greet()
            try await host.launch(workers.map { .ofHost(workers: $0) } ?? description.offer ?? .ofHost())
        } catch {
            await host.dismiss()
            throw error
        }
    }
}

extension ClusterManager where Self == DialledManager {
    /// Workers on a host that can't reach this driver; see ``DialledManager``.
    public static func dialled(
        _ host: String, port: Int = ElasticManager.standardPort, address: String = "automatic", joinFile: String,
        workers: Int? = nil, patience: Duration = .seconds(600)
    ) -> DialledManager {
        DialledManager(host, port: port, address: address, joinFile: joinFile, workers: workers, patience: patience)
    }
}
