/// Where workers go, and why.
public struct PlacementPlan: Hashable, Sendable {
    /// The place of one worker.
    public struct Worker: Hashable, Sendable {
        /// Number of the worker, from 1.
        public let worker: Int
        /// The CPUs it is bound to, by OS index.
        public let cpus: CPUSet
        /// The package that holds all of them, by OS index; nil if there are several or none is known.
        public let package: Int?
        /// The NUMA nodes local to its CPUs, by OS index, in rising order.
        public let numa: [Int]
        /// The core that holds all of them, by OS index, unique only within a package; nil if there are several.
        public let core: Int?
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
