import ClusterRuntime
import Remote
import Wire

/// What reductions and loops have in common besides elements, captures and bodies.
struct PartOptions: Sendable {
    var pool: (any AbstractWorkerPool)?
    var retries: Int
    var seed: UInt64?
    var callSite: CallSite
}

extension Cluster {
    /// Parts for each worker: enough that those who finish early have more to do.
    private static var partsPerWorker: Int { 8 }
    /// Times that parts whose results went with their workers are done again.
    private static var mostRounds: Int { 4 }

    /// Applies a loop's body to all elements.
    ///
    /// - Parameter write: Writes the elements of a part.
    nonisolated(nonsending) func loop(
        _ function: FunctionReference, _ encoded: EncodedCaptures, count: Int, _ options: PartOptions,
        _ write: @escaping @Sendable (Range<Int>, inout WireWriter) -> Void
    ) async throws {
        guard count > 0 else { return }
        let captures = encoded.isEmpty ? nil : try captureCache.take(encoded)
        defer { if let captures { captureCache.release(captures) } }
        let tree = ReductionTree(count: count)
        let (run, leaves): (PartsRun<Void>, [Range<Int>]) = try await parts(
            function, captures, tree, options, reducer: nil, write)
        _ = try await run.run(Array(leaves.indices))
    }

    /// Applies a body to all elements, and puts the results together.
    ///
    /// - Parameter write: Writes the elements of a part.
    nonisolated(nonsending) func reduction<Output: Sendable>(
        _ functions: ReductionFunctions, _ encoded: EncodedCaptures, count: Int, _ options: PartOptions,
        _ write: @escaping @Sendable (Range<Int>, inout WireWriter) -> Void
    ) async throws -> Output {
        guard count > 0 else {
            throw ClusterError(
                .refused, "there is nothing to reduce: an empty range has no result; look before whether it is empty")
        }
        let captures = encoded.isEmpty ? nil : try captureCache.take(encoded)
        defer { if let captures { captureCache.release(captures) } }
        let tree = ReductionTree(count: count)
        let (run, leaves): (PartsRun<Output>, [Range<Int>]) = try await parts(
            functions.part, captures, tree, options, reducer: functions.reducer, write)
        var results: [Int: Future<Output>] = [:]
        for _ in 0..<Cluster.mostRounds {
            results.merge(try await run.run(leaves.indices.filter { results[$0] == nil })) { $1 }
            do {
                let all = leaves.indices.compactMap { results[$0] }
                return try await combine(all[...], functions.combine, options.callSite).fetch()
            } catch {
                // Results that went with their workers are made anew; another error is the reducer's.
                let workers = try await run.workers()
                let before = results.count
                results = results.filter { workers.contains($0.value.id.where) }
                guard results.count < before, !Task.isCancelled else { throw error }
            }
        }
        throw ClusterError(.noWorkers, "workers ended again and again while their results were put together")
    }

    private nonisolated(nonsending) func parts<Output: Sendable>(
        _ function: FunctionReference, _ captures: CaptureSet?, _ tree: ReductionTree, _ options: PartOptions,
        reducer: Reducer?, _ write: @escaping @Sendable (Range<Int>, inout WireWriter) -> Void
    ) async throws -> (PartsRun<Output>, [Range<Int>]) {
        let workerCount = try await reachAll().count
        let leaves = tree.parts(atLeast: max(1, workerCount) * Cluster.partsPerWorker)
        let run = PartsRun<Output>(
            cluster: self, function: function, captures: captures, pool: options.pool,
            seed: options.seed ?? nextMapSeed(), callSite: options.callSite, parts: leaves.map(tree.elements),
            retries: options.retries
        ) { part, output in
            tree.write(leaves[part], reducer, to: &output)
            write(tree.elements(of: leaves[part]), &output)
        }
        return (run, leaves)
    }

    /// Puts results together: two neighbours where the first of them is, and so on.
    private func combine<Output: Sendable>(
        _ results: ArraySlice<Future<Output>>, _ function: FunctionReference, _ site: CallSite
    ) async throws -> Future<Output> {
        guard results.count > 1 else { return results[results.startIndex] }
        let middle = results.startIndex + results.count / 2
        async let left = combine(results[..<middle], function, site)
        async let right = combine(results[middle...], function, site)
        let (first, second) = try await (left, right)
        return try await keep(function, nil, for: 0..<1, on: first.id.where, seed: 0, at: site) { output in
            ValueCoder<(Future<Output>, Future<Output>)>().write([(first, second)], to: &output)
        }
    }
}
