/// Which worker works on which elements of a map: events in, batches out. No clock, no process, no thread.
package struct MapSchedule<Worker: Hashable & Sendable>: Sendable {
    /// Batches that a worker has at a time, at least: one to work on, and one that is there when it has finished.
    package static var batchesInFlight: Int { 2 }

    private struct Queue {
        var batches: [Range<Int>] = []
        /// When the worker began with the first of them.
        var since = 0.0
    }

    private let count: Int
    private var sizer: BatchSizer
    private var first = 0
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

    /// A worker takes part from now on.
    package mutating func join(_ worker: Worker) {
        if queues[worker] == nil { queues[worker] = Queue() }
    }

    /// The next batch for a worker, at time `now` in seconds; `nil` if it has enough, or nothing is left.
    package mutating func next(for worker: Worker, now: Double) -> Range<Int>? {
        guard first < count, var queue = queues[worker],
            queue.batches.count < sizer.inFlight(remaining: count - first, workers: queues.count)
        else { return nil }
        let size = sizer.next(remaining: count - first, workers: queues.count)
        let batch = first..<first + size
        first += size
        if queue.batches.isEmpty { queue.since = now }
        queue.batches.append(batch)
        queues[worker] = queue
        return batch
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
