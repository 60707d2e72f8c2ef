public import ClusterRuntime
import Remote
public import Scheduling
public import Wire

extension Cluster {
    /// Applies a body to every element of an asynchronous sequence; otherwise like `pmap` over others.
    ///
    /// Elements are given out as they come, and asked for only as fast as the workers take them. They are read in a task of
    /// their own, which is cancelled when the map is over.
    ///
    /// - Throws: Also what the sequence throws; the elements that have come by then are dropped.
    @discardableResult
    public nonisolated(nonsending) func pmap<Elements: AsyncSequence & Sendable, Output: Sendable, each Capture>(
        _ elements: Elements, capturing captures: repeat each Capture, pool: (any AbstractWorkerPool)? = nil,
        batchSize: BatchSize = .automatic, retries: Int = 2, distributed: Bool = true, seed: UInt64? = nil,
        deadline: Duration? = nil,
        onError: (@Sendable (MapFailure) async throws -> Output)? = nil,
        retryDelays: any Sequence<Double> & Sendable = EmptyCollection(),
        retryCheck: (@Sendable (MapFailure) -> Bool)? = nil, file: String = #fileID, line: Int = #line,
        body: @escaping @Sendable (Elements.Element, repeat each Capture) throws -> Output
    ) async throws -> [Output]
    where Elements.Element: Sendable, repeat each Capture: WireEncodable & WireDecodable & Sendable {
        try await map(
            arriving: elements, try RemoteFunction(file: file, line: line, body).reference,
            EncodedCaptures(repeat each captures, file: file, line: line),
            MapOptions(
                pool: pool, batchSize: batchSize, retries: retries, isDistributed: distributed, seed: seed,
                deadline: deadline,
                callSite: CallSite(file: file, line: line),
                handling: FailureHandling(onError: onError, retryDelays: retryDelays, retryCheck: retryCheck)))
    }

    /// The same with an asynchronous body.
    @discardableResult
    public nonisolated(nonsending) func pmap<Elements: AsyncSequence & Sendable, Output: Sendable, each Capture>(
        _ elements: Elements, capturing captures: repeat each Capture, pool: (any AbstractWorkerPool)? = nil,
        batchSize: BatchSize = .automatic, retries: Int = 2, distributed: Bool = true, seed: UInt64? = nil,
        deadline: Duration? = nil,
        onError: (@Sendable (MapFailure) async throws -> Output)? = nil,
        retryDelays: any Sequence<Double> & Sendable = EmptyCollection(),
        retryCheck: (@Sendable (MapFailure) -> Bool)? = nil, file: String = #fileID, line: Int = #line,
        body: @escaping @Sendable (Elements.Element, repeat each Capture) async throws -> Output
    ) async throws -> [Output]
    where Elements.Element: Sendable, repeat each Capture: WireEncodable & WireDecodable & Sendable {
        try await map(
            arriving: elements, try RemoteFunction(file: file, line: line, body).reference,
            EncodedCaptures(repeat each captures, file: file, line: line),
            MapOptions(
                pool: pool, batchSize: batchSize, retries: retries, isDistributed: distributed, seed: seed,
                deadline: deadline,
                callSite: CallSite(file: file, line: line),
                handling: FailureHandling(onError: onError, retryDelays: retryDelays, retryCheck: retryCheck)))
    }
}
