import Glibc
import Muster
import SharedMemoryLink

private let megabyte = 1 << 20
/// Numbers that take 40 MB.
private let count = 5 << 20

/// A map in which both workers look at the capture; what they see of it, and how much memory of segments they map.
private func look(
    _ cluster: Cluster, _ pool: (any AbstractWorkerPool)?, at table: [Double]
) async throws -> [Double] {
    try await cluster.pmap(0..<2, capturing: table, pool: pool, batchSize: 1) { i, table in
        // All of its pages.
        stride(from: 0, to: table.count, by: 512).reduce(0) { $0 + table[$1] }
    }
}

private func describe(_ statistics: CaptureStatistics) -> String {
    "hits \(statistics.hits) misses \(statistics.misses) evictions \(statistics.evictions) "
        + "count \(statistics.count) MB \(statistics.byteCount / megabyte)"
}

/// Megabytes of segments that all workers map, of which each has its share.
private func mappedMegabytes(_ cluster: Cluster) async throws -> Double {
    var sum = 0.0
    for worker in cluster.workers { sum += try await cluster.remoteCallFetch(on: worker) { arenaMegabytes() } }
    return sum
}

let captureScenarios: [String: Program.Scenario] = [
    "caching": { _ in
        try await withCluster(.local(2)) { cluster in
            var table = [Double](repeating: 1, count: count)
            let pages = Double(count / 512)
            do {
                let pool = CachingPool(cluster.workers)
                say("limit", pool.limit == 512 << 20, describe(pool.statistics))
                say("sent", try await look(cluster, pool, at: table) == [pages, pages], try usedMegabytes())
                let arena = try SegmentArena.shared
                let taken = arena.memory.allocatedByteCount
                for _ in 0..<5 { _ = try await look(cluster, pool, at: table) }
                say("kept", describe(pool.statistics), try usedMegabytes(), arena.memory.allocatedByteCount == taken)
                // The cached one must not change with it.
                table[512] = 2
                say("changed", try await look(cluster, pool, at: table) == [pages + 1, pages + 1])
                say("both", describe(pool.statistics), try usedMegabytes())
                // Equal, but another array: not looked at.
                let equal = table.map { $0 }
                say("equal", try await look(cluster, pool, at: equal) == [pages + 1, pages + 1])
                say("third", describe(pool.statistics))
                // Captures that are small are the same if they are equal.
                let small = [1, 2, 3]
                for _ in 0..<2 {
                    _ = try await cluster.pmap(0..<2, capturing: small.map { $0 }, pool: pool) { $0 + $1[0] }
                }
                say("small", describe(pool.statistics))
                pool.clear()
                say("cleared", describe(pool.statistics))
                say("free", try await segmentsShrink(), try await eventually { try await mappedMegabytes(cluster) < 4 })
                _ = try await look(cluster, pool, at: table)
                say("again", describe(pool.statistics), try usedMegabytes())
            }
            say("without the pool", try await segmentsShrink())
            // One that is dropped by the map that uses it, and one that is cleared in the middle.
            let pool = CachingPool(cluster.workers)
            let shared = table
            let map = Task {
                try await cluster.pmap(0..<2, capturing: shared, pool: pool, batchSize: 1) { _, table in
                    try await Task.sleep(for: .milliseconds(100))
                    return table[512]
                }
            }
            _ = await eventually { pool.statistics.count == 1 }
            pool.clear()
            say("in use", try await map.value, describe(pool.statistics))
            pool.clear()
            say("then", describe(pool.statistics), try await segmentsShrink())
        }
    },
    "evicting": { _ in
        try await withCluster(.local(2)) { cluster in
            let tables = (0..<3).map { [Double](repeating: Double($0), count: count) }
            let pool = CachingPool(cluster.workers, limit: 100 * megabyte)
            _ = try await look(cluster, pool, at: tables[0])
            _ = try await look(cluster, pool, at: tables[1])
            _ = try await look(cluster, pool, at: tables[0])
            say("two", describe(pool.statistics))
            _ = try await look(cluster, pool, at: tables[2])
            say("three", describe(pool.statistics))
            // The one that went is gone here and there: two are left, which the two workers share.
            say("freed", try await segmentsShrink(to: 80))
            _ = try await look(cluster, pool, at: tables[0])
            _ = try await look(cluster, pool, at: tables[2])
            say("stayed", describe(pool.statistics))
            _ = try await look(cluster, pool, at: tables[1])
            say("went", describe(pool.statistics), try await segmentsShrink(to: 80))
            let none = CachingPool(cluster.workers, limit: 0)
            for _ in 0..<2 { _ = try await look(cluster, none, at: tables[0]) }
            say("none", describe(none.statistics), try await segmentsShrink(to: 80))
        }
    },
    "default-captures": { _ in
        try await withCluster(.local(2)) { cluster in
            let table = [Double](repeating: 1, count: count)
            for _ in 0..<3 { _ = try await look(cluster, nil, at: table) }
            say("kept", describe(cluster.captureStatistics), try usedMegabytes())
            // Who joins reads what the others do.
            try await cluster.addWorkers(.local(1))
            _ = try await cluster.pmap(0..<3, capturing: table, batchSize: 1) { i, table in table.count }
            say("joined", describe(cluster.captureStatistics), try usedMegabytes())
            // Who ends with it takes nothing along.
            try kill(pid_t(cluster.member(2).launched.process), SIGKILL)
            _ = await eventually { cluster.workers == [3, 4] }
            _ = try await look(cluster, nil, at: table)
            say("after an end", describe(cluster.captureStatistics), try usedMegabytes())
            cluster.clearCaptures()
            say("cleared", describe(cluster.captureStatistics), try await segmentsShrink())
        }
    },
]
