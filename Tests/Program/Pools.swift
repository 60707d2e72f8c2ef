import Muster
import Synchronization

/// Decodings of ``CountedTable`` in this process.
private let decodings = Atomic<Int>(0)

/// A capture that counts how often it arrives.
struct CountedTable: WireCodable {
    var values: [Int]

    init(values: [Int]) {
        self.values = values
    }

    func write(to output: inout WireWriter) {
        output.write(values)
    }

    init(from input: inout WireReader) throws(WireError) {
        values = try input.read()
        decodings.add(1, ordering: .relaxed)
    }
}

/// Maps over the pool so that every worker takes part, and tells how often the capture has come to each.
private func arrivals(
    _ cluster: Cluster, _ pool: (any AbstractWorkerPool)?, _ table: CountedTable
) async throws -> [Int] {
    // Both workers have a batch before either has a second.
    let counts = try await cluster.pmap(0..<2, capturing: table, pool: pool, batchSize: 1) { i, table in
        precondition(table.values[i] == i)
        return (Worker.id, decodings.load(ordering: .relaxed))
    }
    return counts.sorted { $0.0 < $1.0 }.map(\.1)
}

let pools: [String: Program.Scenario] = [
    "pools": { _ in
        try await withCluster(.local(2)) { cluster in
            let table = CountedTable(values: [0, 1, 2])
            let caching = CachingPool(cluster.workers)
            say("caching", try await arrivals(cluster, caching, table), try await arrivals(cluster, caching, table))
            caching.clear()
            say("cleared", try await arrivals(cluster, caching, table), try await arrivals(cluster, caching, table))
            let plain = WorkerPool(cluster.workers)
            say("plain", try await arrivals(cluster, plain, table), try await arrivals(cluster, plain, table))
            say("cluster's own", try await arrivals(cluster, nil, table), try await arrivals(cluster, nil, table))
            say("other values", try await arrivals(cluster, nil, CountedTable(values: [0, 1, 3])))
            let one = WorkerPool([cluster.workers[1]])
            say("one of two", Set(try await cluster.pmap(0..<20, pool: one) { _ in Worker.id }))
            await sayFailure("empty pool") { try await cluster.pmap(0..<2, pool: WorkerPool([])) { $0 } }
            await sayFailure("unknown worker") { try await cluster.pmap(0..<2, pool: WorkerPool([99])) { $0 } }
        }
    }
]
