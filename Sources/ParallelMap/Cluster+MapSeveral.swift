public import ClusterRuntime
import Remote
public import Scheduling
public import Wire

// Several inputs, taken apart element by element.

extension Cluster {
    /// Applies a body to the elements at the same place in two sequences, up to the end of the shorter; otherwise like
    /// `pmap` over one.
    ///
    /// ```swift
    /// let products = try await cluster.pmap(left, right) { $0 * $1 }
    /// ```
    @discardableResult
    public nonisolated(nonsending) func pmap<First: Sequence, Second: Sequence, Output: Sendable, each Capture>(
        _ first: First, _ second: Second, capturing captures: repeat each Capture,
        pool: (any AbstractWorkerPool)? = nil, batchSize: BatchSize = .automatic, retries: Int = 2,
        distributed: Bool = true, seed: UInt64? = nil, deadline: Duration? = nil,
        onError: (@Sendable (MapFailure) async throws -> Output)? = nil,
        retryDelays: any Sequence<Double> & Sendable = EmptyCollection(),
        retryCheck: (@Sendable (MapFailure) -> Bool)? = nil, file: String = #fileID, line: Int = #line,
        body: @escaping @Sendable (First.Element, Second.Element, repeat each Capture) throws -> Output
    ) async throws -> [Output]
    where
        First.Element: Sendable, Second.Element: Sendable,
        repeat each Capture: WireEncodable & WireDecodable & Sendable
    {
        let function = try PairFunction<First.Element, Second.Element, Output, repeat each Capture>(
            file: file, line: line, body)
        return try await map(
            zip(first, second), function.reference,
            EncodedCaptures(repeat each captures, file: file, line: line),
            MapOptions(
                pool: pool, batchSize: batchSize, retries: retries, isDistributed: distributed, seed: seed,
                deadline: deadline,
                callSite: CallSite(file: file, line: line),
                handling: FailureHandling(onError: onError, retryDelays: retryDelays, retryCheck: retryCheck)))
    }

    /// The same with an asynchronous body.
    @discardableResult
    public nonisolated(nonsending) func pmap<First: Sequence, Second: Sequence, Output: Sendable, each Capture>(
        _ first: First, _ second: Second, capturing captures: repeat each Capture,
        pool: (any AbstractWorkerPool)? = nil, batchSize: BatchSize = .automatic, retries: Int = 2,
        distributed: Bool = true, seed: UInt64? = nil, deadline: Duration? = nil,
        onError: (@Sendable (MapFailure) async throws -> Output)? = nil,
        retryDelays: any Sequence<Double> & Sendable = EmptyCollection(),
        retryCheck: (@Sendable (MapFailure) -> Bool)? = nil, file: String = #fileID, line: Int = #line,
        body: @escaping @Sendable (First.Element, Second.Element, repeat each Capture) async throws -> Output
    ) async throws -> [Output]
    where
        First.Element: Sendable, Second.Element: Sendable,
        repeat each Capture: WireEncodable & WireDecodable & Sendable
    {
        let function = try PairFunction<First.Element, Second.Element, Output, repeat each Capture>(
            file: file, line: line, body)
        return try await map(
            zip(first, second), function.reference,
            EncodedCaptures(repeat each captures, file: file, line: line),
            MapOptions(
                pool: pool, batchSize: batchSize, retries: retries, isDistributed: distributed, seed: seed,
                deadline: deadline,
                callSite: CallSite(file: file, line: line),
                handling: FailureHandling(onError: onError, retryDelays: retryDelays, retryCheck: retryCheck)))
    }

    /// The same for three sequences.
    @discardableResult
    public nonisolated(nonsending) func pmap<
        First: Sequence, Second: Sequence, Third: Sequence, Output: Sendable, each Capture
    >(
        _ first: First, _ second: Second, _ third: Third, capturing captures: repeat each Capture,
        pool: (any AbstractWorkerPool)? = nil, batchSize: BatchSize = .automatic, retries: Int = 2,
        distributed: Bool = true, seed: UInt64? = nil, deadline: Duration? = nil,
        onError: (@Sendable (MapFailure) async throws -> Output)? = nil,
        retryDelays: any Sequence<Double> & Sendable = EmptyCollection(),
        retryCheck: (@Sendable (MapFailure) -> Bool)? = nil, file: String = #fileID, line: Int = #line,
        body: @escaping @Sendable (First.Element, Second.Element, Third.Element, repeat each Capture) throws -> Output
    ) async throws -> [Output]
    where
        First.Element: Sendable, Second.Element: Sendable, Third.Element: Sendable,
        repeat each Capture: WireEncodable & WireDecodable & Sendable
    {
        let function = try TripleFunction<First.Element, Second.Element, Third.Element, Output, repeat each Capture>(
            file: file, line: line, body)
        return try await map(
            rows(first, second, third), function.reference,
            EncodedCaptures(repeat each captures, file: file, line: line),
            MapOptions(
                pool: pool, batchSize: batchSize, retries: retries, isDistributed: distributed, seed: seed,
                deadline: deadline,
                callSite: CallSite(file: file, line: line),
                handling: FailureHandling(onError: onError, retryDelays: retryDelays, retryCheck: retryCheck)))
    }

    /// The same for three sequences, with an asynchronous body.
    @discardableResult
    public nonisolated(nonsending) func pmap<
        First: Sequence, Second: Sequence, Third: Sequence, Output: Sendable, each Capture
    >(
        _ first: First, _ second: Second, _ third: Third, capturing captures: repeat each Capture,
        pool: (any AbstractWorkerPool)? = nil, batchSize: BatchSize = .automatic, retries: Int = 2,
        distributed: Bool = true, seed: UInt64? = nil, deadline: Duration? = nil,
        onError: (@Sendable (MapFailure) async throws -> Output)? = nil,
        retryDelays: any Sequence<Double> & Sendable = EmptyCollection(),
        retryCheck: (@Sendable (MapFailure) -> Bool)? = nil, file: String = #fileID, line: Int = #line,
        body:
            @escaping @Sendable (First.Element, Second.Element, Third.Element, repeat each Capture) async throws ->
            Output
    ) async throws -> [Output]
    where
        First.Element: Sendable, Second.Element: Sendable, Third.Element: Sendable,
        repeat each Capture: WireEncodable & WireDecodable & Sendable
    {
        let function = try TripleFunction<First.Element, Second.Element, Third.Element, Output, repeat each Capture>(
            file: file, line: line, body)
        return try await map(
            rows(first, second, third), function.reference,
            EncodedCaptures(repeat each captures, file: file, line: line),
            MapOptions(
                pool: pool, batchSize: batchSize, retries: retries, isDistributed: distributed, seed: seed,
                deadline: deadline,
                callSite: CallSite(file: file, line: line),
                handling: FailureHandling(onError: onError, retryDelays: retryDelays, retryCheck: retryCheck)))
    }
}

/// The elements of three sequences, side by side.
private func rows<First: Sequence, Second: Sequence, Third: Sequence>(
    _ first: First, _ second: Second, _ third: Third
) -> some Sequence<(First.Element, Second.Element, Third.Element)> {
    zip(zip(first, second), third).lazy.map { ($0.0, $0.1, $1) }
}
