/// Where workers go, and why.
public struct PlacementPlan: Hashable, Sendable {
    /// The place of one worker.
    public struct Worker: Hashable, Codable, Sendable {
        /// Number of the worker, from 1.
        public let worker: Int
        /// The CPUs it is bound to, by OS index.
        public let cpus: CPUSet
        /// The package that holds all of them, by OS index; nil if there are several or none is known.
        public let package: Int?
        /// The NUMA nodes with memory that is local to its CPUs, by OS index, in rising order.
        public let numa: [Int]
        /// The core that holds all of them, by OS index, unique only within a package; nil if there are several.
        public let core: Int?
        /// Where its memory comes from; nil to leave that as it is.
        public let memory: Memory?
        /// Why there, in a short sentence.
        public let reason: String
    }

    /// The workers, in order of their numbers.
    public let workers: [Worker]
    /// The CPUs that could be used, by OS index.
    public let usable: CPUSet
    /// Whether a CPU is given to more than one worker.
    public let isOversubscribed: Bool
    /// What the user should be told, a sentence each.
    public let notes: [String]
}

extension PlacementPlan {
    /// Plans where the workers of `request` go on `topology`.
    ///
    /// Pure and deterministic: the same request and machine give the same plan everywhere.
    ///
    /// Workers of one thread get cores before hardware threads of cores in use, the most capable kind of core first,
    /// and worker 1 the first of all. `compact` takes cores in topological order, then their second threads in the same
    /// order. `balanced` gives every package the floor or the ceiling of its share in proportion to its usable cores,
    /// every NUMA node, group and L3 cache inside it likewise (each nesting as this machine nests), and numbers workers
    /// so that neighbours are together. A worker of several threads gets CPUs that follow one another in topological
    /// order (so hardware threads of one core first) inside the smallest domain that holds them. No CPU is given twice
    /// before all are used; then evenly. CPUs that workers of others have come last.
    ///
    /// - Throws: ``PlacementError`` if the machine can't meet the request.
    /// - Complexity: O(c log c + w) for c usable CPUs and w workers, w up to ``PlacementRequest/largestWorkerCount``.
    public init(_ request: PlacementRequest, on topology: Topology) throws(PlacementError) {
        self = try Planning(request, on: topology).plan()
    }

    /// Why each worker of the plan for `request` on `topology` is where it is, and not beside: some sentences each.
    ///
    /// - Throws: ``PlacementError`` if the machine can't meet the request.
    /// - Complexity: That of planning, and O(w) for the sentences.
    public static func explanations(
        of request: PlacementRequest, on topology: Topology
    ) throws(PlacementError) -> [[String]] {
        try Planning(request, on: topology).explanations()
    }
}
