import ClusterRuntime
import Remote
import Scheduling
import Synchronization
import Transport
import Wire

/// What the forms of `pmap` have in common besides elements, captures and body.
struct MapOptions<Output: Sendable>: Sendable {
    var pool: (any AbstractWorkerPool)?
    var batchSize: BatchSize
    var retries: Int
    var isDistributed: Bool
    /// Of the random numbers of its elements; the cluster's next unless told.
    var seed: UInt64?
    /// Time that an element has, once it is sent.
    var deadline: Duration?
    /// Where the map was begun.
    var callSite: CallSite
    var handling: FailureHandling<Output>
}

extension Cluster {
    /// What all forms of `pmap` over sequences come down to that return the bodies' results.
    nonisolated(nonsending) func map<Elements: Sequence, Output: Sendable>(
        _ elements: Elements, _ function: FunctionReference, _ captures: EncodedCaptures,
        _ options: MapOptions<Output>
    ) async throws -> [Output] where Elements.Element: Sendable {
        try await map(elements, function, captures, options) { count -> any CollectedResults<Output> in
            if let count, ValueCoder<Output>().isPlain {
                PlainResults<Output>(count: count)
            } else {
                RunResults<Output>()
            }
        }
    }

    /// What all forms of `pmap` over sequences come down to.
    ///
    /// - Parameter makeResults: Makes what collects the results of so many elements; `nil` if their number isn't known.
    nonisolated(nonsending) func map<Elements: Sequence, Handled: Sendable, Output: Sendable>(
        _ elements: Elements, _ function: FunctionReference, _ captures: EncodedCaptures,
        _ options: MapOptions<Handled>, _ makeResults: (Int?) -> any CollectedResults<Output>
    ) async throws -> [Output] where Elements.Element: Sendable {
        guard let (input, count) = wholeInput(elements) else {
            var iterator = elements.makeIterator()
            return try await map(function, captures, options, to: makeResults(nil)) { run, input in
                await run.feed(from: &iterator, into: input, limit: nil)
            }
        }
        let seed = seed(of: options)
        guard count > 0 else { return [] }
        let held = try HeldCaptures(self, captures, options)
        defer { held.release() }
        let results = makeResults(count)
        let run = MapRun(
            input, count: count, to: results, function: function, captures: held.set, options: options, seed: seed)
        try await follow(run, options) {}
        return results.collect()
    }

    /// What `pmap` over an asynchronous sequence comes down to.
    nonisolated(nonsending) func map<Elements: AsyncSequence & Sendable, Output: Sendable>(
        arriving elements: Elements, _ function: FunctionReference, _ captures: EncodedCaptures,
        _ options: MapOptions<Output>
    ) async throws -> [Output] where Elements.Element: Sendable {
        try await map(function, captures, options, to: RunResults<Output>()) { run, input in
            run.feedInTask { try await run.feed(arriving: elements, into: input, limit: nil) }
        }
    }

    /// A map whose elements come while it is under way.
    ///
    /// - Parameter feed: Supplies elements for as long as some are wanted, and returns after the last.
    private nonisolated(nonsending) func map<Element: Sendable, Handled: Sendable, Output: Sendable>(
        _ function: FunctionReference, _ captures: EncodedCaptures, _ options: MapOptions<Handled>,
        to results: any CollectedResults<Output>,
        _ feed: nonisolated(nonsending) (MapRun, ArrivingInput<Element>) async throws -> Void
    ) async throws -> [Output] {
        let seed = seed(of: options)
        let held = try HeldCaptures(self, captures, options)
        defer { held.release() }
        let input = ArrivingInput<Element>()
        let run = MapRun(
            input, count: nil, to: results, function: function, captures: held.set, options: options, seed: seed)
        try await follow(run, options) { try await feed(run, input) }
        return results.collect()
    }

    /// Runs a map to its end; in a map without a pool those take part that join meanwhile.
    ///
    /// - Parameter feed: Supplies elements that are not there from the start.
    nonisolated(nonsending) func follow<Output>(
        _ run: MapRun, _ options: MapOptions<Output>, _ feed: nonisolated(nonsending) () async throws -> Void
    ) async throws {
        let workers = try await MapWorkers.taking(options, of: self)
        defer { workers.end() }
        workers.begin(run)
        await withTaskCancellationHandler {
            do { try await feed() } catch { run.cancel(error) }
        } onCancel: {
            run.cancel()
        }
        try await run.end()
    }

