/// How workers are spread over a machine.
public enum PlacementMode: String, Hashable, Sendable, CaseIterable {
    /// The first usable cores in topological order: workers share caches and memory, the rest stays free.
    case compact
    /// Packages, NUMA nodes and L3 caches in proportion to their usable cores: most memory bandwidth and cache.
    case balanced
}

/// What the user wants placed.
public struct PlacementRequest: Hashable, Sendable {
    /// The largest number of workers a plan is made for; more is taken for a mistake.
    public static let largestWorkerCount = 100_000

    /// Number of workers; nil for one per usable core, or for as many as ``cpus`` says.
    public var workers: Int?
    /// How to spread them; without effect on explicit lists.
    public var mode: PlacementMode
    /// Threads, and so CPUs, of each worker.
    public var threads: Int
    /// Explicit CPUs in place of a mode: each entry is what one worker's thread gets, so that `threads` consecutive
    /// entries make a worker.
    public var cpus: [[Int]]?

    /// Asks for workers to be spread by `mode`; balanced unless told, as most work waits for memory.
    public init(workers: Int? = nil, mode: PlacementMode = .balanced, threads: Int = 1) {
        self.workers = workers
        self.mode = mode
        self.threads = threads
    }

    /// Asks for exactly these CPUs, one entry per worker, or `threads` consecutive entries per worker.
    public init(cpus: [[Int]], threads: Int = 1) {
        self.init(threads: threads)
        self.cpus = cpus
    }

    /// Asks for exactly these CPUs, one per worker, or `threads` consecutive ones per worker.
    public init(cpus: [Int], threads: Int = 1) {
        self.init(cpus: cpus.map { [$0] }, threads: threads)
    }
}
