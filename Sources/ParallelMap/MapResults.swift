import Remote
import Synchronization
import Wire

/// Where the results of a map go.
protocol MapResults: AnyObject, Sendable {
    /// Reads the answer to a batch, and keeps the results.
    ///
    /// - Parameter isShort: Whether there may be fewer results than elements, because nobody wants them any more.
    /// - Returns: What failed, ascending.
    /// - Throws: `WireError` if it is no such answer, ``AnswerError`` if it does not fit the batch.
    func take(_ reply: inout WireReader, for batch: Range<Int>, isShort: Bool) throws -> [IndexedFailure]

    /// Keeps a result that came from elsewhere.
    func put(_ output: any Sendable, at index: Int)

    /// How many results are kept for somebody who takes them one after the other.
    var heldCount: Int { get }
}

extension MapResults {
    var heldCount: Int { 0 }
}

/// An answer that is none to its batch.
struct AnswerError: Error {
    let count: Int
    let resultCount: Int
}

extension MapResults {
    /// The runs of elements in a batch that did not fail, as ranges of the batch.
    ///
    /// - Throws: ``AnswerError`` unless each element has a result or a failure.
    func runs(_ count: Int, in batch: Range<Int>, _ failures: [IndexedFailure]) throws(AnswerError) -> [Range<Int>] {
        guard count + failures.count == batch.count else {
            throw AnswerError(count: batch.count, resultCount: count)
        }
        guard !failures.isEmpty else { return [0..<batch.count] }
        var runs: [Range<Int>] = []
        var start = 0
        for failure in failures {
            guard failure.index >= start, failure.index < batch.count else {
                throw AnswerError(count: batch.count, resultCount: count)
            }
            runs.append(start..<failure.index)
            start = failure.index + 1
        }
        runs.append(start..<batch.count)
        return runs
    }
}

extension MapResults {
    /// Of failures in an answer that may be short, those that can be: in the batch, ascending.
    func ascending(_ failures: [IndexedFailure], in batch: Range<Int>) -> [IndexedFailure] {
        var start = 0
        return failures.filter { failure in
            guard failure.index >= start, failure.index < batch.count else { return false }
            start = failure.index + 1
            return true
        }
    }
}

/// The results of a map as an array.
protocol CollectedResults<Output>: MapResults {
    associatedtype Output: Sendable
    /// All of them, once all are there; called once.
    func collect() -> [Output]
}

/// Plain results, written to where they belong as they come.
///
/// `@unchecked`: the memory belongs to the array that is made here; it is written to in ranges that have nothing in common,
/// each once, and read when all is written, which the map's lock puts in order.
@safe
final class PlainResults<Output: Sendable>: CollectedResults, @unchecked Sendable {
    private var array: [Output]
    private let base: UnsafeMutableRawPointer?
    private let size = MemoryLayout<Output>.stride

    /// - Precondition: `Output` is plain, see `ValueCoder.isPlain`.
    init(count: Int) {
        var base: UnsafeMutableRawPointer?
        let size = size
        array = unsafe [Output](unsafeUninitializedCapacity: count) { buffer, initialized in
            unsafe base = UnsafeMutableRawPointer(buffer.baseAddress)
            if let base = unsafe base { unsafe expectLargeWrite(to: base, byteCount: count * size) }
            // SAFETY: any bits are a plain value; and all are overwritten before anyone sees them.
            initialized = count
        }
        // SAFETY: stays where it is: nobody changes the array, nor copies it, before it is given away.
        unsafe self.base = base
    }

    func take(_ reply: inout WireReader, for batch: Range<Int>, isShort: Bool) throws -> [IndexedFailure] {
        let bytes = try reply.readPlainArray(size: size, alignment: MemoryLayout<Output>.alignment)
        let failures = try IndexedFailure.readAll(from: &reply)
        try reply.expectEnd()
        if isShort { return ascending(failures, in: batch) }
        let runs = try runs(bytes.byteCount / size, in: batch, failures)
        unsafe bytes.withUnsafeBytes { bytes in
            guard let source = bytes.baseAddress, let base = unsafe base else { return }
            var done = 0
            for run in runs {
                // SAFETY: the run lies in the batch, and that in the array; the results are as many.
                unsafe (base + (batch.lowerBound + run.lowerBound) * size)
                    .copyMemory(from: source + done * size, byteCount: run.count * size)
                done += run.count
            }
        }
        return failures
    }

    func put(_ output: any Sendable, at index: Int) {
        guard let output = output as? Output else { preconditionFailure("a result has the results' type") }
        // SAFETY: an element of the map has a place in the array.
        unsafe base?.storeBytes(of: output, toByteOffset: index * size, as: Output.self)
    }

    func collect() -> [Output] {
        defer { array = [] }
        return array
    }
}

/// Results of any type, kept as they come, and put in order in the end.
final class RunResults<Output: Sendable>: CollectedResults {
    private struct Runs: Sendable {
        var outputs: [[Output]] = []
        var starts: [Int] = []

        mutating func add(_ run: [Output], at start: Int) {
            guard !run.isEmpty else { return }
            outputs.append(run)
            starts.append(start)
        }
    }

    private let coder = ValueCoder<Output>()
    private let kept = Mutex(Runs())

    func take(_ reply: inout WireReader, for batch: Range<Int>, isShort: Bool) throws -> [IndexedFailure] {
        let outputs = try coder.read(from: &reply)
        let failures = try IndexedFailure.readAll(from: &reply)
        try reply.expectEnd()
        if isShort { return ascending(failures, in: batch) }
        let runs = try runs(outputs.count, in: batch, failures)
        kept.withLock { kept in
            if failures.isEmpty { return kept.add(outputs, at: batch.lowerBound) }
            var rest = outputs[...]
            for run in runs {
                kept.add(Array(rest.prefix(run.count)), at: batch.lowerBound + run.lowerBound)
                rest = rest.dropFirst(run.count)
            }
        }
        return failures
    }

    func put(_ output: any Sendable, at index: Int) {
        guard let output = output as? Output else { preconditionFailure("a result has the results' type") }
        kept.withLock { $0.add([output], at: index) }
    }

    func collect() -> [Output] {
        let kept = kept.withLock { kept in
            defer { kept = Runs() }
            return kept
        }
        if kept.outputs.count == 1 { return kept.outputs[0] }
        // Sorted by numbers alone, and copied run by run: this code knows the results' type at run time only.
        let order = kept.starts.indices.sorted { kept.starts[$0] < kept.starts[$1] }
        let total = kept.outputs.reduce(0) { $0 + $1.count }
        return unsafe [Output](unsafeUninitializedCapacity: total) { target, count in
            for index in order {
                unsafe kept.outputs[index].withUnsafeBufferPointer { run in
                    // SAFETY: the runs have `total` results together.
                    guard let start = run.baseAddress, let base = target.baseAddress else { return }
                    unsafe (base + count).initialize(from: start, count: run.count)
                }
                count += kept.outputs[index].count
            }
        }
    }
}
