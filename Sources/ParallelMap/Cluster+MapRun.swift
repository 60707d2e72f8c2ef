import ClusterRuntime
import Remote
import Scheduling
import Synchronization
import Wire

extension Cluster {
    /// What all forms of `pmap` come down to.
    nonisolated(nonsending) func map<Element: Sendable, Output: Sendable, each Capture>(
        _ elements: [Element], _ function: FunctionReference, capturing captures: repeat each Capture,
        pool: (any AbstractWorkerPool)?, batchSize: BatchSize, retries: Int, handling: FailureHandling<Output>,
        file: String, line: Int
    ) async throws -> [Output] where repeat each Capture: WireEncodable & WireDecodable & Sendable {
        let captures = try HeldCaptures(self, repeat each captures, pool: pool, file: file, line: line)
        defer { captures.release() }
        guard !elements.isEmpty else { return [] }
        let results: any CollectedResults<Output> =
            ValueCoder<Output>().isPlain ? PlainResults<Output>(count: elements.count) : RunResults<Output>()
        let run = MapRun(
            ArrayInput(elements), to: results, function: function, captures: captures.set,
            schedule: MapSchedule(count: elements.count, batchSize: batchSize, retries: retries), judge: handling)
        try await follow(run, over: pool)
        return results.collect()
    }

    /// Runs a map to its end; in a map without a pool those take part that join meanwhile.
    private nonisolated(nonsending) func follow(_ run: MapRun, over pool: (any AbstractWorkerPool)?) async throws {
        let watcher = pool == nil ? watchJoins { [weak run] in run?.join($0) } : nil
        defer { if let watcher { endJoinWatch(watcher) } }
        run.begin(try members(of: pool))
        try await run.end()
    }

    /// The workers that a map begins with: those of the pool that are there, or all.
    private func members(of pool: (any AbstractWorkerPool)?) throws(ClusterError) -> [Member] {
        let all = try allMembers()
        guard let pool else {
            guard !all.isEmpty else { throw .noWorkers }
            return all
        }
        let wanted = pool.workers
        let members = wanted.compactMap { id in all.first { $0.id == id } }
        guard members.isEmpty else { return members }
        guard !wanted.isEmpty else { throw ClusterError(.noWorkers, "the pool has no workers") }
        throw ClusterError(
            .noWorkers, "no worker of the pool is there: \(wanted.map { "\($0)" }.joined(separator: ", "))")
    }
}

/// The captures of one map, for as long as it runs.
private struct HeldCaptures {
    /// Nil if there are none.
    let set: CaptureSet?
    private let cache: CaptureCache?

    init<each Capture>(
        _ cluster: Cluster, _ captures: repeat each Capture, pool: (any AbstractWorkerPool)?, file: String, line: Int
    ) throws where repeat each Capture: WireEncodable & WireDecodable & Sendable {
        let encoded = try EncodedCaptures(repeat each captures, file: file, line: line)
        cache = pool == nil ? cluster.captureCache : (pool as? CachingPool)?.cache
        set = encoded.isEmpty ? nil : try cache?.take(encoded) ?? CaptureSet(encoded)
    }

    func release() {
        guard let set else { return }
        if let cache { cache.release(set) } else { set.forget() }
    }
}
