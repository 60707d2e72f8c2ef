import Agent
import ClusterRuntime
import Remote
import Synchronization
import Transport

/// A host whose agent has joined, as a manager has it.
final class RemoteHost: Sendable {
    /// How the host ended, and when.
    let end = Eventual<LinkError?>()
    /// Whether its agent was sent home because there was nothing left for it to do.
    var isSentHome: Bool { roster.isSentHome }
    private let connection: HostConnection
    private let roster: Roster
    private let site: LaunchSite

    /// - Parameters:
    ///   - link: To the agent; not started yet.
    ///   - address: Where the host is, as seen from here; `nil` where others can't reach it there, as behind a tunnel.
    ///   - onAdded: Called with each worker that the cluster has taken.
    init(
        _ link: any Link, at address: String?, _ site: LaunchSite,
        onAdded: @escaping @Sendable (WorkerID, HostWorker) -> Void = { _, _ in }
    ) {
        self.site = site
        let roster = Roster(site, onAdded)
        self.roster = roster
        let arrivals = Arrivals(site, end, roster)
        connection = HostConnection(link, address: address, heartbeatLimit: site.heartbeatLimit.seconds) {
            arrivals.hear($0)
        }
    }

    /// Waits for what the agent says of its host.
    ///
    /// - Throws: `LinkError` if the link ends before.
    func greet() async throws -> HostDescription { try await connection.start() }

    /// Has the host start workers, and adds them to the cluster as they come up.
    ///
    /// - Throws: `HostError` with the agent's reason, or what keeps the cluster from taking them.
    func launch(_ request: HostRequest) async throws {
        try await connection.launch(request) { worker in
            for warning in worker.description.warnings { notice("\(worker.description.hello.host): \(warning)") }
            try await roster.add(worker)
        }
    }

    /// Says when a queue ends the host, in monotonic seconds; before workers are started.
    func willEnd(at time: Double) { roster.setEnd(time) }

    /// Gives its workers nothing more to do, and ends it when they are done with what they have; after so many seconds in any case.
    /// What they have not done by then others do.
    func retire(within seconds: Double) async {
        let deadline = Task { [connection] in
            try await Task.sleep(for: .seconds(seconds))
            connection.dismiss()
        }
        await site.retire(roster.workers)
        deadline.cancel()
        await dismiss()
    }

    /// Ends the agent and its workers; waits until the link has ended, and not for long.
    func dismiss() async {
        connection.dismiss()
        let deadline = Task { [connection] in
            try? await Task.sleep(for: .seconds(2))
            connection.close()
        }
        _ = await end.get()
        deadline.cancel()
    }

    /// The host's workers that the cluster has taken.
    private final class Roster: Sendable {
        private struct State {
            var workers: [WorkerID] = []
            var isSentHome = false
            var jobEnd: Double?
        }

        private let site: LaunchSite
        private let onAdded: @Sendable (WorkerID, HostWorker) -> Void
        private let state = Mutex(State())

        init(_ site: LaunchSite, _ onAdded: @escaping @Sendable (WorkerID, HostWorker) -> Void) {
            self.site = site
            self.onAdded = onAdded
        }

        /// Those so far, also if they have left.
        var workers: [WorkerID] { state.withLock { $0.workers } }

        var isSentHome: Bool { state.withLock { $0.isSentHome } }
        func setSentHome() { state.withLock { $0.isSentHome = true } }

        func setEnd(_ time: Double) { state.withLock { $0.jobEnd = time } }

        func add(_ worker: HostWorker) async throws {
            let id = try await site.add(RemoteWorker(worker, until: state.withLock { $0.jobEnd }))
            state.withLock { $0.workers.append(id) }
            onAdded(id, worker)
        }
    }

    /// What comes from the host unasked.
    private final class Arrivals: Sendable {
        private let site: LaunchSite
        private let end: Eventual<LinkError?>
        /// Workers that are being started in the place of others.
        private let pending = Mutex(0)
        private let roster: Roster

        init(_ site: LaunchSite, _ end: Eventual<LinkError?>, _ roster: Roster) {
            self.site = site
            self.end = end
            self.roster = roster
        }

        func hear(_ event: HostEvent) {
            switch event {
            case .note(let text): Printer.notice(text)
            case .replacing:
                pending.withLock { $0 += 1 }
                site.expectMore()
            case .newcomer(let worker):
                Task {
                    do { try await roster.add(worker) } catch { worker.kill() }
                    settle()
                }
            case .notReplaced(let reason):
                Printer.notice(reason)
                settle()
            case .empty: roster.setSentHome()
            case .ended(let error, let farewell):
                if let farewell { Printer.notice(farewell) }
                while settle() {}
                end.fulfil(error)
            }
        }

        @discardableResult
        private func settle() -> Bool {
            let wasPending = pending.withLock { pending in
                guard pending > 0 else { return false }
                pending -= 1
                return true
            }
            if wasPending { site.expectNoMore() }
            return wasPending
        }
    }
}
