import Muster

/// Numbers that take 8 MB.
private let count = 1 << 20

let capturePlacements: [String: Program.Scenario] = [
    // Tells of each worker's array on which nodes its pages lie, and how many copies there are. For machines with
    // several nodes too, with the number of workers as argument: there each worker's array lies on its own node.
    "captures-per-node": { arguments in
        let number = arguments.first.flatMap { Int($0) }
        try await withCluster(.localAffinity(count: number), captures: .perNUMANode) { cluster in
            let table = (0..<count).map { Double($0) }
            let pool = CachingPool(cluster.workers, captures: .perNUMANode)
            let host = CachingPool(cluster.workers)
            for (name, pool) in [("own", nil), ("pool", pool), ("host", host)] as [(String, CachingPool?)] {
                for _ in 0..<2 {
                    let seen = try await cluster.pmap(cluster.workers, capturing: table, pool: pool, batchSize: 1) {
                        _, table in
                        let sum = table.reduce(0, +)
                        return "\(Worker.id): sum \(sum), \(try PageNodes(of: table))"
                    }
                    for line in Set(seen).sorted() { say(name, "worker", line) }
                }
                let statistics = pool?.statistics ?? cluster.captureStatistics
                let copies = statistics.copiesOnNodes.sorted { $0.key < $1.key }.map { "\($0.value) on node \($0.key)" }
                say(
                    name, "copies:", "hits \(statistics.hits), MB \(statistics.byteCount >> 20),",
                    "of their own: [\(copies.joined(separator: ", "))]")
            }
            for worker in cluster.workers {
                let numa = try cluster.member(worker).launched.placement?.numa ?? []
                say("placed", "worker \(worker) on node \(numa)")
            }
        }
    }
]
