public import Remote

extension Cluster {
    /// Runs work that finds this cluster as `Worker.cluster`.
    package nonisolated(nonsending) func asCurrent<Result>(_ work: () async throws -> Result) async rethrows -> Result {
        try await Cluster.$ofTask.withValue(self) {
            try await ProcessState.$ofTask.withValue(process, operation: work)
        }
    }
}

extension Worker {
    /// The cluster that this process is part of, to call other processes from a body, the driver included.
    ///
    /// ```swift
    /// let answer = try await cluster.remoteCallFetch(on: 2) {
    ///     try await Worker.cluster.remoteCallFetch(on: 3) { Worker.id }
    /// }
    /// ```
    ///
    /// In a body the cluster of its worker; inside `withCluster` the driver's own. The first time a worker asks, it waits until the driver has told
    /// it of all processes.
    ///
    /// - Throws: ``ClusterError/Code/notInCluster`` elsewhere, ``ClusterError/Code/closed``.
    public static var cluster: Cluster {
        get async throws {
            guard let cluster = Cluster.ofTask ?? Cluster.ofProcess else { throw ClusterError.notInCluster }
            try await cluster.station?.introduce()
            return cluster
        }
    }
}
