/// A part of the machine that workers are spread over, or that one worker gets.
public enum PlacementDomain: String, Hashable, Codable, Sendable, CaseIterable {
    /// A package: what sits in one socket.
    case package
    /// A NUMA node with CPUs.
    case numa
    /// The CPUs that share a level 3 cache.
    case l3
    /// A core with its hardware threads.
    case core
    /// A hardware thread.
    case pu
}

/// How workers are spread over a machine.
public enum PlacementMode: Hashable, Codable, Sendable {
    /// The first usable cores in topological order: workers share caches and memory, the rest stays free.
    case compact
    /// Packages, NUMA nodes and L3 caches in proportion to their usable cores: most memory bandwidth and cache.
    case balanced
    /// The parts of one kind in proportion to their usable cores, and compact inside them. By `core` it is compact; by
    /// `pu` hardware threads are taken one after another, so that workers share cores from the start.
    case spread(PlacementDomain)
}

extension PlacementMode: CustomStringConvertible {
    /// The mode in words, such as `balanced` or `spread over l3`.
    public var description: String {
        switch self {
        case .compact: "compact"
        case .balanced: "balanced"
        case .spread(let domain): "spread over \(domain.rawValue)"
        }
    }
}

/// Where a worker's memory comes from, seen from its CPUs.
public enum MemoryMode: String, Hashable, Codable, Sendable, CaseIterable {
    /// From the nodes of its CPUs only; an allocation fails where they are full.
    case local
    /// From the node of its CPUs while it has memory, then from the nearest.
    case preferred
    /// From the nodes of all workers' CPUs in turn, page by page: for data that all of them read.
    case interleave
    /// As this process has it.
    case none
}

/// CPUs that workers of somebody else are bound to.
public struct Occupation: Hashable, Codable, Sendable {
    /// Whose they are, in words, such as `process 4711`.
    public var owner: String
    /// The CPUs, by OS index.
    public var cpus: CPUSet

    /// Notes an occupation.
    public init(owner: String, cpus: CPUSet) {
        self.owner = owner
        self.cpus = cpus
    }
}

/// What the user wants placed.
public struct PlacementRequest: Hashable, Codable, Sendable {
    /// The largest number of workers a plan is made for; more is taken for a mistake.
    public static let largestWorkerCount = 100_000

    /// Number of workers; nil for one per usable core, one per part with ``per``, or for as many as ``cpus`` says.
    public var workers: Int?
    /// How to spread them; without effect on explicit lists.
    public var mode: PlacementMode
    /// Threads, and so CPUs, of each worker; nil for one, or with ``per`` for all CPUs of the part.
    public var threads: Int?
    /// One worker for each part of this kind, in place of one per core.
    public var per: PlacementDomain?
    /// Explicit CPUs in place of a mode: each entry is what one worker's thread gets, so that `threads` consecutive
    /// entries make a worker.
    public var cpus: [[Int]]?
    /// CPUs that no worker may have.
    public var reserved: CPUSet = []
    /// CPUs that workers of others have: taken last, and only if the others don't suffice.
    public var occupied: [Occupation] = []
    /// Only cores of this kind: its rank (`0` for the most capable), the name that the system gives it, `P` for the most
    /// or `E` for the least capable.
    public var coreKind: String?
    /// Only CPUs near this device: a name such as `eth0` or `cuda0`, a PCI address, or `gpu0`, `nic0` for the first.
    public var near: String?
    /// Where workers' memory comes from.
    public var memory: MemoryMode = .preferred
    /// The kind of memory to take, such as `HBM`, `DRAM` or `CXL`; the ordinary one unless told.
    public var memoryTier: String?

    /// Asks for workers to be spread by `mode`; balanced unless told, as most work waits for memory.
    public init(workers: Int? = nil, mode: PlacementMode = .balanced, threads: Int? = nil) {
        self.workers = workers
        self.mode = mode
        self.threads = threads
    }

    /// Asks for one worker per part of a kind, with all CPUs of that part or `threads` of them.
    public init(per domain: PlacementDomain, workers: Int? = nil, threads: Int? = nil) {
        self.init(workers: workers, threads: threads)
        per = domain
    }

    /// Asks for exactly these CPUs, one entry per worker, or `threads` consecutive entries per worker.
    public init(cpus: [[Int]], threads: Int? = nil) {
        self.init(threads: threads)
        self.cpus = cpus
    }

    /// Asks for exactly these CPUs, one per worker, or `threads` consecutive ones per worker.
    public init(cpus: [Int], threads: Int? = nil) {
        self.init(cpus: cpus.map { [$0] }, threads: threads)
    }
}
