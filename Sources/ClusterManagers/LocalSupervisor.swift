import Agent
import ClusterRuntime
import Synchronization
import Transport

/// Looks after the workers of one launch on this host: one that dies gets a successor in its place.
final class LocalSupervisor: Sendable {
    private struct State {
        var history: RestartHistory
        var isStopped = false
        /// Successors that are being started.
        var starts: [Int: Task<Void, Never>] = [:]
        var nextStart = 0
    }

    private let site: LaunchSite
    private let limit: RestartLimit
    private let startLimit: Double
    private let state: Mutex<State>

    init(_ site: LaunchSite, _ request: HostRequest) {
        self.site = site
        limit = request.restarts
        startLimit = request.startLimit
        state = Mutex(State(history: RestartHistory(request.restarts)))
        site.whenClosed { [self] in await stop() }
    }

    /// Adds a worker that is up to the cluster.
    func add(_ started: StartedWorker) async throws {
        let worker = LocalWorker(started)
        Task { await watch(worker, started) }
        try await site.add(worker)
    }

    private func watch(_ worker: LocalWorker, _ started: StartedWorker) async {
        let end = await started.process.end.get()
        // Who was told to end exits with status 0.
        let isUnwanted = worker.isLeaving || end.isOrderly
        let isReplaced = state.withLock { state in
            !state.isStopped && !isUnwanted && state.history.mayRestart(at: monotonicSeconds())
        }
        guard isReplaced else {
            await started.leavePlace()
            worker.hasEnded(end)
            let isStopped = state.withLock { $0.isStopped }
            if !isUnwanted, !isStopped, let exhaustion = limit.exhaustion {
                notice("a worker on \(worker.host) \(end.causeInWords), and \(exhaustion)")
            }
            return
        }
        // Said first: maps that lose their last worker by this end wait for the next.
        site.expectMore()
        worker.hasEnded(end)
        let isStarted = state.withLock { state in
            // Who stops waits for starts that there are.
            guard !state.isStopped else { return false }
            let number = state.nextStart
            state.nextStart += 1
            state.starts[number] = Task {
                await replace(started)
                self.state.withLock { _ = $0.starts.removeValue(forKey: number) }
                site.expectNoMore()
            }
            return true
        }
        if !isStarted {
            await started.leavePlace()
            site.expectNoMore()
        }
    }

    private func replace(_ started: StartedWorker) async {
        do {
            try Task.checkCancellation()
            let next = try await started.again(startLimit: startLimit)
            guard !state.withLock({ $0.isStopped }) else { return await end(next) }
            do {
                try await add(next)
            } catch {
                await end(next)
                // What workers do before all else has failed in it; a cluster that is closed wants none.
                if (error as? ClusterError)?.code != .closed {
                    notice("no worker came in the place of one that ended: \(error)")
                }
            }
        } catch {
            await started.leavePlace()
            if !state.withLock({ $0.isStopped }) {
                notice("no worker came in the place of one that ended: \(error)")
            }
        }
    }

    private func end(_ worker: StartedWorker) async {
        worker.process.kill()
        _ = await worker.end()
    }

    private func stop() async {
        let starts = state.withLock { state in
            state.isStopped = true
            return Array(state.starts.values)
        }
        for start in starts { start.cancel() }
        for start in starts { await start.value }
    }
}
