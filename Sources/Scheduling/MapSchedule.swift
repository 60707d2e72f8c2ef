/// Which worker works on which elements of a map: events in, batches out. No clock, no process, no thread.
package struct MapSchedule<Worker: Hashable & Sendable>: Sendable {
    private struct Queue {
        var batches: [Range<Int>] = []
        /// When the worker began with the first of them.
        var since = 0.0
        var isLeaving = false
    }

    private let count: Int
    private var sizer: BatchSizer
    private var first = 0
    /// Batches that were given out and came back undone.
    private var returned: [Range<Int>] = []
    private var finishedCount = 0
    private var queues: [Worker: Queue] = [:]

    /// A map over elements `0..<count`.
    package init(count: Int, batchSize: BatchSize) {
        precondition(count >= 0, "a map has no fewer than no elements")
        self.count = count
        sizer = BatchSizer(batchSize)
    }

    /// Whether every element has been worked on.
    package var isComplete: Bool { finishedCount == count }

    /// Whether there are workers to give batches to.
    package var hasWorkers: Bool { queues.values.contains { !$0.isLeaving } }

    /// A worker takes part from now on.
    package mutating func join(_ worker: Worker) {
        if queues[worker] == nil { queues[worker] = Queue() }
    }

    /// The next batch for a worker, at time `now` in seconds; `nil` if it has enough, or nothing is left.
    package mutating func next(for worker: Worker, now: Double) -> Range<Int>? {
        guard var queue = queues[worker], !queue.isLeaving,
            queue.batches.count < sizer.inFlight(remaining: count - first, workers: queues.count)
        else { return nil }
        let batch: Range<Int>
        if let again = returned.popLast() {
            batch = again
        } else if first < count {
            let size = sizer.next(remaining: count - first, workers: queues.count)
            batch = first..<first + size
            first += size
        } else {
            return nil
        }
        if queue.batches.isEmpty { queue.since = now }
        queue.batches.append(batch)
        queues[worker] = queue
        return batch
    }

    /// A worker did not take a batch, since it is about to leave; what it has taken it still finishes.
    package mutating func returned(_ batch: Range<Int>, by worker: Worker) {
        guard let index = queues[worker]?.batches.firstIndex(of: batch) else {
            preconditionFailure("a batch is returned once, by the worker that was given it")
        }
        queues[worker]?.batches.remove(at: index)
        queues[worker]?.isLeaving = true
        returned.append(batch)
    }

    /// A worker has finished a batch, at time `now` in seconds.
    package mutating func finished(_ batch: Range<Int>, by worker: Worker, now: Double) {
        guard var queue = queues[worker], let index = queue.batches.firstIndex(of: batch) else {
            preconditionFailure("a batch is finished once, by the worker that was given it")
        }
        queue.batches.remove(at: index)
        sizer.measured(count: batch.count, seconds: now - queue.since)
        queue.since = now
        queues[worker] = queue
        finishedCount += batch.count
    }
}
