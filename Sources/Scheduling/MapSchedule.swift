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
package struct MapSchedule: Sendable {
    private struct Queue {
        /// Oldest first.
        var batches = BatchQueue()
        /// When the worker began with the first of them.
        var since = 0.0
        var isLeaving = false
        /// When it will be ended, in seconds.
        var end = Double.infinity
        /// Whether it has a suspect, and so nothing else.
        var isOnTrial = false
        /// Whether it is still at an element whose time is over.
        var isHeldUp = false
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

    private let retries: Int
    /// Whether each element goes by itself, to a worker that has nothing else.
    private let areAlone: Bool
    private var sizer: BatchSizer
    /// Elements that are there so far.
    private var count = 0
    private var hasAll = false
    /// Elements that were not given out.
    private var supplies = BatchQueue()
    private var untriedCount = 0
    /// Batches that were given out and came back, not begun.
    private var returned: [Range<Int>] = []
    /// By how likely they are to end another worker.
    private var suspects = KeyedQueue<Int, Int>()
    /// By the time when they are due, in seconds.
    private var delayed = KeyedQueue<Double, Int>()
    private var histories: [Int: History] = [:]
    /// By the workers' numbers.
    private var queues: [Queue?] = []
    private var activeCount = 0
    private var inFlightCount = 0
    private var undecidedCount = 0
    private var settledCount = 0
    /// Elements that were measured, all of them, and their seconds.
    private var measuredCount = 0
    private var measuredSeconds = 0.0

    /// Whether no more batches are given out, because an element was given up.
    package private(set) var isStopped = false

    /// A map over elements `0..<count`, all of which are there.
    ///
    /// - Parameter retries: Times that an element whose worker ended is given to another before it awaits a verdict.
    package init(count: Int, batchSize: BatchSize, retries: Int = 2) {
        self.init(batchSize: batchSize, retries: retries)
        supply(count)
        supplyEnds()
    }

    /// A map over elements that come, see ``supply(_:)``.
    ///
    /// - Parameter areAlone: Whether each element goes by itself, to a worker that has nothing else of the map: what is measured is
    ///   the element's time then.
    package init(batchSize: BatchSize, retries: Int = 2, areAlone: Bool = false) {
        precondition(retries >= 0, "an element is not retried a negative number of times")
        self.retries = retries
        self.areAlone = areAlone
        sizer = BatchSizer(areAlone ? 1 : batchSize)
    }

    // MARK: - Elements

    /// That many more elements are there.
    package mutating func supply(_ more: Int) {
        precondition(more >= 0 && !hasAll, "a map has no fewer than no elements, and none after the last")
        guard more > 0 else { return }
        supplies.extend(by: count..<count + more)
        count += more
        untriedCount += more
    }

    /// There will be no more elements.
    package mutating func supplyEnds() {
        hasAll = true
    }

    /// How many more elements should come soon; 0 if enough are there.
    ///
    /// - Parameters:
    ///   - limit: Most elements that may be there without a result, or with one that is still held; as many as keep the
    ///     workers busy, several times over, unless told.
    ///   - held: How many results are held.
    package func appetite(limit: Int?, held: Int) -> Int {
        guard !hasAll else { return 0 }
        let wanted = 2 * max(activeCount, 1) * sizer.appetite
        guard untriedCount * 2 <= wanted else { return 0 }
        return max(0, min(wanted - untriedCount, (limit ?? 4 * wanted) - unsettledCount - held))
    }

    /// How many elements are there that have not been settled.
    package var unsettledCount: Int { count - settledCount }

    // MARK: - Where it stands

    /// Whether every element is settled.
    package var isComplete: Bool { hasAll && settledCount == count }

    /// Whether there are workers to give batches to.
    package var hasWorkers: Bool { activeCount > 0 }

    /// Whether no worker has a batch and no element awaits a verdict.
    package var isIdle: Bool { inFlightCount == 0 && undecidedCount == 0 }

    /// Whether there is something left to do, but nobody to do it.
    package var isStranded: Bool { isIdle && !isComplete && !isStopped && !hasWorkers }

    /// How many elements there are, as far as they have come.
    package var elementCount: Int { count }

    /// Whether some elements were never tried.
    package var hasUntried: Bool { untriedCount > 0 || !returned.isEmpty || !hasAll }

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
    ///
    /// - Parameters:
    ///   - worker: Its number in this map, from 0: best the next one.
    ///   - end: When it will be ended, in seconds: it gets nothing that would take longer, by the mean of what was measured.
    package mutating func join(_ worker: Int, until end: Double = .infinity) {
        while queues.count <= worker { queues.append(nil) }
        guard queues[worker] == nil else { return }
        queues[worker] = Queue(end: end)
        activeCount += 1
    }

    /// Workers that left because their time was not enough for one more element.
    package private(set) var expiredCount = 0

    /// How many elements a worker has the time for, besides those that it has.
    private func capacity(of worker: Int, until end: Double, now: Double) -> Int {
        let left = end - now
        guard left > 0, let queue = queue(of: worker) else { return 0 }
        guard measuredCount > 0 else { return .max }
        let mean = max(measuredSeconds / Double(measuredCount), 1e-10)
        // The first has been under way for a while, though nobody knows how far it is.
        let begun = min(now - queue.since, mean * Double(queue.batches.first?.count ?? 0))
        let count = (left + begun) / mean - Double(queue.batches.elementCount)
        return count >= 1 ? Int(min(count, 1e15)) : 0
    }

    private func queue(of worker: Int) -> Queue? { queues.indices.contains(worker) ? queues[worker] : nil }

    /// The next batch for a worker, at time `now` in seconds; `nil` if it has enough, or nothing is left.
    package mutating func next(for worker: Int, now: Double) -> Range<Int>? {
        guard !isStopped, queues.indices.contains(worker) else { return nil }
        guard
            let (isLeaving, isBusy, depth, end) = queues[worker].map({
                ($0.isLeaving, $0.isOnTrial || $0.isHeldUp, $0.batches.count, $0.end)
            }),
            !isLeaving, !isBusy, depth == 0 || !areAlone,
            depth < 2 || depth < sizer.inFlight(remaining: remaining, workers: activeCount)
        else { return nil }
        let capacity = end == .infinity ? .max : capacity(of: worker, until: end, now: now)
        guard capacity > 0 else {
            if depth == 0,
                !returned.isEmpty || untriedCount > 0 || suspects.leastKey != nil
                    || (delayed.leastKey ?? .infinity) <= now
            {
                leave(worker)
                expiredCount += 1
            }
            return nil
        }
        let batch: Range<Int>
        if let again = returned.popLast() {
            batch = again.prefix(capacity)
            if batch.count < again.count { returned.append(batch.upperBound..<again.upperBound) }
        } else if let element = popDue(now) {
            batch = element..<element + 1
        } else if untriedCount > 0 {
            batch = supplies.takePrefix(min(sizer.next(remaining: remaining, workers: activeCount), capacity))
            untriedCount -= batch.count
        } else if depth == 0, let suspect = suspects.pop() {
            batch = suspect..<suspect + 1
            queues[worker]?.isOnTrial = true
        } else {
            return nil
        }
        if depth == 0 { queues[worker]?.since = now }
        queues[worker]?.batches.append(batch)
        inFlightCount += 1
        return batch
    }

    /// Elements that are left to be given out, as far as that is known.
    private var remaining: Int { hasAll ? untriedCount : max(untriedCount, 1 << 40) }

    /// An element whose delay is over; suspects among them wait for their turn.
    private mutating func popDue(_ now: Double) -> Int? {
        guard delayed.leastKey != nil else { return nil }
        while let due = delayed.leastKey, due <= now, let element = delayed.pop() {
            if deaths(of: element) == 0 { return element }
            suspects.insert(element, key: 2 * deaths(of: element))
        }
        return nil
    }

    private mutating func take(_ batch: Range<Int>, from worker: Int) {
        guard queues.indices.contains(worker), queues[worker]?.batches.remove(batch) == true else {
            preconditionFailure("a batch comes back once, from the worker that was given it")
        }
        inFlightCount -= 1
    }

    private mutating func leave(_ worker: Int) {
        guard queues[worker]?.isLeaving == false else { return }
        queues[worker]?.isLeaving = true
        activeCount -= 1
    }

    // MARK: - What becomes of a batch

    /// A worker has answered a batch, at time `now` in seconds; the elements that failed await a verdict.
    package mutating func finished(_ batch: Range<Int>, by worker: Int, now: Double, failed: [Int] = []) {
        take(batch, from: worker)
        // An element that is tried again, by itself, says little about batches.
        if histories.isEmpty || histories[batch.lowerBound] == nil {
            let seconds = now - (queues[worker]?.since ?? now)
            sizer.measured(count: batch.count, seconds: seconds)
            measuredCount += batch.count
            measuredSeconds += seconds
        }
        queues[worker]?.since = now
        queues[worker]?.isOnTrial = false
        settledCount += batch.count - failed.count
        guard !failed.isEmpty else { return }
        for element in failed { histories[element, default: History()].errors += 1 }
        undecidedCount += failed.count
    }

    /// A worker did not take a batch, since it is about to leave or had ended; what it has taken it still finishes.
    package mutating func returned(_ batch: Range<Int>, by worker: Int) {
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
    package mutating func lost(_ batch: Range<Int>, by worker: Int) -> [Int] {
        let first = queue(of: worker).flatMap { $0.firstWhenLost ?? $0.batches.first }
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

    /// The time of the one element that a worker has is over: it awaits a verdict.
    ///
    /// - Parameter isHeldUp: Whether the worker has to come to its end, and is given nothing else before it is ``released(_:now:)``
    ///   or has ``left(_:)``.
    package mutating func expired(_ element: Range<Int>, by worker: Int, isHeldUp: Bool) {
        precondition(element.count == 1, "elements with a deadline go by themselves")
        take(element, from: worker)
        queues[worker]?.isOnTrial = false
        queues[worker]?.isHeldUp = isHeldUp
        histories[element.lowerBound, default: History()].errors += 1
        undecidedCount += 1
    }

    /// A worker has come to the end of an element whose time was over, at time `now` in seconds.
    package mutating func released(_ worker: Int, now: Double) {
        queues[worker]?.isHeldUp = false
        queues[worker]?.since = now
    }

    /// A worker has ended, or is about to leave, that has nothing else.
    package mutating func left(_ worker: Int) { leave(worker) }

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

/// Ranges of elements, in some order, most of which leave from the front.
private struct BatchQueue {
    private var ranges: [Range<Int>] = []
    private var start = 0

    var count: Int { ranges.count - start }
    var first: Range<Int>? { start < ranges.count ? ranges[start] : nil }
    var elementCount: Int { ranges[start...].reduce(0) { $0 + $1.count } }

    mutating func append(_ range: Range<Int>) { ranges.append(range) }

    /// Appends a range, as a part of the last if it goes on where that ends.
    mutating func extend(by range: Range<Int>) {
        if start < ranges.count, let last = ranges.last, last.upperBound == range.lowerBound {
            ranges[ranges.count - 1] = last.lowerBound..<range.upperBound
        } else {
            ranges.append(range)
        }
    }

    /// Removes a range; false if it is not there.
    mutating func remove(_ range: Range<Int>) -> Bool {
        guard start < ranges.count else { return false }
        if ranges[start] == range {
            removeFirst()
            return true
        }
        guard let index = ranges[start...].firstIndex(of: range) else { return false }
        ranges.remove(at: index)
        return true
    }

    /// Takes the first elements of the first range, at most `count`.
    mutating func takePrefix(_ count: Int) -> Range<Int> {
        let range = ranges[start]
        let taken = range.prefix(count)
        if taken == range { removeFirst() } else { ranges[start] = taken.upperBound..<range.upperBound }
        return taken
    }

    private mutating func removeFirst() {
        start += 1
        if start == ranges.count {
            ranges.removeAll(keepingCapacity: true)
            start = 0
        } else if start >= 1024, start * 2 >= ranges.count {
            ranges.removeFirst(start)
            start = 0
        }
    }
}
