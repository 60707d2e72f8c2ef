import Agent
public import ClusterRuntime
import Glibc
import Machine
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
        /// Takes back that workers are to be expected; `nil` once nobody can join any more.
        var stopExpecting: (@Sendable () -> Void)?
        var isClosed = false
        var hosts: [ObjectIdentifier: RemoteHost] = [:]
        var roll = ElasticRoll<ObjectIdentifier>()
    }

    private let address: NetworkAddress
    private let portNumber: Int
    private let key: ClusterKey?
    private let topology: ElasticTopology
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
    ///   - topology: Who talks to whom.
    ///   - joins: How many processes may join in all.
    ///   - duration: How long they may; a week unless told.
    ///   - joinFile: Path of the file to write for them; one in the user's runtime directory unless told.
    ///   - isPathAbsolute: Whether the command that joins names the program by its absolute path.
    ///   - command: Makes the command that joins of the join file's path, where it is not this program with its arguments.
    ///   - printsOutput: Whether what workers print comes to this process; else it stays where they are.
    public init(
        address: NetworkAddress = .loopback, port: Int = ElasticManager.standardPort, key: ClusterKey? = nil,
        topology: ElasticTopology = .driverWorker, joins: Int = 10_000,
        for duration: Duration = .seconds(7 * 24 * 3600), joinFile: String? = nil, isPathAbsolute: Bool = true,
        command: (@Sendable (String) -> String)? = nil, printsOutput: Bool = true
    ) {
        precondition((0...65_535).contains(port), "a port is in 0...65535")
        precondition(joins >= 1, "somebody may join")
        precondition(duration > .zero, "they have some time to join")
        self.address = address
        portNumber = port
        self.key = key
        self.topology = topology
        limit = joins
        self.duration = duration
        // Whoever joins may be in another directory, and this process in another one by then.
        wantedJoinFile = joinFile.map(OwnProcess.absolute)
        self.isPathAbsolute = isPathAbsolute
        self.command = command
        self.printsOutput = printsOutput
    }

    /// Listens, writes the join file, and returns: workers come later.
    ///
    /// - Throws: What keeps it from listening, or from writing the file; `LaunchError` if it listens already.
    public func launch(_ site: LaunchSite) async throws {
        try topology.check()
        let isAtWork = state.withLock { $0.port != nil && !$0.isClosed }
        guard !isAtWork else {
            throw LaunchError("this elastic manager listens for a cluster already; make another one, with another port")
        }
        let port = try await site.network.listen(at: address, port: portNumber)
        site.expectMore()
        let expectation = Expectation(site)
        let invitation: any DriverInvitation
        do {
            invitation = try port.invite(limit, for: duration, key: key?.bytes) { [self] link, address, remaining in
                // Until its workers are there they are expected, whether or not others may join.
                site.expectMore()
                if remaining == 0 { stopInviting() }
                Task {
                    await take(link, from: address, site)
                    site.expectNoMore()
                }
            }
        } catch {
            expectation.end()
            throw error
        }
        let path: String
        do {
            path = try write(invitation, port.port)
        } catch {
            invitation.revoke()
            expectation.end()
            throw error
        }
        let expiry = Task { [weak self, duration] in
            try await Task.sleep(for: duration)
            self?.stopInviting()
        }
        state.withLock { state in
            (state.port, state.invitation, state.joinFile, state.isClosed) = (port, invitation, path, false)
            state.stopExpecting = { expectation.end() }
        }
        // Those who may join can have done so already.
        if invitation.isUsedUp { stopInviting() }
        site.whenClosed { [self] in
            expiry.cancel()
            await close()
        }
    }

    /// That workers may come, until it ends; of several ends the first counts.
    private final class Expectation: Sendable {
        private let site: Mutex<LaunchSite?>

        init(_ site: LaunchSite) { self.site = Mutex(site) }

        func end() { site.withLock { $0.take() }?.expectNoMore() }
    }

    /// Writes the join file where the user wants it; else under a name that no other manager of this process has.
    private func write(_ invitation: any DriverInvitation, _ port: Int) throws -> String {
        if let wantedJoinFile {
            try invitation.write(to: wantedJoinFile)
            return wantedJoinFile
        }
        let base = RuntimeDirectory.path + "/join-\(getpid())-\(port)"
        var number = 1
        while true {
            let path = number == 1 ? base : "\(base)-\(number)"
            do {
                try invitation.write(to: path)
                return path
            } catch {
                // A name that is there was this process's own, or that of one with this number in another container.
                guard unsafe access(path, F_OK) == 0, number < 1000 else { throw error }
                number += 1
            }
        }
    }

    /// Lets nobody else join, and removes the join file; workers that there are stay.
    public func stopInviting() {
        let (invitation, path, stop) = state.withLock { state in
            defer { (state.joinFile, state.stopExpecting) = (nil, nil) }
            return (state.invitation, state.joinFile, state.stopExpecting)
        }
        if let path { invitation?.remove(path) }
        invitation?.revoke()
        stop?()
    }

    private func close() async {
        stopInviting()
        let hosts = state.withLock { state in
            state.isClosed = true
            return Array(state.hosts.values)
        }
        await withTaskGroup { group in
            for host in hosts { group.addTask { await host.dismiss() } }
        }
    }

    /// Somebody has joined.
    private func take(_ link: any Link, from address: String?, _ site: LaunchSite) async {
        let host = RemoteHost(link, at: address, site) { [self] id, worker in
            worker.end.whenHere { [self] end in
                state.withLock { $0.roll.ended(id, end.causeInWords) }
            }
        }
        let key = ObjectIdentifier(host)
        state.withLock { state in
            state.roll.came(key)
            state.hosts[key] = host
        }
        host.end.whenHere { [self] _ in
            state.withLock { _ = $0.hosts.removeValue(forKey: key) }
        }
        do {
            let description = try await host.greet()
            var request = description.offer ?? .ofHost()
            request.keepsOutput = request.keepsOutput || !printsOutput
            state.withLock { $0.roll.isBringing(key, request.workerCount, on: description.host) }
            try await host.launch(request)
        } catch {
            notice("a process joined, and brought no workers: \(error)")
            await host.dismiss()
        }
        state.withLock { $0.roll.hasBrought(key) }
    }

    /// Notes who is there.
    public func manage(_ worker: WorkerID, _ event: WorkerEvent) async {
        state.withLock { state in
            if event == .registered { state.roll.registered(worker) } else { state.roll.deregistered(worker) }
        }
    }

    /// The command that joins, for a shell; `nil` where there is no ``joinFile``.
    public var joinCommand: String? { joinFile.map(joinCommand) }

    private func joinCommand(_ path: String) -> String {
        if let command { return command(path) }
        return OwnProcess.joinCommand(path, isPathAbsolute: isPathAbsolute)
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
        let (port, path, isClosed, roll) = state.withLock { ($0.port, $0.joinFile, $0.isClosed, $0.roll) }
        guard let port, !isClosed else {
            return
                ([
                    "elastic manager, not listening\(port == nil ? " yet" : " any more") (\(address), port \(portNumber))"
                ]
                + (port == nil ? [] : roll.lines)).joined(separator: "\n")
        }
        let place = "elastic manager at \(port.addresses.joined(separator: ", ")) port \(port.port)"
        let end = path.map { "to join: \(joinCommand($0))" } ?? "nobody else can join"
        return ([place] + roll.lines + ["  \(end)"]).joined(separator: "\n")
    }
}

extension ClusterManager where Self == ElasticManager {
    /// Workers that come and go as they like; see ``ElasticManager``.
    ///
    /// - Parameters:
    ///   - address: Where to listen; the loopback address unless told.
    ///   - port: 9009 unless told; 0 for any free one.
    ///   - key: A key of the user's; a random one unless told.
    ///   - topology: Who talks to whom.
    public static func elastic(
        address: NetworkAddress = .loopback, port: Int = ElasticManager.standardPort, key: ClusterKey? = nil,
        topology: ElasticTopology = .driverWorker
    ) -> ElasticManager {
        ElasticManager(address: address, port: port, key: key, topology: topology)
    }
}
