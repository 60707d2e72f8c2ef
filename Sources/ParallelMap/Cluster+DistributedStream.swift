public import ClusterRuntime
import Remote
import Synchronization
public import Wire

extension Cluster {
    /// Applies a body to the elements of an asynchronous sequence as they come, and puts the results together, on the workers.
    ///
    /// ```swift
    /// let longest = try await cluster.distributed(url.lines, reduce: { $0 > $1 ? $0 : $1 }) { $0.utf8.count }
    /// ```
    ///
    /// However long the sequence is, this process holds no more than the chunks that are on their way: two for each worker, and a
    /// reference for each power of two of chunks. How results are put together depends on `chunk` and the number of elements
    /// alone: it is the same to the last bit for any number of workers. Results of chunks go with their workers: the loss of one
    /// that has some is an error.
    ///
    /// - Parameters:
    ///   - elements: Read in this task, as fast as the workers take them.
    ///   - chunk: Elements sent at a time, at least 1; 1,024 unless told.
    ///   - reduce: Puts two results together, that of earlier elements first: a closure literal that captures nothing, or an operator.
    ///   - captures: What the body needs besides the element; given to it in this order, sent to each host once.
    ///   - pool: The workers to use, as far as they are there; all that are there when it begins unless told.
    ///   - seed: Of ``Worker/random``; the cluster's next unless told.
    ///   - body: A closure literal that captures nothing itself.
    /// - Throws: As the form over a range, and what the sequence throws.
    public nonisolated(nonsending) func distributed<Elements: AsyncSequence, Output: Sendable, each Capture>(
        _ elements: Elements, chunk: Int = 1024, reduce: @escaping @Sendable (Output, Output) throws -> Output,
        capturing captures: repeat each Capture, pool: (any AbstractWorkerPool)? = nil, seed: UInt64? = nil,
        file: String = #fileID, line: Int = #line,
        body: @escaping @Sendable (Elements.Element, repeat each Capture) throws -> Output
    ) async throws -> Output
    where Elements.Element: Sendable, repeat each Capture: WireEncodable & WireDecodable & Sendable {
        precondition(chunk >= 1, "a chunk has at least one element")
        let functions = try ReductionFunctions(
            file: file, line: line, combining: Future<Output>.self, reduce: reduce, body)
        let encoded = try EncodedCaptures(repeat each captures, file: file, line: line)
        let captures = encoded.isEmpty ? nil : try captureCache.take(encoded)
        defer { if let captures { captureCache.release(captures) } }
        let site = CallSite(file: file, line: line)
        var stream = ChunkStream<Output>(
            workers: try await workers(of: pool), combine: functions.combine, site: site, cluster: self)
        let seed = seed ?? nextMapSeed()
        var (first, buffer): (Int, [Elements.Element]) = (0, [])
        do {
            for try await element in elements {
                buffer.append(element)
                if buffer.count == chunk {
                    try await send(buffer, from: first, functions, captures, seed, &stream)
                    first += buffer.count
                    buffer.removeAll(keepingCapacity: true)
                }
            }
            if !buffer.isEmpty { try await send(buffer, from: first, functions, captures, seed, &stream) }
            guard first + buffer.count > 0 else {
                throw ClusterError(.refused, "there is nothing to reduce: the sequence had no elements")
            }
            return try await stream.result().fetch()
        } catch {
            stream.cancel()
            throw error
        }
    }

    private nonisolated(nonsending) func send<Element: Sendable, Output: Sendable>(
        _ elements: [Element], from first: Int, _ functions: ReductionFunctions, _ captures: CaptureSet?,
        _ seed: UInt64, _ stream: inout ChunkStream<Output>
    ) async throws {
        let tree = ReductionTree(count: elements.count)
        try await stream.add { [self] worker, site in
            try await keep(
                functions.part, captures, for: first..<first + elements.count, on: worker, seed: seed, at: site
            ) { output in
                tree.write(0..<tree.leafCount, functions.reducer, from: first, to: &output)
                ValueCoder<Element>().write(elements[...], to: &output)
            }
        }
    }

    private nonisolated(nonsending) func workers(of pool: (any AbstractWorkerPool)?) async throws -> [WorkerID] {
        let all = try await reachAll().map(\.id)
        let workers = pool.map { $0.workers.filter(all.contains) } ?? all
        guard !workers.isEmpty else { throw ClusterError.noWorkers }
        return workers
    }
}

/// Results of chunks, put together as they come: those of 2, 4, 8 … chunks, as the digits of a binary number are carried.
private struct ChunkStream<Output: Sendable> {
    let workers: [WorkerID]
    let combine: FunctionReference
    let site: CallSite
    let cluster: Cluster
    /// Chunks on their way, in their order, at most two for each worker.
    private var underWay: [Task<Future<Output>, any Error>] = []
    private var next = 0
    /// Of 1, 2, 4 … chunks; the first of them came last.
    private var digits: [Future<Output>?] = []

    init(workers: [WorkerID], combine: FunctionReference, site: CallSite, cluster: Cluster) {
        (self.workers, self.combine, self.site, self.cluster) = (workers, combine, site, cluster)
    }

    /// Sends a chunk to the worker whose turn it is, when there are few enough under way.
    nonisolated(nonsending) mutating func add(
        _ work: @escaping @Sendable (WorkerID, CallSite) async throws -> Future<Output>
    ) async throws {
        if underWay.count == 2 * workers.count { try await takeFirst() }
        let (worker, site) = (workers[next % workers.count], site)
        next += 1
        underWay.append(Task { try await work(worker, site) })
    }

    private nonisolated(nonsending) mutating func takeFirst() async throws {
        let first = underWay.removeFirst()
        var carry = try await withTaskCancellationHandler {
            try await first.value
        } onCancel: {
            first.cancel()
        }
        var digit = 0
        while digit < digits.count, let earlier = digits[digit] {
            carry = try await put(earlier, carry)
            digits[digit] = nil
            digit += 1
        }
        if digit == digits.count { digits.append(carry) } else { digits[digit] = carry }
    }

    private nonisolated(nonsending) func put(_ first: Future<Output>, _ second: Future<Output>) async throws -> Future<
        Output
    > {
        try await cluster.keep(combine, nil, for: 0..<1, on: first.id.where, seed: 0, at: site) { output in
            ValueCoder<(Future<Output>, Future<Output>)>().write([(first, second)], to: &output)
        }
    }

    /// All that came, put together.
    nonisolated(nonsending) mutating func result() async throws -> Future<Output> {
        while !underWay.isEmpty { try await takeFirst() }
        var result: Future<Output>?
        for digit in digits {
            guard let digit else { continue }
            if let later = result { result = try await put(digit, later) } else { result = digit }
        }
        guard let result else { preconditionFailure("there was an element") }
        return result
    }

    func cancel() {
        for task in underWay { task.cancel() }
    }
}
