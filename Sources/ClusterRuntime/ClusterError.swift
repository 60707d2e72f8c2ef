package import Remote

/// The cluster can't do what was asked.
public struct ClusterError: Error, Hashable, Codable, Sendable, CustomStringConvertible {
    /// The kind of failure; compare it with the static members. New kinds may be added.
    public struct Code: Hashable, Codable, Sendable {
        private enum Kind: Codable {
            case noWorkers, noSuchWorker, closed, refused, noNetwork, notTheDriver, notInCluster, notConnected
            case stillThere
        }
        private let kind: Kind
        /// There is no worker to work.
        public static let noWorkers = Code(kind: .noWorkers)
        /// No worker has this number, or it has left.
        public static let noSuchWorker = Code(kind: .noSuchWorker)
        /// `withCluster` has been left.
        public static let closed = Code(kind: .closed)
        /// A worker could not run what it was sent, or its answer could not be read.
        public static let refused = Code(kind: .refused)
        /// There are no links between hosts in this build.
        public static let noNetwork = Code(kind: .noNetwork)
        /// Only the driver can do that.
        public static let notTheDriver = Code(kind: .notTheDriver)
        /// This is neither inside `withCluster` nor in a body that a worker runs.
        public static let notInCluster = Code(kind: .notInCluster)
        /// The cluster's topology has no link between the two processes.
        public static let notConnected = Code(kind: .notConnected)
        /// Workers have not ended within the time that their removal was given.
        public static let stillThere = Code(kind: .stillThere)
    }

    /// The kind of failure.
    public let code: Code
    /// What happened, and the cure.
    public let description: String
    /// How the last worker ended, where that is why there is none.
    public let lastWorker: WorkerExited?

    package init(_ code: Code, _ description: String, lastWorker: WorkerExited? = nil) {
        self.code = code
        self.description = description
        self.lastWorker = lastWorker
    }

    package static let noWorkers = ClusterError(
        .noWorkers, "the cluster has no workers; add some: `try await cluster.addWorkers(.local())`")
    package static let closed = ClusterError(.closed, "the cluster is closed: its withCluster has been left")

    package static let notTheDriver = ClusterError(
        .notTheDriver,
        "only the driver, process 1, adds, removes and interrupts workers; have it done there: `remoteCallFetch(on: 1) { … }`"
    )
    package static let notInCluster = ClusterError(
        .notInCluster, "this is neither inside withCluster nor in a body that a worker runs")

    package static func noSuchWorker(_ id: WorkerID) -> ClusterError {
        ClusterError(.noSuchWorker, "there is no worker \(id), or it has left; `cluster.workers` has those there are")
    }

    static func stillThere(_ workers: [WorkerID], after limit: Duration) -> ClusterError {
        let (these, are, them) = workers.count == 1 ? ("worker", "is", "it") : ("workers", "are", "them")
        return ClusterError(
            .stillThere,
            """
            \(these) \(workers.map { "\($0)" }.joined(separator: ", ")) \(are) at work still, \(limit) after the removal \
            began, which goes on; give \(them) longer, or cancel the task that removes to end \(them) at once
            """)
    }

    static func notConnected(_ one: WorkerID, _ other: WorkerID, _ cure: String) -> ClusterError {
        ClusterError(.notConnected, "worker \(one) has no link to worker \(other) in this topology; \(cure)")
    }

    package static func refused(by worker: WorkerID, _ reason: String) -> ClusterError {
        ClusterError(.refused, "worker \(worker) could not run the body: \(reason)")
    }
}
