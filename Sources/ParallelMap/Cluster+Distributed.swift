public import ClusterRuntime
import Remote
public import Wire

extension Cluster {
    /// Applies a body to integers, and puts the results together two by two, on the workers.
    ///
    /// ```swift
    /// let hits = try await cluster.distributed(0..<1_000_000, reduce: +) { i in flip(i) ? 1 : 0 }
    /// let histogram = try await cluster.distributed(0..<files.count, reduce: add, capturing: files) { i, files in … }
    /// ```
    ///
    /// Julia's `@distributed (op) for`. Each worker folds its part of the range; the parts' results stay where they are, and are put
    /// together along a tree, from worker to worker: only the last goes to the caller, whatever their size. How the range is
    /// cut and put together depends on its length alone; so the result is the same to the last bit for any number of workers, also
    /// where `reduce` is not associative, as `+` of floating-point numbers is not.
    ///
    /// The parts of a worker that ended are done again by others, `retries` times at most; a body that must run once for each
    /// element says 0.
    ///
    /// - Parameters:
    ///   - range: The integers; at least one.
    ///   - reduce: Puts two results together, that of lesser integers first: a closure literal that captures nothing, or an operator. A
    ///     named function is written as `{ f($0, $1) }`.
    ///   - captures: What the body needs besides the integer; given to it in this order, sent to each host once.
    ///   - pool: The workers to use, as far as they are there; all of the cluster unless told.
    ///   - retries: Times that a part is done again after its worker ended.
    ///   - seed: Of ``Worker/random``; the cluster's next unless told.
    ///   - body: A closure literal that captures nothing itself.
    /// - Throws: ``BodyError`` if a body can't travel, ``RemoteError`` if one threw, with the place of the element; ``ClusterError``
    ///   if there are no workers, or no elements; ``WorkerExited`` if workers end again and again; `CancellationError` if this
    ///   task was cancelled.
    public nonisolated(nonsending) func distributed<Output: Sendable, each Capture>(
        _ range: Range<Int>, reduce: @escaping @Sendable (Output, Output) throws -> Output,
        capturing captures: repeat each Capture, pool: (any AbstractWorkerPool)? = nil, retries: Int = 2,
        seed: UInt64? = nil, file: String = #fileID, line: Int = #line,
        body: @escaping @Sendable (Int, repeat each Capture) throws -> Output
    ) async throws -> Output where repeat each Capture: WireEncodable & WireDecodable & Sendable {
        let functions = try ReductionFunctions(
            rangeIn: file, line: line, combining: Future<Output>.self, reduce: reduce, body)
        let encoded = try EncodedCaptures(repeat each captures, file: file, line: line)
        let options = PartOptions(pool: pool, retries: retries, seed: seed, callSite: CallSite(file: file, line: line))
        return try await reduction(functions, encoded, count: range.count, options) { _, output in
            output.write(range.lowerBound)
        }
    }

    /// The same over a closed range.
    public nonisolated(nonsending) func distributed<Output: Sendable, each Capture>(
        _ range: ClosedRange<Int>, reduce: @escaping @Sendable (Output, Output) throws -> Output,
        capturing captures: repeat each Capture, pool: (any AbstractWorkerPool)? = nil, retries: Int = 2,
        seed: UInt64? = nil, file: String = #fileID, line: Int = #line,
        body: @escaping @Sendable (Int, repeat each Capture) throws -> Output
    ) async throws -> Output where repeat each Capture: WireEncodable & WireDecodable & Sendable {
        let functions = try ReductionFunctions(
            rangeIn: file, line: line, combining: Future<Output>.self, reduce: reduce, body)
        let encoded = try EncodedCaptures(repeat each captures, file: file, line: line)
        let options = PartOptions(pool: pool, retries: retries, seed: seed, callSite: CallSite(file: file, line: line))
        return try await reduction(functions, encoded, count: range.count, options) { _, output in
            output.write(range.lowerBound)
        }
    }

