import ClusterRuntime
import Remote
import Synchronization
import Wire

/// The order in which a ``MapStream`` gives results.
public enum MapOrder: Hashable, Sendable {
    /// That of the elements: a result waits for those before it.
    case asGiven
    /// As they come.
    case asCompleted
}

/// The results of a map one after the other, while it is under way; see `pmapStream`.
///
/// The map begins with the loop over it, anew with each, and ends with it. It stays only a little ahead of whoever takes
/// the results: memory does not grow with the number of elements.
public struct MapStream<Output: Sendable>: AsyncSequence, Sendable {
    /// One run of the map.
    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let course: MapCourse<Output>

        /// The next result; nil after the last.
        ///
        /// - Throws: What `pmap` throws; results that had come by then come first.
        public mutating func next() async throws -> Element? {
            try await course.next()
        }
    }

    /// Place of the element in the input, and its result.
    public typealias Element = (index: Int, output: Output)

    private let begin: @Sendable () -> MapCourse<Output>

    init(_ begin: @escaping @Sendable () -> MapCourse<Output>) {
        self.begin = begin
    }

    /// Begins the map.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(course: begin()) }
}

/// A map that is taken results from; it ends with the last reference to this.
final class MapCourse<Output: Sendable>: Sendable {
    private let results: StreamResults<Output>
    private let task: Task<Void, Never>

    /// - Parameter run: Runs the map to its end; is cancelled when nobody takes results any more.
    init(
        _ results: StreamResults<Output>, _ run: @escaping @Sendable () async throws -> Void
    ) {
        self.results = results
        task = Task {
            do {
                try await run()
                results.end(nil)
            } catch {
                results.end(error)
            }
        }
    }

    deinit { task.cancel() }

    func next() async throws -> MapStream<Output>.Element? {
        try await withTaskCancellationHandler {
            try await results.next()
        } onCancel: {
            task.cancel()
        }
    }
}

/// Results that wait to be taken.
final class StreamResults<Output: Sendable>: MapResults {
    private struct State {
        /// Results that can be taken, with the places of the first of each run.
        var ready: [(start: Int, outputs: ArraySlice<Output>)] = []
        var first = 0
        /// In order: runs that wait for those before them, by their starts.
        var early: [Int: [Output]] = [:]
        /// Place of the next result in order.
        var nextIndex = 0
        /// Results in `ready` and `early`.
        var count = 0
        /// Set when the map is over, with what ended it.
        var end: (any Error)??
        /// Told when a result was taken.
        var onTake: (@Sendable () -> Void)?
        var taker: CheckedContinuation<Void, Never>?
    }

    private let coder = ValueCoder<Output>()
    private let order: MapOrder
    private let state = Mutex(State())

    init(_ order: MapOrder) {
        self.order = order
    }

    func whenTaken(_ action: @escaping @Sendable () -> Void) { state.withLock { $0.onTake = action } }

    var heldCount: Int { state.withLock { $0.count } }

    func take(_ reply: inout WireReader, for batch: Range<Int>, isShort: Bool) throws -> [IndexedFailure] {
        let outputs = try coder.read(from: &reply)
        let failures = try IndexedFailure.readAll(from: &reply)
        try reply.expectEnd()
        if isShort { return ascending(failures, in: batch) }
        var rest = outputs[...]
        for run in try runs(outputs.count, in: batch, failures) where !run.isEmpty {
            add(Array(rest.prefix(run.count)), at: batch.lowerBound + run.lowerBound)
            rest = rest.dropFirst(run.count)
        }
        return failures
    }

    func put(_ output: any Sendable, at index: Int) {
        guard let output = output as? Output else { preconditionFailure("a result has the results' type") }
        add([output], at: index)
    }

    private func add(_ outputs: [Output], at start: Int) {
        let taker = state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.count += outputs.count
            switch order {
            case .asCompleted: state.ready.append((start, outputs[...]))
            case .asGiven:
                state.early[start] = outputs
                while let next = state.early.removeValue(forKey: state.nextIndex) {
                    state.ready.append((state.nextIndex, next[...]))
                    state.nextIndex += next.count
                }
            }
            return state.first < state.ready.count ? state.taker.take() : nil
        }
        taker?.resume()
    }

    /// The map is over.
    func end(_ error: (any Error)?) {
        let taker = state.withLock { state in
            state.end = .some(error)
            state.onTake = nil
            return state.taker.take()
        }
        taker?.resume()
    }

    /// The next result, once it is there; nil if there is none any more.
    func next() async throws -> MapStream<Output>.Element? {
        while true {
            let found = state.withLock { state -> Result<MapStream<Output>.Element?, any Error>? in
                if let element = StreamResults.takeFirst(&state) { return .success(element) }
                guard let end = state.end else { return nil }
                state.end = .some(nil)  // an error is thrown once
                return end.map { .failure($0) } ?? .success(nil)
            }
            if let found {
                state.withLock { $0.onTake }?()
                return try found.get()
            }
            await withCheckedContinuation { continuation in
                let isThere = state.withLock { state in
                    guard state.first == state.ready.count, state.end == nil else { return true }
                    precondition(state.taker == nil, "one task takes the results of a map")
                    state.taker = continuation
                    return false
                }
                if isThere { continuation.resume() }
            }
        }
    }

    private static func takeFirst(_ state: inout State) -> MapStream<Output>.Element? {
        guard state.first < state.ready.count, let output = state.ready[state.first].outputs.popFirst() else {
            return nil
        }
        let index = state.ready[state.first].start
        state.ready[state.first].start += 1
        state.count -= 1
        if state.ready[state.first].outputs.isEmpty {
            state.first += 1
            if state.first == state.ready.count {
                state.ready.removeAll(keepingCapacity: true)
                state.first = 0
            } else if state.first >= 256 {
                state.ready.removeFirst(state.first)
                state.first = 0
            }
        }
        return (index, output)
    }
}
