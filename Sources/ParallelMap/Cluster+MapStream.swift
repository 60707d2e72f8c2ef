public import ClusterRuntime
import Remote
public import Scheduling
public import Wire

extension Cluster {
    /// Applies a body to every element on the workers, and gives the results while the map is under way.
    ///
    /// ```swift
    /// for try await (index, thumbnail) in try cluster.pmapStream(paths, order: .asCompleted, body: { try shrink($0) }) {
    ///     try save(thumbnail, at: index)
    /// }
    /// ```
    ///
    /// For more elements or results than fit in memory: elements are read as results are taken. Failures are dealt with as
    /// `pmap` does; an element that failed for good ends the stream with ``MapError``, after the results that came before.
    ///
    /// - Parameters:
    ///   - elements: The input, read as it is needed. What a sequence's iterator does, it does on another thread.
    ///   - order: Whether results come in the order of the elements, as they do unless told, or as they are ready.
    ///   - readAhead: Most elements that are read but whose results were not taken, at least 1; unless told, as many as
    ///     keep the workers busy for some time.
    /// - Throws: ``BodyError`` if the body can't travel; all else is thrown by the stream.
    public func pmapStream<Elements: Sequence & Sendable, Output: Sendable, each Capture>(
        _ elements: Elements, capturing captures: repeat each Capture, order: MapOrder = .asGiven,
        pool: (any AbstractWorkerPool)? = nil, batchSize: BatchSize = .automatic, readAhead: Int? = nil,
        retries: Int = 2, distributed: Bool = true, seed: UInt64? = nil, deadline: Duration? = nil,
        onError: (@Sendable (MapFailure) async throws -> Output)? = nil,
        retryDelays: any Sequence<Double> & Sendable = EmptyCollection(),
        retryCheck: (@Sendable (MapFailure) -> Bool)? = nil, file: String = #fileID, line: Int = #line,
        body: @escaping @Sendable (Elements.Element, repeat each Capture) throws -> Output
    ) throws -> MapStream<Output>
    where Elements.Element: Sendable, repeat each Capture: WireEncodable & WireDecodable & Sendable {
        let captures = try EncodedCaptures(repeat each captures, file: file, line: line)
        let options = MapOptions(
            pool: pool, batchSize: batchSize, retries: retries, isDistributed: distributed, seed: seed,
            deadline: deadline,
            callSite: CallSite(file: file, line: line),
            handling: FailureHandling(onError: onError, retryDelays: retryDelays, retryCheck: retryCheck))
        return stream(
            try RemoteFunction(file: file, line: line, body).reference, captures, options, order: order,
            readAhead: readAhead
        ) { run, input in
            await run.feed(elements, into: input, limit: readAhead)
        }
    }

    /// The same with an asynchronous body.
    public func pmapStream<Elements: Sequence & Sendable, Output: Sendable, each Capture>(
        _ elements: Elements, capturing captures: repeat each Capture, order: MapOrder = .asGiven,
        pool: (any AbstractWorkerPool)? = nil, batchSize: BatchSize = .automatic, readAhead: Int? = nil,
        retries: Int = 2, distributed: Bool = true, seed: UInt64? = nil, deadline: Duration? = nil,
        onError: (@Sendable (MapFailure) async throws -> Output)? = nil,
        retryDelays: any Sequence<Double> & Sendable = EmptyCollection(),
        retryCheck: (@Sendable (MapFailure) -> Bool)? = nil, file: String = #fileID, line: Int = #line,
        body: @escaping @Sendable (Elements.Element, repeat each Capture) async throws -> Output
    ) throws -> MapStream<Output>
    where Elements.Element: Sendable, repeat each Capture: WireEncodable & WireDecodable & Sendable {
        let captures = try EncodedCaptures(repeat each captures, file: file, line: line)
        let options = MapOptions(
            pool: pool, batchSize: batchSize, retries: retries, isDistributed: distributed, seed: seed,
            deadline: deadline,
            callSite: CallSite(file: file, line: line),
            handling: FailureHandling(onError: onError, retryDelays: retryDelays, retryCheck: retryCheck))
        return stream(
            try RemoteFunction(file: file, line: line, body).reference, captures, options, order: order,
            readAhead: readAhead
        ) { run, input in
            await run.feed(elements, into: input, limit: readAhead)
        }
    }