    /// The same over elements, which are sent to the workers.
    public nonisolated(nonsending) func distributed<Elements: Collection, Output: Sendable, each Capture>(
        _ elements: Elements, reduce: @escaping @Sendable (Output, Output) throws -> Output,
        capturing captures: repeat each Capture, pool: (any AbstractWorkerPool)? = nil, retries: Int = 2,
        seed: UInt64? = nil, file: String = #fileID, line: Int = #line,
        body: @escaping @Sendable (Elements.Element, repeat each Capture) throws -> Output
    ) async throws -> Output
    where Elements.Element: Sendable, repeat each Capture: WireEncodable & WireDecodable & Sendable {
        let functions = try ReductionFunctions(
            file: file, line: line, combining: Future<Output>.self, reduce: reduce, body)
        let encoded = try EncodedCaptures(repeat each captures, file: file, line: line)
        let options = PartOptions(pool: pool, retries: retries, seed: seed, callSite: CallSite(file: file, line: line))
        let all = Array(elements)
        return try await reduction(functions, encoded, count: all.count, options) { part, output in
            ValueCoder<Elements.Element>().write(all[part], to: &output)
        }
    }

    // MARK: - Without a reducer

    /// Begins to apply a body to integers, on the workers, and returns at once.
    ///
    /// ```swift
    /// let loop = try cluster.distributed(0..<100) { i in render(i) }
    /// …
    /// try await loop.wait()
    /// ```
    ///
    /// Julia's `@distributed for` without a reducer.
    ///
    /// - Parameters:
    ///   - range: The integers.
    ///   - captures: What the body needs besides the integer; given to it in this order, sent to each host once.
    ///   - pool: The workers to use, as far as they are there; all of the cluster unless told.
    ///   - retries: Times that a part is done again after its worker ended.
    ///   - seed: Of ``Worker/random``; the cluster's next unless told.
    ///   - body: A closure literal that captures nothing itself.
    /// - Returns: What to wait for; errors of the body are thrown there.
    /// - Throws: ``BodyError`` if the body can't travel.
    public func distributed<each Capture>(
        _ range: Range<Int>, capturing captures: repeat each Capture, pool: (any AbstractWorkerPool)? = nil,
        retries: Int = 2, seed: UInt64? = nil, file: String = #fileID, line: Int = #line,
        body: @escaping @Sendable (Int, repeat each Capture) throws -> Void
    ) throws -> DistributedLoop where repeat each Capture: WireEncodable & WireDecodable & Sendable {
        let function = try LoopFunction(rangeIn: file, line: line, body).reference
        let encoded = try EncodedCaptures(repeat each captures, file: file, line: line)
        let options = PartOptions(pool: pool, retries: retries, seed: seed, callSite: CallSite(file: file, line: line))
        return DistributedLoop { [self] in
            try await loop(function, encoded, count: range.count, options) { _, output in
                output.write(range.lowerBound)
            }
        }
    }

    /// The same over elements, which are sent to the workers.
    public func distributed<Elements: Collection, each Capture>(
        _ elements: Elements, capturing captures: repeat each Capture, pool: (any AbstractWorkerPool)? = nil,
        retries: Int = 2, seed: UInt64? = nil, file: String = #fileID, line: Int = #line,
        body: @escaping @Sendable (Elements.Element, repeat each Capture) throws -> Void
    ) throws -> DistributedLoop
    where Elements.Element: Sendable, repeat each Capture: WireEncodable & WireDecodable & Sendable {
        let function = try LoopFunction(file: file, line: line, body).reference
        let encoded = try EncodedCaptures(repeat each captures, file: file, line: line)
        let options = PartOptions(pool: pool, retries: retries, seed: seed, callSite: CallSite(file: file, line: line))
        let all = Array(elements)
        return DistributedLoop { [self] in
            try await loop(function, encoded, count: all.count, options) { part, output in
                ValueCoder<Elements.Element>().write(all[part], to: &output)
            }
        }
    }
}

/// A loop that workers are at, see ``Cluster/distributed(_:capturing:pool:retries:seed:file:line:body:)``.
public struct DistributedLoop: Sendable {
    private let task: Task<Void, any Error>

    init(_ work: @escaping @Sendable () async throws -> Void) { task = Task { try await work() } }

    /// Waits until the body has run for all elements. Cancelling the task that waits does not end the loop.
    ///
    /// - Throws: ``RemoteError`` if the body threw, with the place of the element; ``ClusterError``, ``WorkerExited`` if the workers
    ///   are gone; `CancellationError` if it was cancelled.
    public nonisolated(nonsending) func wait() async throws { try await task.value }

    /// Ends the loop before its time: bodies that run are cancelled.
    public func cancel() { task.cancel() }
}
