public import ClusterRuntime
public import Remote
public import Scheduling
public import Wire

extension Cluster {
    /// Applies a body to every element, on the workers, and returns the results in the order of the elements.
    ///
    /// ```swift
    /// let squares = try await cluster.pmap(1...100) { $0 * $0 }
    /// let sums = try await cluster.pmap(1...100, capturing: table) { i, table in table[i] + 1 }
    /// ```
    ///
    /// Elements and results are `WireCodable` or tuples of such; a body may also return nothing. Each worker has two
    /// batches at a time. The first error ends the map.
    ///
    /// - Parameters:
    ///   - elements: The input; read to its end at once.
    ///   - captures: What the body needs besides the element; given to it in this order, sent to each worker once.
    ///   - pool: The workers to use; all of the cluster unless told.
    ///   - batchSize: Elements sent at a time; `.automatic` unless told.
    ///   - body: A closure literal that captures nothing itself.
    /// - Throws: ``BodyError`` if the body can't travel, ``RemoteError`` for the first body that threw,
    ///   ``WorkerExited`` if a worker ended, ``ClusterError`` if there are no workers, `CancellationError` if this task
    ///   was cancelled.
    @discardableResult
    public nonisolated(nonsending) func pmap<Elements: Sequence, Output: Sendable, each Capture>(
        _ elements: Elements, capturing captures: repeat each Capture, pool: (any AbstractWorkerPool)? = nil,
        batchSize: BatchSize = .automatic, retries: Int = 2,
        onError: (@Sendable (MapFailure) async throws -> Output)? = nil,
        retryDelays: any Sequence<Double> & Sendable = EmptyCollection(),
        retryCheck: (@Sendable (MapFailure) -> Bool)? = nil, file: String = #fileID, line: Int = #line,
        body: @escaping @Sendable (Elements.Element, repeat each Capture) throws -> Output
    ) async throws -> [Output]
    where Elements.Element: Sendable, repeat each Capture: WireEncodable & WireDecodable & Sendable {
        try await pmap(
            elements, capturing: repeat each captures, pool: pool, batchSize: batchSize, retries: retries,
            onError: onError, retryDelays: retryDelays, retryCheck: retryCheck, file: file, line: line,
            body: RemoteFunction(file: file, line: line, body))
    }

    /// The same with an asynchronous body, which is applied to all elements of a batch at the same time.
    @discardableResult
    public nonisolated(nonsending) func pmap<Elements: Sequence, Output: Sendable, each Capture>(
        _ elements: Elements, capturing captures: repeat each Capture, pool: (any AbstractWorkerPool)? = nil,
        batchSize: BatchSize = .automatic, retries: Int = 2,
        onError: (@Sendable (MapFailure) async throws -> Output)? = nil,
        retryDelays: any Sequence<Double> & Sendable = EmptyCollection(),
        retryCheck: (@Sendable (MapFailure) -> Bool)? = nil, file: String = #fileID, line: Int = #line,
        body: @escaping @Sendable (Elements.Element, repeat each Capture) async throws -> Output
    ) async throws -> [Output]
    where Elements.Element: Sendable, repeat each Capture: WireEncodable & WireDecodable & Sendable {
        try await pmap(
            elements, capturing: repeat each captures, pool: pool, batchSize: batchSize, retries: retries,
            onError: onError, retryDelays: retryDelays, retryCheck: retryCheck, file: file, line: line,
            body: RemoteFunction(file: file, line: line, body))
    }

    /// The same with a stored body.
    @discardableResult
    public nonisolated(nonsending) func pmap<Elements: Sequence, Output: Sendable, each Capture>(
        _ elements: Elements, capturing captures: repeat each Capture, pool: (any AbstractWorkerPool)? = nil,
        batchSize: BatchSize = .automatic, retries: Int = 2,
        onError: (@Sendable (MapFailure) async throws -> Output)? = nil,
        retryDelays: any Sequence<Double> & Sendable = EmptyCollection(),
        retryCheck: (@Sendable (MapFailure) -> Bool)? = nil, file: String = #fileID, line: Int = #line,
        body: RemoteFunction<Elements.Element, Output, repeat each Capture>
    ) async throws -> [Output]
    where Elements.Element: Sendable, repeat each Capture: WireEncodable & WireDecodable & Sendable {
        try await map(
            Array(elements), try body.reference, capturing: repeat each captures, pool: pool, batchSize: batchSize,
            retries: retries,
            handling: FailureHandling(onError: onError, retryDelays: retryDelays, retryCheck: retryCheck),
            file: file, line: line)
    }
}
