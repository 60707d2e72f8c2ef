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
    /// Elements and results are `WireCodable` or tuples of such; a body may also return nothing. Each worker has at least
    /// two batches at a time. Workers that join the cluster meanwhile take part in a map without a pool.
    ///
    /// ## When elements fail
    ///
    /// ```swift
    /// let counts = try await cluster.pmap(
    ///     paths, onError: { failure in nil as Int? }, retryDelays: ExponentialBackOff(n: 3),
    ///     retryCheck: { $0.attempt < 3 }
    /// ) { path in try count(path) }
    /// ```
    ///
    /// The elements of a worker that ended go to others, each by itself and when nothing else is left to begin, up to
    /// `retries` times; the elements that it had not begun are among them, since nobody knows which those are. Who has
    /// bodies that must not run twice sets `retries` to 0.
    ///
    /// An element has failed when its body threw, or when that many workers ended. Then `onError` is asked, before any
    /// retry, as in Julia: what it returns is the element's result. If it throws, or if there is none, the element is
    /// tried again after the next of `retryDelays`, if `retryCheck` agrees. If no delay is left either, the element is
    /// given up: no others are begun, those being worked on come to their end, and the map throws ``MapError`` with all
    /// that failed by then. A batch is worked off also after an error in it; so what fails in a batch, fails together.
    ///
    /// When no worker is left, the map ends with an error that says so. If `onError` is there, and every element was tried
    /// at least once, it is asked about the rest instead.
    ///
    /// Handlers run in this process, in tasks of their own, several at a time if several batches have failures.
    ///
    /// - Parameters:
    ///   - elements: The input; read to its end at once.
    ///   - captures: What the body needs besides the element; given to it in this order, sent to each worker once.
    ///   - pool: The workers to use, as far as they are there; those of the cluster's `defaultPool` unless told: all, as they come and go,
    ///     if that was not set.
    ///   - batchSize: Elements sent at a time; `.automatic` unless told.
    ///   - retries: Times that an element is given to another worker after its worker ended, at least 0. With 2, an
    ///     element that ends every worker costs three.
    ///   - onError: Gives a result for an element that failed, or throws.
    ///   - retryDelays: Seconds before each further attempt; read anew for each. Negative ones count as 0.
    ///   - retryCheck: Whether another attempt is worth it; always, unless told. Has no effect without `retryDelays`.
    ///   - body: A closure literal that captures nothing itself.
    /// - Throws: ``BodyError`` if the body can't travel, ``MapError`` if elements failed, ``ClusterError`` if there are no
    ///   workers or none is left, `CancellationError` if this task was cancelled.
    @discardableResult
    public nonisolated(nonsending) func pmap<Elements: Sequence, Output: Sendable, each Capture>(
        _ elements: Elements, capturing captures: repeat each Capture, pool: (any AbstractWorkerPool)? = nil,
        batchSize: BatchSize = .automatic, retries: Int = 2, distributed: Bool = true, seed: UInt64? = nil,
        deadline: Duration? = nil,
        onError: (@Sendable (MapFailure) async throws -> Output)? = nil,
        retryDelays: any Sequence<Double> & Sendable = EmptyCollection(),
        retryCheck: (@Sendable (MapFailure) -> Bool)? = nil, file: String = #fileID, line: Int = #line,
        body: @escaping @Sendable (Elements.Element, repeat each Capture) throws -> Output
    ) async throws -> [Output]
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
    public nonisolated(nonsending) func pmap<Elements: Sequence, Output: Sendable, each Capture>(
        _ elements: Elements, capturing captures: repeat each Capture, pool: (any AbstractWorkerPool)? = nil,
        batchSize: BatchSize = .automatic, retries: Int = 2, distributed: Bool = true, seed: UInt64? = nil,
        deadline: Duration? = nil,
        onError: (@Sendable (MapFailure) async throws -> Output)? = nil,
        retryDelays: any Sequence<Double> & Sendable = EmptyCollection(),
        retryCheck: (@Sendable (MapFailure) -> Bool)? = nil, file: String = #fileID, line: Int = #line,
        body: @escaping @Sendable (Elements.Element, repeat each Capture) async throws -> Output
    ) async throws -> [Output]
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
    public nonisolated(nonsending) func pmap<Elements: Sequence, Output: Sendable, each Capture>(
        _ elements: Elements, capturing captures: repeat each Capture, pool: (any AbstractWorkerPool)? = nil,
        batchSize: BatchSize = .automatic, retries: Int = 2, distributed: Bool = true, seed: UInt64? = nil,
        deadline: Duration? = nil,
        onError: (@Sendable (MapFailure) async throws -> Output)? = nil,
        retryDelays: any Sequence<Double> & Sendable = EmptyCollection(),
        retryCheck: (@Sendable (MapFailure) -> Bool)? = nil, file: String = #fileID, line: Int = #line,
        body: RemoteFunction<Elements.Element, Output, repeat each Capture>
    ) async throws -> [Output]
    where Elements.Element: Sendable, repeat each Capture: WireEncodable & WireDecodable & Sendable {
        try await map(
            elements, try body.reference,
            EncodedCaptures(repeat each captures, file: file, line: line),
            MapOptions(
                pool: pool, batchSize: batchSize, retries: retries, isDistributed: distributed, seed: seed,
                deadline: deadline,
                callSite: CallSite(file: file, line: line),
                handling: FailureHandling(onError: onError, retryDelays: retryDelays, retryCheck: retryCheck)))
    }
}
