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

/// Bodies of ``running(for:)`` that run in this process now, and the most at a time so far.
private let runningBodies = Mutex((now: 0, most: 0))

/// An asynchronous body: a worker would run many of them at a time.
private func running(for time: Duration) async throws -> Int {
    runningBodies.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
    try await Task.sleep(for: time)
    return runningBodies.withLock {
        $0.now -= 1
        return $0.most
    }
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
    },
    "pool-calls": { _ in
        try await withCluster(.local(2, options: LocalOptions(restarts: 0))) { cluster in
            let pool = WorkerPool(cluster.workers)
            let most = try await withThrowingTaskGroup { group in
                for _ in 0..<8 {
                    group.addTask {
                        try await cluster.remoteCallFetch(on: pool) { try await running(for: .milliseconds(20)) }
                    }
                }
                return try await group.reduce(0) { max($0, $1) }
            }
            say("at a time", most, pool.count, pool.isReady)
            await sayFailure("thrown") { try await cluster.remoteCallFetch(on: pool) { throw CancellationError() } }
            say("all are back", pool.freeWorkers.freeCount)
            let taken = try await pool.take(in: cluster)
            say("the other", try await cluster.remoteCallFetch(on: pool) { Worker.id } != taken)
            pool.putBack(taken)
            let any: any AbstractWorkerPool = pool
            say("any pool", try await cluster.remoteCallFetch(on: any, capturing: 20) { $0 + 1 })
            // One dies with a call, while others wait for it or the other.
            let calls = (0..<4).map { number in
                Task {
                    try await cluster.remoteCallFetch(on: pool, capturing: number) { number in
                        spin(seconds: 0.2)
                        if number == 0 { quit(3) }
                        return Worker.id
                    }
                }
            }
            var workers: Set<WorkerID> = []
            var deaths = 0
            for call in calls {
                do { workers.insert(try await call.value) } catch is WorkerExited { deaths += 1 }
            }
            say("one died", deaths, workers.count, pool.count)
            await sayFailure("the last dies") { try await cluster.remoteCallFetch(on: pool) { () -> Void in quit(3) } }
            await sayFailure("none is left") { try await cluster.remoteCallFetch(on: pool) { 1 } }
        }
    },
]
