/// Which worker works on which elements of a map: events in, batches out. No clock, no process, no thread.
///
/// An element is *settled* when it has a result or is given up. Until then it is in exactly one place: not begun, with a
/// worker, waiting for its next attempt, under suspicion, or awaiting a verdict of whoever decides what becomes of a
/// failure.
///
/// A worker that ends leaves open which of the elements it had is to blame. So all of them are *suspects*: each goes to
/// a worker by itself, when nothing else is left to begin, and that worker has nothing else meanwhile. So an element
/// that ends every worker costs `retries` + 1 of them, whatever was sent along with it, and all that never met it is
/// done before it gets the second.
package struct MapSchedule<Worker: Hashable & Sendable>: Sendable {
    private struct Queue {
        var batches: [Range<Int>] = []
        /// When the worker began with the first of them.
        var since = 0.0
        var isLeaving = false
        /// Whether it has a suspect, and so nothing else.
        var isOnTrial = false
        /// What it was to do first when it ended.
        var firstWhenLost: Range<Int>?
    }

    /// What an element has been through without a result.
    private struct History {
        /// Workers that ended while they had it.
        var deaths = 0
        /// Errors of its body.
        var errors = 0
        /// Times that it was tried again because a verdict said so.
        var pardons = 0
    }

    private let count: Int
    private let retries: Int
    private var sizer: BatchSizer
    private var first = 0
    /// Batches that were given out and came back, not begun.
    private var returned: [Range<Int>] = []
    /// By how likely they are to end another worker.
    private var suspects = KeyedQueue<Int, Int>()
    /// By the time when they are due, in seconds.
    private var delayed = KeyedQueue<Double, Int>()
    private var histories: [Int: History] = [:]
    private var queues: [Worker: Queue] = [:]
    private var activeCount = 0
    private var inFlightCount = 0
    private var undecidedCount = 0
    private var settledCount = 0

    /// Whether no more batches are given out, because an element was given up.
    package private(set) var isStopped = false

    /// A map over elements `0..<count`.
    ///
    /// - Parameter retries: Times that an element whose worker ended is given to another before it awaits a verdict.
    package init(count: Int, batchSize: BatchSize, retries: Int = 2) {
        precondition(count >= 0, "a map has no fewer than no elements")
        precondition(retries >= 0, "an element is not retried a negative number of times")
        self.count = count
        self.retries = retries
        sizer = BatchSizer(batchSize)
    }

    // MARK: - Where it stands

    /// Whether every element is settled.
    package var isComplete: Bool { settledCount == count }

    /// Whether there are workers to give batches to.
    package var hasWorkers: Bool { activeCount > 0 }

    /// Whether no worker has a batch and no element awaits a verdict.
    package var isIdle: Bool { inFlightCount == 0 && undecidedCount == 0 }

    /// Whether there is something left to do, but nobody to do it.
    package var isStranded: Bool { isIdle && !isComplete && !isStopped && !hasWorkers }

    /// Whether some elements were never tried.
    package var hasUntried: Bool { first < count || !returned.isEmpty }

    /// How many elements have a result, or were given up.
    package var settled: Int { settledCount }

    /// When the next of the elements that wait for an attempt is due; `nil` if none waits.
    package var nextDue: Double? { delayed.leastKey }

    /// How often an element was tried, as far as that is known: it may have waited when its worker ended.
    package func attempts(of element: Int) -> Int {
        histories[element].map { $0.deaths + $0.errors } ?? 0
    }

    /// How many workers ended while they had the element.
    package func deaths(of element: Int) -> Int {
        histories[element]?.deaths ?? 0
    }

    /// How often a verdict had the element tried again.
    package func pardons(of element: Int) -> Int {
        histories[element]?.pardons ?? 0
    }

    // MARK: - Workers

    /// A worker takes part from now on. One that has left does not come back.
    package mutating func join(_ worker: Worker) {
        guard queues[worker] == nil else { return }
        queues[worker] = Queue()
        activeCount += 1
    }

    /// The next batch for a worker, at time `now` in seconds; `nil` if it has enough, or nothing is left.
    package mutating func next(for worker: Worker, now: Double) -> Range<Int>? {
        guard !isStopped, var queue = queues[worker], !queue.isLeaving, !queue.isOnTrial,
            queue.batches.count < sizer.inFlight(remaining: count - first, workers: activeCount)
        else { return nil }
        let batch: Range<Int>
        if let again = returned.popLast() {
            batch = again
        } else if let element = popDue(now) {
            batch = element..<element + 1
        } else if first < count {
            let size = sizer.next(remaining: count - first, workers: activeCount)
            batch = first..<first + size
            first += size
        } else if queue.batches.isEmpty, let suspect = suspects.pop() {
            batch = suspect..<suspect + 1
            queue.isOnTrial = true
        } else {
            return nil
        }
        if queue.batches.isEmpty { queue.since = now }
        queue.batches.append(batch)
        queues[worker] = queue
        inFlightCount += 1
        return batch
    }

    /// An element whose delay is over; suspects among them wait for their turn.
    private mutating func popDue(_ now: Double) -> Int? {
        while let due = delayed.leastKey, due <= now, let element = delayed.pop() {
            if deaths(of: element) == 0 { return element }
            suspects.insert(element, key: 2 * deaths(of: element))
        }
        return nil
    }

    private mutating func take(_ batch: Range<Int>, from worker: Worker) {
        guard let index = queues[worker]?.batches.firstIndex(of: batch) else {
            preconditionFailure("a batch comes back once, from the worker that was given it")
        }
        queues[worker]?.batches.remove(at: index)
        inFlightCount -= 1
    }

    private mutating func leave(_ worker: Worker) {
        guard queues[worker]?.isLeaving == false else { return }
        queues[worker]?.isLeaving = true
        activeCount -= 1
    }

    // MARK: - What becomes of a batch

    /// A worker has answered a batch, at time `now` in seconds; the elements that failed await a verdict.
    package mutating func finished(_ batch: Range<Int>, by worker: Worker, now: Double, failed: [Int] = []) {
        guard var queue = queues[worker], let index = queue.batches.firstIndex(of: batch) else {
            preconditionFailure("a batch is finished once, by the worker that was given it")
        }
        queue.batches.remove(at: index)
        // An element that is tried again, by itself, says little about batches.
        if histories[batch.lowerBound] == nil { sizer.measured(count: batch.count, seconds: now - queue.since) }
        queue.since = now
        queue.isOnTrial = false
        queues[worker] = queue
        inFlightCount -= 1
        for element in failed { histories[element, default: History()].errors += 1 }
        undecidedCount += failed.count
        settledCount += batch.count - failed.count
    }

    /// A worker did not take a batch, since it is about to leave or had ended; what it has taken it still finishes.
    package mutating func returned(_ batch: Range<Int>, by worker: Worker) {
        take(batch, from: worker)
        leave(worker)
        let deaths = deaths(of: batch.lowerBound)
        if deaths > 0 {
            suspects.insert(batch.lowerBound, key: 2 * deaths)
        } else {
            returned.append(batch)
        }
    }

    /// A worker ended before it answered a batch.
    ///
    /// - Returns: The elements that have used up their retries, and await a verdict.
    package mutating func lost(_ batch: Range<Int>, by worker: Worker) -> [Int] {
        let first = queues[worker].flatMap { $0.firstWhenLost ?? $0.batches.first }
        queues[worker]?.firstWhenLost = first
        take(batch, from: worker)
        leave(worker)
        // Most bodies run one after the other: then it was the first batch.
        let suspicion = first == batch ? 1 : 0
        var spent: [Int] = []
        for element in batch {
            let deaths = deaths(of: element) + 1
            histories[element, default: History()].deaths = deaths
            if deaths > retries { spent.append(element) } else { suspects.insert(element, key: 2 * deaths + suspicion) }
        }
        undecidedCount += spent.count
        return spent
    }

    // MARK: - Verdicts

    /// An element that awaited a verdict has a result after all, or is given up.
    package mutating func settle() {
        undecidedCount -= 1
        settledCount += 1
    }

    /// An element that awaited a verdict is tried again, not before time `due` in seconds.
    package mutating func retry(_ element: Int, due: Double) {
        undecidedCount -= 1
        histories[element, default: History()].pardons += 1
        delayed.insert(element, key: due)
    }

    /// An element was given up: nothing more is begun.
    package mutating func stop() {
        isStopped = true
    }

    /// With nobody left to try them again, the elements that were tried before await a verdict.
    package mutating func takeStranded() -> [Int] {
        precondition(isStranded && !hasUntried, "some elements are not begun, or somebody can try them")
        var elements: [Int] = []
        while let element = suspects.pop() ?? delayed.pop() { elements.append(element) }
        undecidedCount += elements.count
        return elements
    }
}
