import Muster

/// Runs work in a cluster whose workers reach each other in one of three ways.
///
/// - Parameter links: `direct`: over rings of their own. `relayed`: over the driver, as workers of several hosts do.
///   `memory`: workers in this process, over the driver.
func withWorkers(
    _ count: Int, _ links: String, topology: ClusterTopology = .allToAll(), _ body: (Cluster) async throws -> Void
) async throws {
    switch links {
    case "memory": try await withCluster(.inMemory(count), topology: topology) { try await body($0) }
    case "relayed":
        let manager = ElasticManager(port: 0)
        try await withCluster(manager, topology: topology) { cluster in
            guard let command = manager.joinCommand else { return say("no command") }
            for number in 1...count {
                _ = startShell("exec env MUSTER_WORKERS=1 " + command)
                guard await eventually({ cluster.workers.count == number }) else { return say("nobody joins") }
            }
            try await body(cluster)
        }
    default: try await withCluster(.local(count), topology: topology) { try await body($0) }
    }
}
