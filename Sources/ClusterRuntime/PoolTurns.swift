import Remote

/// Which workers of a pool are free, and who waits for one: first come, first served. Events in, actions out.
struct PoolTurns {
    /// A worker, for whoever waited longest.
    struct Grant: Equatable {
        let ticket: UInt64
        let worker: WorkerID
    }

    /// What an event has for those who wait.
    struct News: Equatable {
        /// For one who waits to take a worker.
        var grant: Grant?
        /// Those who wait for any worker to be free, and take none.
        var ready: [UInt64] = []
        /// Those for whom there is nothing to wait for any more.
        var hopeless: [UInt64] = []
    }

    /// What comes of asking for a worker.
    enum Answer: Equatable {
        case here(WorkerID)
        case wait
        /// There is no worker, and none to come.
        case none
    }

    /// All workers, in the order in which they were added.
    private(set) var workers: [WorkerID] = []
    /// Those that nobody has, the one that is so for longest first.
    private(set) var free: [WorkerID] = []
    private var takers: [UInt64] = []
    private var lookers: [UInt64] = []
    /// Whether there is something to wait for though there are no workers.
    private(set) var expectsMore = false

    /// How many wait.
    var waitingCount: Int { takers.count + lookers.count }

    /// Adds a worker, which is free; one that is there already stays as it is.
    mutating func add(_ worker: WorkerID) -> News {
        guard !workers.contains(worker) else { return News() }
        workers.append(worker)
        return put(worker)
    }

    /// A worker is free again; one that is free already, or not of the pool, is passed over.
    mutating func putBack(_ worker: WorkerID) -> News {
        guard workers.contains(worker), !free.contains(worker) else { return News() }
        return put(worker)
    }

    private mutating func put(_ worker: WorkerID) -> News {
        if !takers.isEmpty { return News(grant: Grant(ticket: takers.removeFirst(), worker: worker)) }
        free.append(worker)
        defer { lookers = [] }
        return News(ready: lookers)
    }

    /// Takes a worker out of the pool, free or not.
    mutating func remove(_ worker: WorkerID) -> News {
        workers.removeAll { $0 == worker }
        free.removeAll { $0 == worker }
        return endOfHope()
    }

    /// Says whether workers may come of themselves.
    mutating func expect(_ more: Bool) -> News {
        expectsMore = more
        return endOfHope()
    }

    private mutating func endOfHope() -> News {
        guard workers.isEmpty, !expectsMore else { return News() }
        defer { (takers, lookers) = ([], []) }
        return News(hopeless: takers + lookers)
    }

    /// Takes the worker that is free for longest; if there is none, the ticket is for the next one.
    mutating func take(_ ticket: UInt64) -> Answer {
        guard free.isEmpty else { return .here(free.removeFirst()) }
        guard !workers.isEmpty || expectsMore else { return .none }
        takers.append(ticket)
        return .wait
    }

    /// Looks for a free worker and leaves it where it is; if there is none, the ticket is for when there is.
    mutating func look(_ ticket: UInt64) -> Answer {
        if let first = free.first { return .here(first) }
        guard !workers.isEmpty || expectsMore else { return .none }
        lookers.append(ticket)
        return .wait
    }

    /// Whoever has the ticket waits no more. Returns whether it did.
    mutating func giveUp(_ ticket: UInt64) -> Bool {
        let before = waitingCount
        takers.removeAll { $0 == ticket }
        lookers.removeAll { $0 == ticket }
        return waitingCount < before
    }
}