    /// The seed of a map that begins now.
    func seed<Output>(of options: MapOptions<Output>) -> UInt64 { options.seed ?? nextMapSeed() }

    /// Elements that need not be read one by one: those of an array, a shared array, a range of integers.
    private func wholeInput<Elements: Sequence>(
        _ elements: Elements
    ) -> (any MapInput, count: Int)? where Elements.Element: Sendable {
        switch elements {
        case let array as [Elements.Element]: (arrayInput(array), array.count)
        case let range as Range<Int>: (RangeInput(from: range.lowerBound), range.count)
        case let range as ClosedRange<Int>: (RangeInput(from: range.lowerBound), range.count)
        case let shared as any SharedElements: shared.input.map { ($0, shared.elementCount) }
        case let slice as ArraySlice<Elements.Element>: (arrayInput(Array(slice)), slice.count)
        default: nil
        }
    }
}

private func arrayInput<Element: Sendable>(_ elements: [Element]) -> any MapInput {
    ValueCoder<Element>().isPlain ? PlainInput(elements) : ArrayInput(elements)
}

/// A `SharedArray`, whatever its elements.
private protocol SharedElements {
    var input: (any MapInput)? { get }
    var elementCount: Int { get }
}

extension SharedArray: SharedElements {
    fileprivate var input: (any MapInput)? { PlainInput(self) }
    fileprivate var elementCount: Int { count }
}

/// The workers that a map is spread over while it runs.
final class MapWorkers: Sendable {
    private let cluster: Cluster
    private let members: [Member]
    /// Whether whoever joins the cluster takes part.
    private let isOpen: Bool
    private let watcher = Mutex<Int?>(nil)

    private init(_ cluster: Cluster, _ members: [Member], isOpen: Bool) {
        self.cluster = cluster
        self.members = members
        self.isOpen = isOpen
    }

    /// Those that a map begins with.
    nonisolated(nonsending) static func taking<Output>(
        _ options: MapOptions<Output>, of cluster: Cluster
    ) async throws -> MapWorkers {
        guard options.isDistributed else { return MapWorkers(cluster, try cluster.localMembers, isOpen: false) }
        let pool = options.pool ?? cluster.poolOfMaps
        return MapWorkers(cluster, try await cluster.members(of: pool), isOpen: pool == nil)
    }

    func begin(_ run: MapRun) {
        if isOpen {
            watcher.withLock {
                $0 = cluster.watchJoins {
                    run.join($0)
                } onNoneExpected: {
                    run.expectNoMoreWorkers()
                }
            }
        }
        run.begin(members) { [cluster, isOpen] in isOpen && cluster.expectsWorkers }
    }

    func end() {
        if let watcher = watcher.withLock({ $0.take() }) { cluster.endJoinWatch(watcher) }
    }
}

extension Cluster {
    /// The workers that a map begins with: those of the pool that are there, or all.
    fileprivate nonisolated(nonsending) func members(of pool: (any AbstractWorkerPool)?) async throws -> [Member] {
        let all = try await reachAll()
        guard let pool else {
            guard !all.isEmpty || expectsWorkers else { throw ClusterError.noWorkers }
            return all
        }
        let wanted = pool.workers
        let members = wanted.compactMap { id in all.first { $0.id == id } }
        guard members.isEmpty else { return members }
        guard !wanted.isEmpty else { throw ClusterError(.noWorkers, "the pool has no workers") }
        throw ClusterError(
            .noWorkers, "no worker of the pool is there: \(wanted.map { "\($0)" }.joined(separator: ", "))")
    }
}

/// The captures of one map, for as long as it runs.
struct HeldCaptures: Sendable {
    /// Nil if there are none.
    let set: CaptureSet?
    private let cache: CaptureCache?

    init<Output>(
        _ cluster: Cluster, _ encoded: EncodedCaptures, _ options: MapOptions<Output>
    ) throws(BodyError) {
        let pool = options.pool ?? cluster.poolOfMaps
        cache = pool == nil && options.isDistributed ? cluster.captureCache : (pool as? CachingPool)?.cache
        set =
            if encoded.isEmpty {
                nil
            } else if let cache {
                try cache.take(encoded)
            } else {
                try CaptureSet(encoded, cluster.captureCache.placement)
            }
    }

    func release() {
        guard let set else { return }
        if let cache { cache.release(set) } else { set.forget() }
    }
}
