public import ClusterRuntime
import Remote
public import Scheduling
public import Wire

// Bodies of two parameters for sequences of pairs: `pmap(zip(a, b)) { x, y in … }`. The compiler would wrap a literal
// that takes a pair apart, and a wrapped literal can't travel; so each kind of pair has a form of its own.

extension Cluster {
    /// Applies a body to the two members of every pair; otherwise like `pmap` over single elements.
    @discardableResult
    public nonisolated(nonsending) func pmap<
        Elements: Sequence, First: Sendable, Second: Sendable, Output: Sendable, each Capture
    >(
        _ elements: Elements, capturing captures: repeat each Capture, pool: (any AbstractWorkerPool)? = nil,
        batchSize: BatchSize = .automatic, retries: Int = 2, distributed: Bool = true, seed: UInt64? = nil,
        deadline: Duration? = nil,
        onError: (@Sendable (MapFailure) async throws -> Output)? = nil,
        retryDelays: any Sequence<Double> & Sendable = EmptyCollection(),
        retryCheck: (@Sendable (MapFailure) -> Bool)? = nil, file: String = #fileID, line: Int = #line,
        body: @escaping @Sendable (First, Second, repeat each Capture) throws -> Output
    ) async throws -> [Output]
    where Elements.Element == (First, Second), repeat each Capture: WireEncodable & WireDecodable & Sendable {
        let function = try PairFunction<First, Second, Output, repeat each Capture>(file: file, line: line, body)
        return try await map(
            elements, function.reference,
            EncodedCaptures(repeat each captures, file: file, line: line),
            MapOptions(
                pool: pool, batchSize: batchSize, retries: retries, isDistributed: distributed, seed: seed,
                deadline: deadline,
                callSite: CallSite(file: file, line: line),
                handling: FailureHandling(onError: onError, retryDelays: retryDelays, retryCheck: retryCheck)))
    }

    /// The same with an asynchronous body.
    @discardableResult
    public nonisolated(nonsending) func pmap<
        Elements: Sequence, First: Sendable, Second: Sendable, Output: Sendable, each Capture
    >(
        _ elements: Elements, capturing captures: repeat each Capture, pool: (any AbstractWorkerPool)? = nil,
        batchSize: BatchSize = .automatic, retries: Int = 2, distributed: Bool = true, seed: UInt64? = nil,
        deadline: Duration? = nil,
        onError: (@Sendable (MapFailure) async throws -> Output)? = nil,
        retryDelays: any Sequence<Double> & Sendable = EmptyCollection(),
        retryCheck: (@Sendable (MapFailure) -> Bool)? = nil, file: String = #fileID, line: Int = #line,
        body: @escaping @Sendable (First, Second, repeat each Capture) async throws -> Output
    ) async throws -> [Output]
    where Elements.Element == (First, Second), repeat each Capture: WireEncodable & WireDecodable & Sendable {
        let function = try PairFunction<First, Second, Output, repeat each Capture>(file: file, line: line, body)
        return try await map(
            elements, function.reference,
            EncodedCaptures(repeat each captures, file: file, line: line),
            MapOptions(
                pool: pool, batchSize: batchSize, retries: retries, isDistributed: distributed, seed: seed,
                deadline: deadline,
                callSite: CallSite(file: file, line: line),
                handling: FailureHandling(onError: onError, retryDelays: retryDelays, retryCheck: retryCheck)))
    }

    /// Applies a body to the two members of every labelled pair: position and element, or key and value.
    @discardableResult
    public nonisolated(nonsending) func pmap<Elements: LabelledPairs, Output: Sendable, each Capture>(
        _ elements: Elements, capturing captures: repeat each Capture, pool: (any AbstractWorkerPool)? = nil,
        batchSize: BatchSize = .automatic, retries: Int = 2, distributed: Bool = true, seed: UInt64? = nil,
        deadline: Duration? = nil,
        onError: (@Sendable (MapFailure) async throws -> Output)? = nil,
        retryDelays: any Sequence<Double> & Sendable = EmptyCollection(),
        retryCheck: (@Sendable (MapFailure) -> Bool)? = nil, file: String = #fileID, line: Int = #line,
        body: @escaping @Sendable (Elements.First, Elements.Second, repeat each Capture) throws -> Output
    ) async throws -> [Output]
    where
        Elements.First: Sendable, Elements.Second: Sendable,
        repeat each Capture: WireEncodable & WireDecodable & Sendable
    {
        let function = try PairFunction<Elements.First, Elements.Second, Output, repeat each Capture>(
            file: file, line: line, body)
        return try await map(
            elements.pairs, function.reference,
            EncodedCaptures(repeat each captures, file: file, line: line),
            MapOptions(
                pool: pool, batchSize: batchSize, retries: retries, isDistributed: distributed, seed: seed,
                deadline: deadline,
                callSite: CallSite(file: file, line: line),
                handling: FailureHandling(onError: onError, retryDelays: retryDelays, retryCheck: retryCheck)))
    }

    /// The same with an asynchronous body.
    @discardableResult
    public nonisolated(nonsending) func pmap<Elements: LabelledPairs, Output: Sendable, each Capture>(
        _ elements: Elements, capturing captures: repeat each Capture, pool: (any AbstractWorkerPool)? = nil,
        batchSize: BatchSize = .automatic, retries: Int = 2, distributed: Bool = true, seed: UInt64? = nil,
        deadline: Duration? = nil,
        onError: (@Sendable (MapFailure) async throws -> Output)? = nil,
        retryDelays: any Sequence<Double> & Sendable = EmptyCollection(),
        retryCheck: (@Sendable (MapFailure) -> Bool)? = nil, file: String = #fileID, line: Int = #line,
        body: @escaping @Sendable (Elements.First, Elements.Second, repeat each Capture) async throws -> Output
    ) async throws -> [Output]
    where
        Elements.First: Sendable, Elements.Second: Sendable,
        repeat each Capture: WireEncodable & WireDecodable & Sendable
    {
        let function = try PairFunction<Elements.First, Elements.Second, Output, repeat each Capture>(
            file: file, line: line, body)
        return try await map(
            elements.pairs, function.reference,
            EncodedCaptures(repeat each captures, file: file, line: line),
            MapOptions(
                pool: pool, batchSize: batchSize, retries: retries, isDistributed: distributed, seed: seed,
                deadline: deadline,
                callSite: CallSite(file: file, line: line),
                handling: FailureHandling(onError: onError, retryDelays: retryDelays, retryCheck: retryCheck)))
    }
}

/// A sequence of pairs whose members have labels, which keep it from being a sequence of plain pairs.
public protocol LabelledPairs: Sequence {
    /// The first member of each pair.
    associatedtype First
    /// The second member of each pair.
    associatedtype Second
    /// The pairs without their labels, in order.
    var pairs: [(First, Second)] { get }
}

extension EnumeratedSequence: LabelledPairs {
    /// Positions from 0, and the elements there.
    public var pairs: [(Int, Base.Element)] { map { ($0.offset, $0.element) } }
}

extension Dictionary: LabelledPairs {
    /// Keys and values, in the order of iteration.
    public var pairs: [(Key, Value)] { map { ($0.key, $0.value) } }
}
