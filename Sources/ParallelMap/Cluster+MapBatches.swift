public import ClusterRuntime
import Remote
public import Scheduling
public import Wire

extension Cluster {
    /// Applies a body to whole batches of numbers: the inner loop is the body's own, and can be vectorised.
    ///
    /// ```swift
    /// let roots: [Double] = try await cluster.pmapBatches(values) { inputs, outputs in
    ///     for index in inputs.indices { outputs[index] = inputs[index].squareRoot() }
    /// }
    /// ```
    ///
    /// A `SharedArray` in `SegmentArena.shared` is read by the workers where it lies.
    ///
    /// If the body throws, all elements of the batch have failed; else it is like `pmap` over single elements.
    ///
    /// - Parameters:
    ///   - elements: The input.
    ///   - body: Is given the elements of a batch and room for as many results, whose values are arbitrary until it sets
    ///     them; then the captures.
    @discardableResult
    public nonisolated(nonsending) func pmapBatches<Elements: Sequence, Output: Plain & Sendable>(
        _ elements: Elements, pool: (any AbstractWorkerPool)? = nil,
        batchSize: BatchSize = .automatic, retries: Int = 2, distributed: Bool = true, seed: UInt64? = nil,
        deadline: Duration? = nil,
        onError: (@Sendable (MapFailure) async throws -> Output)? = nil,
        retryDelays: any Sequence<Double> & Sendable = EmptyCollection(),
        retryCheck: (@Sendable (MapFailure) -> Bool)? = nil, file: String = #fileID, line: Int = #line,
        body:
            @escaping @Sendable (Span<Elements.Element>, inout MutableSpan<Output>) throws -> Void
    ) async throws -> [Output]
    where Elements.Element: Plain & Sendable {
        try await map(
            elements,
            SoleBatchFunction<Elements.Element, Output>(file: file, line: line, body).reference,
            EncodedCaptures(file: file, line: line),
            MapOptions(
                pool: pool, batchSize: batchSize, retries: retries, isDistributed: distributed, seed: seed,
                deadline: deadline,
                callSite: CallSite(file: file, line: line),
                handling: FailureHandling(onError: onError, retryDelays: retryDelays, retryCheck: retryCheck)))
    }

    /// The same with captures, which the body is given behind the results.
    @discardableResult
    public nonisolated(nonsending) func pmapBatches<Elements: Sequence, Output: Plain & Sendable, each Capture>(
        _ elements: Elements, capturing captures: repeat each Capture, pool: (any AbstractWorkerPool)? = nil,
        batchSize: BatchSize = .automatic, retries: Int = 2, distributed: Bool = true, seed: UInt64? = nil,
        deadline: Duration? = nil,
        onError: (@Sendable (MapFailure) async throws -> Output)? = nil,
        retryDelays: any Sequence<Double> & Sendable = EmptyCollection(),
        retryCheck: (@Sendable (MapFailure) -> Bool)? = nil, file: String = #fileID, line: Int = #line,
        body:
            @escaping @Sendable (Span<Elements.Element>, inout MutableSpan<Output>, repeat each Capture) throws -> Void
    ) async throws -> [Output]
    where
        Elements.Element: Plain & Sendable, repeat each Capture: WireEncodable & WireDecodable & Sendable
    {
        try await map(
            elements,
            BatchFunction<Elements.Element, Output, repeat each Capture>(file: file, line: line, body).reference,
            EncodedCaptures(repeat each captures, file: file, line: line),
            MapOptions(
                pool: pool, batchSize: batchSize, retries: retries, isDistributed: distributed, seed: seed,
                deadline: deadline,
                callSite: CallSite(file: file, line: line),
                handling: FailureHandling(onError: onError, retryDelays: retryDelays, retryCheck: retryCheck)))
    }
}
