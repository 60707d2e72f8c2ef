public import Remote
import Transport

/// Workers that are on their way out, each after the calls it is working on, see ``Cluster/scheduleRemoval(_:)``.
public final class WorkerRemoval: Sendable {
    /// Their numbers.
    public let workers: [WorkerID]
    private let leaving: [Member]
    private let cluster: Cluster
    private let isOver = Eventual<Void>()

    init(_ leaving: [Member], _ cluster: Cluster) {
        self.leaving = leaving
        self.cluster = cluster
        workers = leaving.map(\.id)
        for member in leaving { member.takeNoMore() }
        Task { [isOver] in
            await cluster.remove(leaving)
            isOver.fulfil(())
        }
    }

    /// Whether all have ended.
    public var isDone: Bool { isOver.value != nil }

    /// Waits until all have ended.
    ///
    /// If this task is cancelled, the calls that they are working on fail, and they end at once.
    public func wait() async {
        await withTaskCancellationHandler {
            await isOver.get()
        } onCancel: {
            endNow()
        }
    }

    /// Waits until all have ended, but not for ever.
    ///
    /// If this task is cancelled, the calls that they are working on fail, and they end at once.
    ///
    /// - Throws: ``ClusterError/Code/stillThere`` if the time is over before; the removal goes on then, and can be waited
    ///   for again.
    public func wait(within limit: Duration) async throws {
        let outcome = Eventual<Bool>()
        isOver.whenHere { outcome.fulfil(true) }
        let timer = Task {
            try await Task.sleep(for: limit)
            outcome.fulfil(false)
        }
        defer { timer.cancel() }
        let hasEnded = await withTaskCancellationHandler {
            await outcome.get()
        } onCancel: {
            endNow()
        }
        guard !hasEnded else { return }
        throw ClusterError.stillThere(workers.filter(cluster.workers.contains), after: limit)
    }

    /// Ends them without waiting for the calls that they are working on, which fail.
    public func endNow() {
        for member in leaving { member.fail(ClusterError.noSuchWorker(member.id)) }
    }
}

extension Cluster {
    /// Begins to remove workers, each after the calls it is working on, and does not wait for that: they take no new calls
    /// from now on.
    ///
    /// ```swift
    /// let removal = try cluster.scheduleRemoval([2, 3])
    /// …
    /// try await removal.wait(within: .seconds(10))
    /// ```
    ///
    /// - Returns: What can be waited for. Closing the cluster ends them too.
    /// - Throws: ``ClusterError/Code/noSuchWorker``, before any is ended; ``ClusterError/Code/notTheDriver`` in a worker.
    @discardableResult
    public func scheduleRemoval(_ ids: [WorkerID]) throws -> WorkerRemoval {
        guard isDriver else { throw ClusterError.notTheDriver }
        return WorkerRemoval(try ids.map { try member($0) }, self)
    }

    /// Ends workers, each after the calls it is working on, within some time.
    ///
    /// If this task is cancelled, those calls fail and the workers end at once.
    ///
    /// - Throws: ``ClusterError/Code/noSuchWorker``, before any is ended; ``ClusterError/Code/stillThere`` with the numbers of
    ///   those that have not ended in time: their removal goes on.
    public func removeWorkers(_ ids: [WorkerID], within limit: Duration) async throws {
        try await scheduleRemoval(ids).wait(within: limit)
    }
}
