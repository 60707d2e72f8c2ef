public import Remote
import Synchronization

/// The workers of a pool, those of them that are free, and those who wait for one: what pools have in common.
///
/// ```swift
/// final class Favourites: AbstractWorkerPool {
///     let freeWorkers = FreeWorkers([2, 3])
/// }
/// ```
public final class FreeWorkers: Sendable {
    private typealias Waiter = CheckedContinuation<WorkerID, any Error>

    private struct State {
        var turns = PoolTurns()
        var waiters: [UInt64: Waiter] = [:]
        var nextTicket: UInt64 = 0
    }

    private let state = Mutex(State())

    /// These workers, all free.
    public init(_ workers: [WorkerID] = []) {
        state.withLock { state in
            for worker in workers { _ = state.turns.add(worker) }
        }
    }

    /// Their numbers, in the order in which they were added.
    public var workers: [WorkerID] { state.withLock { $0.turns.workers } }

    /// How many are free.
    public var freeCount: Int { state.withLock { $0.turns.free.count } }

    /// How many wait for one.
    package var waitingCount: Int { state.withLock { $0.turns.waitingCount } }

    /// Adds a worker, which is free; one that is there already stays as it is.
    public func add(_ worker: WorkerID) { change { $0.add(worker) } }

    /// A worker is free again: whoever waited longest has it. One that is free already, or was removed, is passed over.
    public func putBack(_ worker: WorkerID) { change { $0.putBack(worker) } }

    /// Takes a worker out of the pool, free or not. If it was the last, those who wait are told that there is none.
    public func remove(_ worker: WorkerID) { change { $0.remove(worker) } }

    /// Those who want a worker wait, though there is none, if `more` says that some may come of themselves.
    ///
    /// - Parameter more: Asked under the lock, so that of several calls the last has the last word.
    func expect(_ more: () -> Bool) { change { $0.expect(more()) } }

    /// Takes a free worker if there is one.
    public func takeIfFree() -> WorkerID? {
        state.withLock { state in
            guard !state.turns.free.isEmpty, case .here(let worker) = state.turns.take(0) else { return nil }
            return worker
        }
    }

    /// Takes the worker that is free for longest, and waits for one if there is none: first come, first served.
    ///
    /// - Parameter cluster: Workers that are in it no more are dropped; all are taken for there if it is `nil`.
    /// - Throws: ``ClusterError/Code/noWorkers`` if the pool has no workers, or none any more; `CancellationError` if this
    ///   task was cancelled.
    public nonisolated(nonsending) func take(in cluster: Cluster? = nil) async throws -> WorkerID {
        while let worker = takeIfFree() {
            if cluster?.takesCalls(worker) ?? true { return worker }
            remove(worker)
        }
        return try await watching(cluster) {
            while true {
                let worker = try await wait { $0.take($1) }
                if cluster?.takesCalls(worker) ?? true { return worker }
                remove(worker)
            }
        }
    }

    /// Waits until a worker is free, and leaves it where it is: it may be gone by the time that this returns.
    ///
    /// - Throws: As ``take(in:)``.
    public nonisolated(nonsending) func waitUntilReady(in cluster: Cluster? = nil) async throws {
        _ = try await watching(cluster) {
            while true {
                let worker = try await wait { $0.look($1) }
                if cluster?.takesCalls(worker) ?? true { return worker }
                remove(worker)
            }
        }
    }

    /// Workers that leave the cluster meanwhile are dropped, so that nobody waits for them.
    private nonisolated(nonsending) func watching(
        _ cluster: Cluster?, _ wait: nonisolated(nonsending) () async throws -> WorkerID
    ) async throws -> WorkerID {
        guard let cluster else { return try await wait() }
        let watcher = cluster.watchLeaves { [self] in remove($0) }
        defer { cluster.endLeaveWatch(watcher) }
        for worker in workers where !cluster.takesCalls(worker) { remove(worker) }
        return try await wait()
    }

    private nonisolated(nonsending) func wait(
        for ask: (inout PoolTurns, UInt64) -> PoolTurns.Answer
    ) async throws -> WorkerID {
        let ticket = state.withLock { state in
            state.nextTicket += 1
            return state.nextTicket
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (waiter: Waiter) in
                let result = state.withLock { state -> Result<WorkerID, any Error>? in
                    // Cancelled before: the handler has found nobody.
                    guard !Task.isCancelled else { return .failure(CancellationError()) }
                    switch ask(&state.turns, ticket) {
                    case .here(let worker): return .success(worker)
                    case .none: return .failure(ClusterError.emptyPool)
                    case .wait:
                        state.waiters[ticket] = waiter
                        return nil
                    }
                }
                if let result { waiter.resume(with: result) }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                _ = state.turns.giveUp(ticket)
                return state.waiters.removeValue(forKey: ticket)
            }
            waiter?.resume(throwing: CancellationError())
        }
    }

    /// Tells those who wait what an event has for them.
    private func change(_ event: (inout PoolTurns) -> PoolTurns.News) {
        let told = state.withLock { state -> [(Waiter, Result<WorkerID, any Error>)] in
            let news = event(&state.turns)
            var told: [(Waiter, Result<WorkerID, any Error>)] = []
            if let grant = news.grant, let waiter = state.waiters.removeValue(forKey: grant.ticket) {
                told.append((waiter, .success(grant.worker)))
            }
            for ticket in news.ready {
                guard let waiter = state.waiters.removeValue(forKey: ticket), let first = state.turns.free.first
                else { continue }
                told.append((waiter, .success(first)))
            }
            for ticket in news.hopeless {
                guard let waiter = state.waiters.removeValue(forKey: ticket) else { continue }
                told.append((waiter, .failure(ClusterError.emptyPool)))
            }
            return told
        }
        for (waiter, result) in told { waiter.resume(with: result) }
    }
}

extension ClusterError {
    static let emptyPool = ClusterError(
        .noWorkers, "the pool has no workers, or they have all left the cluster; add some with `add(_:)`")
}
