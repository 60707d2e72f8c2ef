/// Chooses the size of the next batch from the time the last ones took.
///
/// A batch should take long against the cost of sending it, and short against the whole map, so that the workers finish
/// together. So it aims at a few milliseconds; grows at most eightfold from one batch to the next, since the first
/// elements say little about the rest; and takes at most a share of what is left.
struct BatchSizer: Sendable {
    /// Seconds that a batch should take.
    static let aim = 0.004
    /// What is left is meant for this many batches of each worker.
    static let sharesPerWorker = 3
    /// Seconds of work that a worker should have waiting: well above the time an answer and the next batch take, also
    /// where driver and worker have to take turns on a CPU.
    static let supply = 0.001
    /// Most batches that a worker has at a time.
    static let mostInFlight = 1024
    /// Seconds after which a measurement counts for half of what comes next.
    static let memory = 0.004

    private let size: BatchSize
    /// Elements measured, and their seconds; the longer ago the less they count.
    private var measuredCount = 0.0
    private var measuredSeconds = 0.0
    private var largest = 1

    init(_ size: BatchSize) {
        self.size = size
    }

    private var secondsPerElement: Double? { measuredCount > 0 ? max(measuredSeconds / measuredCount, 1e-10) : nil }

    /// Takes note of a batch of `count` elements that took a worker `seconds`.
    ///
    /// Answers of tiny batches come in bursts: the time from one to the next says little, the time of a whole burst
    /// much. So what counts less and less does so with time, not with the number of batches.
    mutating func measured(count: Int, seconds: Double) {
        guard count > 0 else { return }
        let seconds = max(seconds, 0)
        let weight = BatchSizer.memory / (BatchSizer.memory + seconds)
        measuredCount = measuredCount * weight + Double(count)
        measuredSeconds = measuredSeconds * weight + seconds
        largest = max(largest, count)
    }

    /// Elements for the next batch, from 1 to `remaining`.
    func next(remaining: Int, workers: Int) -> Int {
        precondition(remaining >= 1 && workers >= 1, "a batch is made of elements, for a worker")
        switch size.kind {
        case .fixed(let count): return min(count, remaining)
        case .automatic:
            guard let secondsPerElement else { return 1 }
            let aimed = min(BatchSizer.aim / secondsPerElement, 1e12)
            let share = remaining / (BatchSizer.sharesPerWorker * workers)
            return max(1, min(Int(aimed.rounded()), largest * 8, share, remaining))
        }
    }

    /// Batches that a worker should have at a time, at least 2: one to work on, and one that is there when it has
    /// finished; more where they are so short that it would wait for the next message rather than work.
    func inFlight(remaining: Int, workers: Int) -> Int {
        guard let secondsPerElement, remaining > 0 else { return 2 }
        let size = next(remaining: remaining, workers: workers)
        let wanted = min(BatchSizer.supply / (secondsPerElement * Double(size)), Double(BatchSizer.mostInFlight))
        // Towards the end no worker hoards what another could begin with.
        return max(2, min(Int(wanted), remaining / (size * BatchSizer.sharesPerWorker * workers)))
    }

    /// Elements that one worker takes in a row where there are enough: those of the batches that it should have.
    var appetite: Int {
        next(remaining: 1 << 40, workers: 1) * inFlight(remaining: 1 << 40, workers: 1)
    }
}
