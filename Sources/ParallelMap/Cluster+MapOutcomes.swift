public import ClusterRuntime
public import Remote
public import Scheduling
public import Wire

// Errors beside results: Julia's `pmap(f, xs; on_error = identity)`. Disfavoured, because a handler that only throws would fit
// this form and the other one.

extension Cluster {
    /// Applies a body to every element, and has the failures of those that failed where the others have their results.
    ///
    /// ```swift
    /// let outcomes = try await cluster.pmap(paths, onError: { $0 }) { try count($0) }   // [Result<Int, MapFailure>]
    /// ```
    ///
    /// The compiler tells this form from the other by what the body returns: where it returns nothing, say so, `{ path -> Void in … }`.
    ///
    /// - Parameter onError: Gives the failure that stands for an element; if it throws, the element is tried again or the map
    ///   fails, as in the form whose handler gives a result.
    /// - Returns: An outcome for each element, in their order.
    @discardableResult
    @_disfavoredOverload
    public nonisolated(nonsending) func pmap<Elements: Sequence, Output: Sendable, each Capture>(
        _ elements: Elements, capturing captures: repeat each Capture, pool: (any AbstractWorkerPool)? = nil,
        batchSize: BatchSize = .automatic, retries: Int = 2, distributed: Bool = true, seed: UInt64? = nil,
        deadline: Duration? = nil,
        onError: @escaping @Sendable (MapFailure) async throws -> MapFailure,
        retryDelays: any Sequence<Double> & Sendable = EmptyCollection(),
        retryCheck: (@Sendable (MapFailure) -> Bool)? = nil, file: String = #fileID, line: Int = #line,
        body: @escaping @Sendable (Elements.Element, repeat each Capture) throws -> Output
    ) async throws -> [Result<Output, MapFailure>]
    where Elements.Element: Sendable, repeat each Capture: WireEncodable & WireDecodable & Sendable {
        try await pmap(
            elements, capturing: repeat each captures, pool: pool, batchSize: batchSize, retries: retries,
            distributed: distributed, seed: seed, deadline: deadline, onError: onError, retryDelays: retryDelays,
            retryCheck: retryCheck, file: file,
            line: line,
            body: RemoteFunction(file: file, line: line, body))
    }

    /// The same with an asynchronous body, which is applied to all elements of a batch at the same time.
    @discardableResult
    @_disfavoredOverload
    public nonisolated(nonsending) func pmap<Elements: Sequence, Output: Sendable, each Capture>(
        _ elements: Elements, capturing captures: repeat each Capture, pool: (any AbstractWorkerPool)? = nil,
        batchSize: BatchSize = .automatic, retries: Int = 2, distributed: Bool = true, seed: UInt64? = nil,
        deadline: Duration? = nil,
        onError: @escaping @Sendable (MapFailure) async throws -> MapFailure,
        retryDelays: any Sequence<Double> & Sendable = EmptyCollection(),
        retryCheck: (@Sendable (MapFailure) -> Bool)? = nil, file: String = #fileID, line: Int = #line,
        body: @escaping @Sendable (Elements.Element, repeat each Capture) async throws -> Output
    ) async throws -> [Result<Output, MapFailure>]
    where Elements.Element: Sendable, repeat each Capture: WireEncodable & WireDecodable & Sendable {
        try await pmap(
            elements, capturing: repeat each captures, pool: pool, batchSize: batchSize, retries: retries,
            distributed: distributed, seed: seed, deadline: deadline, onError: onError, retryDelays: retryDelays,
            retryCheck: retryCheck, file: file,
            line: line,
            body: RemoteFunction(file: file, line: line, body))
    }

    /// The same with a stored body.
    @discardableResult
    @_disfavoredOverload
    public nonisolated(nonsending) func pmap<Elements: Sequence, Output: Sendable, each Capture>(
        _ elements: Elements, capturing captures: repeat each Capture, pool: (any AbstractWorkerPool)? = nil,
        batchSize: BatchSize = .automatic, retries: Int = 2, distributed: Bool = true, seed: UInt64? = nil,
        deadline: Duration? = nil,
        onError: @escaping @Sendable (MapFailure) async throws -> MapFailure,
        retryDelays: any Sequence<Double> & Sendable = EmptyCollection(),
        retryCheck: (@Sendable (MapFailure) -> Bool)? = nil, file: String = #fileID, line: Int = #line,
        body: RemoteFunction<Elements.Element, Output, repeat each Capture>
    ) async throws -> [Result<Output, MapFailure>]
    where Elements.Element: Sendable, repeat each Capture: WireEncodable & WireDecodable & Sendable {
        try await map(
            elements, try body.reference,
            EncodedCaptures(repeat each captures, file: file, line: line),
            MapOptions(
                pool: pool, batchSize: batchSize, retries: retries, isDistributed: distributed, seed: seed,
                deadline: deadline,
                callSite: CallSite(file: file, line: line),
                handling: FailureHandling(onError: onError, retryDelays: retryDelays, retryCheck: retryCheck))
        ) { _ in OutcomeResults<Output>() }
    }
}