    /// The same for elements that come asynchronously.
    public func pmapStream<Elements: AsyncSequence & Sendable, Output: Sendable, each Capture>(
        _ elements: Elements, capturing captures: repeat each Capture, order: MapOrder = .asGiven,
        pool: (any AbstractWorkerPool)? = nil, batchSize: BatchSize = .automatic, readAhead: Int? = nil,
        retries: Int = 2, distributed: Bool = true, seed: UInt64? = nil, deadline: Duration? = nil,
        onError: (@Sendable (MapFailure) async throws -> Output)? = nil,
        retryDelays: any Sequence<Double> & Sendable = EmptyCollection(),
        retryCheck: (@Sendable (MapFailure) -> Bool)? = nil, file: String = #fileID, line: Int = #line,
        body: @escaping @Sendable (Elements.Element, repeat each Capture) throws -> Output
    ) throws -> MapStream<Output>
    where Elements.Element: Sendable, repeat each Capture: WireEncodable & WireDecodable & Sendable {
        let captures = try EncodedCaptures(repeat each captures, file: file, line: line)
        let options = MapOptions(
            pool: pool, batchSize: batchSize, retries: retries, isDistributed: distributed, seed: seed,
            deadline: deadline,
            callSite: CallSite(file: file, line: line),
            handling: FailureHandling(onError: onError, retryDelays: retryDelays, retryCheck: retryCheck))
        return stream(
            try RemoteFunction(file: file, line: line, body).reference, captures, options, order: order,
            readAhead: readAhead
        ) { run, input in
            try await run.feed(arriving: elements, into: input, limit: readAhead)
        }
    }

    /// The same for elements that come asynchronously, with an asynchronous body.
    public func pmapStream<Elements: AsyncSequence & Sendable, Output: Sendable, each Capture>(
        _ elements: Elements, capturing captures: repeat each Capture, order: MapOrder = .asGiven,
        pool: (any AbstractWorkerPool)? = nil, batchSize: BatchSize = .automatic, readAhead: Int? = nil,
        retries: Int = 2, distributed: Bool = true, seed: UInt64? = nil, deadline: Duration? = nil,
        onError: (@Sendable (MapFailure) async throws -> Output)? = nil,
        retryDelays: any Sequence<Double> & Sendable = EmptyCollection(),
        retryCheck: (@Sendable (MapFailure) -> Bool)? = nil, file: String = #fileID, line: Int = #line,
        body: @escaping @Sendable (Elements.Element, repeat each Capture) async throws -> Output
    ) throws -> MapStream<Output>
    where Elements.Element: Sendable, repeat each Capture: WireEncodable & WireDecodable & Sendable {
        let captures = try EncodedCaptures(repeat each captures, file: file, line: line)
        let options = MapOptions(
            pool: pool, batchSize: batchSize, retries: retries, isDistributed: distributed, seed: seed,
            deadline: deadline,
            callSite: CallSite(file: file, line: line),
            handling: FailureHandling(onError: onError, retryDelays: retryDelays, retryCheck: retryCheck))
        return stream(
            try RemoteFunction(file: file, line: line, body).reference, captures, options, order: order,
            readAhead: readAhead
        ) { run, input in
            try await run.feed(arriving: elements, into: input, limit: readAhead)
        }
    }

    private func stream<Element: Sendable, Output: Sendable>(
        _ function: FunctionReference, _ captures: EncodedCaptures, _ options: MapOptions<Output>, order: MapOrder,
        readAhead: Int?, _ feed: @escaping @Sendable (MapRun, ArrivingInput<Element>) async throws -> Void
    ) -> MapStream<Output> {
        precondition(readAhead ?? 1 >= 1, "a stream reads one element ahead at least")
        return MapStream { [self] in
            let results = StreamResults<Output>(order)
            let seed = seed(of: options)
            return MapCourse(results) {
                let held = try HeldCaptures(self, captures, options)
                defer { held.release() }
                let input = ArrivingInput<Element>()
                let run = MapRun(
                    input, count: nil, to: results, function: function, captures: held.set,
                    options: options, seed: seed)
                results.whenTaken { run.feed() }
                try await self.follow(run, options) { run.feedInTask { try await feed(run, input) } }
            }
        }
    }
}
