import Muster

private func pages(_ nodes: () throws -> PageNodes) -> String {
    (try? nodes()).map { "\($0)" } ?? "pages can't be looked up"
}

/// Tells of each worker's array on which nodes its pages lie, and how many copies there are.
private func tell(
    _ name: String, _ cluster: Cluster, _ pool: CachingPool?, _ map: (CachingPool?) async throws -> [String]
) async throws {
    for _ in 0..<2 {
        for line in Set(try await map(pool)).sorted() { say(name, "worker", line) }
    }
    let statistics = pool?.statistics ?? cluster.captureStatistics
    let copies = statistics.copiesOnNodes.sorted { $0.key < $1.key }.map { "\($0.value) on node \($0.key)" }
    say(
        name, "copies:", "hits \(statistics.hits), MB \(statistics.byteCount >> 20),",
        "of their own: [\(copies.joined(separator: ", "))]")
}

let capturePlacements: [String: Program.Scenario] = [
    // Arguments: the number of workers, and how many MB to capture, 8 unless told. For machines with several nodes, too:
    // there each worker's array lies on its own node.
    "captures-per-node": { arguments in
        let number = arguments.first.flatMap { Int($0) }
        let megabytes = arguments.dropFirst().first.flatMap { Int($0) } ?? 8
        try await withCluster(.localAffinity(count: number), captures: .perNUMANode) { cluster in
            let table = (0..<megabytes << 17).map { Double($0) }
            func map(_ pool: CachingPool?) async throws -> [String] {
                try await cluster.pmap(cluster.workers, capturing: table, pool: pool, batchSize: 1) { _, table in
                    let sum = table.reduce(0, +)
                    return "\(Worker.id): sum \(sum), \(pages { try PageNodes(of: table) })"
                }
            }
            try await tell("own", cluster, nil, map)
            try await tell("pool", cluster, CachingPool(cluster.workers, captures: .perNUMANode), map)
            try await tell("host", cluster, CachingPool(cluster.workers), map)
            cluster.clearCaptures()

            let shared = try SharedArray(copying: table.span, in: .shared)
            try await tell("shared", cluster, CachingPool(cluster.workers, captures: .perNUMANode)) { pool in
                try await cluster.pmap(cluster.workers, capturing: shared, pool: pool, batchSize: 1) { _, table in
                    let array = table
                    return "\(Worker.id): sum \(array.reduce(0, +)), \(pages { try PageNodes(of: array.span) })"
                }
            }
            for worker in cluster.workers {
                let numa = try cluster.member(worker).launched.placement?.numa ?? []
                say("placed", "worker \(worker) on node \(numa)")
            }
        }
    }
]
