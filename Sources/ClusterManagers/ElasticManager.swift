import Agent
public import ClusterRuntime
import Glibc
import Machine
import Placement
public import Remote
import Synchronization
import Transport

/// Workers that come and go as they like: this driver listens, and whoever has its join file may join.
///
/// ```swift
/// let elastic = ElasticManager(address: .automatic)
/// try await withCluster(elastic) { cluster in
///     print(elastic)      // who is there, and the command that joins
///     let squares = try await cluster.pmap(1...1000) { $0 * $0 }      // waits for the first worker
/// }
/// ```
public final class ElasticManager: ClusterManager {
    /// The port that is listened on unless told.
    public static let standardPort = 9009

    private struct State {
        var port: (any DriverPort)?
        var invitation: (any DriverInvitation)?
        var joinFile: String?
        var active: Set<WorkerID> = []
        var gone: Set<WorkerID> = []
        /// Hosts whose agent has joined, and that bring workers up at the moment.
        var pending = 0
        var hosts: [ObjectIdentifier: RemoteHost] = [:]
    }

    private let address: NetworkAddress
    private let portNumber: Int
    private let key: ClusterKey?
    private let limit: Int
    private let duration: Duration
    private let wantedJoinFile: String?
    private let isPathAbsolute: Bool
    private let printsOutput: Bool
    private let command: (@Sendable (String) -> String)?
    private let state = Mutex(State())

    /// Prepares; the port is opened when the manager is given to a cluster.
    ///
    /// - Parameters:
    ///   - address: Where to listen; the loopback address unless told.
    ///   - port: 0 for any free one.
    ///   - key: A key of the user's; a random one unless told.
    ///   - joins: How many processes may join in all.
    ///   - duration: How long they may; a week unless told.
    ///   - joinFile: Path of the file to write for them; one in the user's runtime directory unless told.
    ///   - isPathAbsolute: Whether the command that joins names the program by its absolute path.
    ///   - command: Makes the command that joins of the join file's path, where it is not this program with its arguments.
    ///   - printsOutput: Whether what workers print comes to this process; else it stays where they are.
    public init(
        address: NetworkAddress = .loopback, port: Int = ElasticManager.standardPort, key: ClusterKey? = nil,
        joins: Int = 10_000, for duration: Duration = .seconds(7 * 24 * 3600), joinFile: String? = nil,
        isPathAbsolute: Bool = true, command: (@Sendable (String) -> String)? = nil, printsOutput: Bool = true
    ) {
        precondition((0...65_535).contains(port), "a port is in 0...65535")
        precondition(joins >= 1, "somebody may join")
        self.address = address
        portNumber = port
        self.key = key
        limit = joins
        self.duration = duration
        wantedJoinFile = joinFile
        self.isPathAbsolute = isPathAbsolute
        self.command = command
        self.printsOutput = printsOutput
    }

    /// Listens, writes the join file, and returns: workers come later.
    ///
    /// - Throws: What keeps it from listening, or from writing the file.
    public func launch(_ site: LaunchSite) async throws {
        let port = try await site.network.listen(at: address, port: portNumber)
        let invitation = try port.invite(limit, for: duration, key: key?.bytes) { [self] link, address, remaining in
            if remaining == 0 { removeJoinFile() }
            Task { await take(link, from: address, site) }
        }
        let path = wantedJoinFile ?? RuntimeDirectory.path + "/join-\(getpid())-\(port.port)"
        if wantedJoinFile == nil { invitation.remove(path) }  // one that a dead process of our number left
        do { try invitation.write(to: path) } catch {
            invitation.revoke()
            throw error
        }
        state.withLock { state in
            (state.port, state.invitation, state.joinFile) = (port, invitation, path)
        }
        site.expectMore()
        site.whenClosed { [self] in await close() }
    }

    private func removeJoinFile() {
        let (invitation, path) = state.withLock { state in
            defer { state.joinFile = nil }
            return (state.invitation, state.joinFile)
        }
        if let path { invitation?.remove(path) }
    }

    private func close() async {
        removeJoinFile()
        let (invitation, hosts) = state.withLock { ($0.invitation, Array($0.hosts.values)) }
        invitation?.revoke()
        await withTaskGroup { group in
            for host in hosts { group.addTask { await host.dismiss() } }
        }
    }

    /// Somebody has joined.
    private func take(_ link: any Link, from address: String, _ site: LaunchSite) async {
        let host = RemoteHost(link, at: address, site)
        let key = ObjectIdentifier(host)
        state.withLock { state in
            state.pending += 1
            state.hosts[key] = host
        }
        host.end.whenHere { [self] _ in
            state.withLock { _ = $0.hosts.removeValue(forKey: key) }
        }
        do {
            let description = try await host.greet()
            var request = description.offer ?? .ofHost()
            request.keepsOutput = !printsOutput
            try await host.launch(request)
        } catch {
            notice("a process joined, and brought no workers: \(error)")
            await host.dismiss()
        }
        state.withLock { $0.pending -= 1 }
    }

    /// Notes who is there.
    public func manage(_ worker: WorkerID, _ event: WorkerEvent) async {
        state.withLock { state in
            switch event {
            case .registered: state.active.insert(worker)
            default:
                if state.active.remove(worker) != nil { state.gone.insert(worker) }
            }
        }
    }

    /// The command that joins, for a shell; `nil` where there is no ``joinFile``.
    public var joinCommand: String? { joinFile.map(joinCommand) }

    private func joinCommand(_ path: String) -> String {
        if let command { return command(path) }
        let arguments = CommandLine.arguments
        let program = isPathAbsolute ? ProgramPath.current ?? arguments[0] : arguments[0]
        return
            (["MUSTER_JOIN=" + ShellWord.quoted(path), ShellWord.quoted(program)]
            + arguments.dropFirst().map(ShellWord.quoted)).joined(separator: " ")
    }

    /// The file with which processes join; `nil` before the manager was given to a
    /// cluster, and after the last of those who may join has.
    public var joinFile: String? { state.withLock { $0.joinFile } }

    /// The number of the port; `nil` before the manager was given to a cluster.
    public var port: Int? { state.withLock { $0.port?.port } }
}

extension ElasticManager: CustomStringConvertible {
    /// Address and port, the workers that are there, are coming, and have gone, and the command that joins.
    public var description: String {
        let (port, path, active, pending, gone) = state.withLock { state in
            (state.port, state.joinFile, state.active, state.pending, state.gone)
        }
        guard let port else { return "elastic manager, not listening yet (\(address), port \(portNumber))" }
        func list(_ ids: Set<WorkerID>) -> String {
            // Numbers with their ranges, as sets of CPUs are written.
            ids.isEmpty ? "none" : "\(CPUSet(ids.map(\.rawValue)))"
        }
        var lines = [
            "elastic manager at \(port.addresses.joined(separator: ", ")) port \(port.port)",
            "  active workers: \(list(active))", "  pending hosts: \(pending)", "  gone workers: \(list(gone))",
        ]
        if let path { lines.append("  to join: \(joinCommand(path))") }
        return lines.joined(separator: "\n")
    }
}

extension ClusterManager where Self == ElasticManager {
    /// Workers that come and go as they like; see ``ElasticManager``.
    ///
    /// - Parameters:
    ///   - address: Where to listen; the loopback address unless told.
    ///   - port: 9009 unless told; 0 for any free one.
    ///   - key: A key of the user's; a random one unless told.
    public static func elastic(
        address: NetworkAddress = .loopback, port: Int = ElasticManager.standardPort, key: ClusterKey? = nil
    ) -> ElasticManager {
        ElasticManager(address: address, port: port, key: key)
    }
}
