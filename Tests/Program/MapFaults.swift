import Glibc
import Muster
import Synchronization

/// What the handlers of a map were told, in the order of the elements.
private actor Told {
    private(set) var failures: [MapFailure] = []
    func add(_ failure: MapFailure) { failures.append(failure) }
    var indices: [Int] { failures.map(\.index).sorted() }
    var attempts: [Int] { failures.map(\.attempt).sorted() }
}

private func count(_ path: String) throws -> Int {
    if path.isEmpty { throw NoPaper() }
    return path.utf8.count
}

/// A map over `cluster` during which `happening` takes place, once every worker has work.
private func during(
    _ map: Task<[Int], any Error>, _ cluster: Cluster, _ happening: () async throws -> Void
) async throws -> [Int] {
    let workers = cluster.workers
    _ = await eventually { workers.allSatisfy { ((try? cluster.member($0).pendingCount) ?? 0) > 0 } }
    try await happening()
    return try await map.value
}

/// How often the first element that failed was tried, and the error.
private func sayAttempts(_ name: String, _ work: () async throws -> Void) async {
    do {
        try await work()
        say(name, "no error")
    } catch {
        say(name, (error as? MapError)?.first.attempt ?? 0, account(of: error))
    }
}

private func kill(_ worker: WorkerID, of cluster: Cluster, with signal: Int32) throws {
    kill(pid_t(try cluster.member(worker).launched.process), signal)
}

let mapFaults: [String: Program.Scenario] = [
    "killed": { _ in
        try await withCluster(.local(3, options: noRestarts)) { cluster in
            let map = Task {
                try await cluster.pmap(0..<300, batchSize: 4) { i in
                    spin(seconds: 0.002)
                    return i * 3
                }
            }
            let results = try await during(map, cluster) { try kill(3, of: cluster, with: SIGKILL) }
            say("results", results == (0..<300).map { $0 * 3 }, cluster.workers)
        }
    },
    "killed-async": { _ in
        try await withCluster(.local(3, options: noRestarts)) { cluster in
            let map = Task {
                try await cluster.pmap(0..<300, batchSize: 4) { i in
                    try await Task.sleep(for: .milliseconds(2))
                    return i * 3
                }
            }
            let results = try await during(map, cluster) { try kill(3, of: cluster, with: SIGKILL) }
            say("results", results == (0..<300).map { $0 * 3 }, cluster.workers)
        }
    },
    "exits-by-itself": { _ in
        try await withCluster(.local(3, options: noRestarts)) { cluster in
            let results = try await cluster.pmap(0..<100, batchSize: 3) { i in
                if Worker.id == 2 { quit(3) }
                return i
            }
            say("results", results == Array(0..<100), cluster.workers)
        }
    },
    "stopped": { _ in
        try await withCluster(.local(2, options: noRestarts), heartbeatLimit: .seconds(1)) { cluster in
            let map = Task {
                try await cluster.pmap(0..<100, batchSize: 2) { i in
                    spin(seconds: 0.002)
                    return i
                }
            }
            let results = try await during(map, cluster) { try kill(2, of: cluster, with: SIGSTOP) }
            say("results", results == Array(0..<100), cluster.workers)
        }
    },
    "all-die": { _ in
        try await withCluster(.local(3, options: noRestarts)) { cluster in
            await sayFailure("all") { try await cluster.pmap(0..<100) { _ in quit(7) } as [Void] }
            say("workers", cluster.workers)
        }
        try await withCluster(.local(3, options: noRestarts)) { cluster in
            await sayFailure("with a handler") {
                try await cluster.pmap(0..<100, onError: { _ in -1 }) { i -> Int in quit(Int32(i % 1 + 7)) }
            }
        }
    },
    "poison": { arguments in
        let (workers, batch) = (Int(arguments[0]) ?? 5, Int(arguments[1]) ?? 10)
        try await withCluster(.local(workers, options: noRestarts)) { cluster in
            let told = Told()
            let results = try await cluster.pmap(
                0..<500, batchSize: .fixed(batch),
                onError: { failure in
                    await told.add(failure)
                    return -1
                }
            ) { i in
                if i == 7 { fatalError("seven") }
                return i
            }
            let failed = await told.indices
            say(
                "others",
                results.enumerated().allSatisfy { $0.element == (failed.contains($0.offset) ? -1 : $0.offset) })
            say("told", failed, await told.attempts)
            say("error", await told.failures.first.map { account(of: $0.error) } ?? "")
            say("died", workers - cluster.workers.count)
        }
    },
    "poison-unhandled": { _ in
        try await withCluster(.local(5, options: noRestarts)) { cluster in
            await sayFailure("poison") {
                try await cluster.pmap(0..<500, batchSize: 10) { i in
                    if i == 7 { quit(9) }
                }
            }
            say("left", cluster.workers.count)
        }
    },
    "no-retries": { _ in
        try await withCluster(.local(2, options: noRestarts)) { cluster in
            let told = Told()
            let results = try await cluster.pmap(
                0..<40, batchSize: 1, retries: 0,
                onError: { failure in
                    await told.add(failure)
                    return -1
                }
            ) { i in
                if i == 7 { quit(9) }
                return i
            }
            let failed = await told.indices
            say("told seven", failed.contains(7), await told.attempts.allSatisfy { $0 == 1 })
            say(
                "others",
                results.enumerated().allSatisfy { $0.element == (failed.contains($0.offset) ? -1 : $0.offset) })
            say("error", await told.failures.first.map { account(of: $0.error) } ?? "")
            say("left", cluster.workers.count)
        }
        try await withCluster(.local(2, options: noRestarts)) { cluster in
            let results = try await cluster.pmap(0..<20, batchSize: 2, retries: 0, retryDelays: [0, 0.001]) { i in
                if Worker.id == 2 { quit(9) }
                return i
            }
            say("delays", results == Array(0..<20))
        }
    },
    "handlers": { _ in
        try await withCluster(.local(2)) { cluster in
            let paths = ["a", "", "ccc", ""]
            let pool = CachingPool(cluster.workers)
            let out = try await cluster.pmap(
                paths, pool: pool, batchSize: .automatic,
                onError: { failure in nil as Int? },
                retryDelays: ExponentialBackOff(n: 3), retryCheck: { $0.attempt < 3 }
            ) { path in try count(path) }
            say("as designed", out)
            say("trailing", try await cluster.pmap(paths, onError: { _ in -1 }) { try count($0) })
            say(
                "where",
                try await cluster.pmap(paths, batchSize: 4, onError: { $0.index * 100 + $0.attempt }) { try count($0) })
            say(
                "capturing",
                try await cluster.pmap(paths, capturing: 10, onError: { _ in 0 }) { path, x in try count(path) * x })
            say(
                "async",
                try await cluster.pmap(paths, onError: { _ in -2 }) { path in
                    await Task.yield()
                    return try count(path)
                })
            say(
                "pairs",
                try await cluster.pmap(zip([1, 2], ["", "x"]), onError: { _ in -3 }) { i, s in try i + count(s) })
            let stored = RemoteFunction { (path: String) in try count(path) }
            say("stored", try await cluster.pmap(paths, onError: { _ in -4 }, body: stored))
            await sayFailure("rethrown") {
                try await cluster.pmap(paths, onError: { throw $0 }) { try count($0) }
            }
            let none = try await cluster.pmap(0..<20_000, onError: { _ in nil as Int? }) { i in
                if i % 2 == 0 { throw NoPaper() }
                return i
            }
            say("every second", none == (0..<20_000).map { $0 % 2 == 0 ? nil : $0 })
        }
    },
    "retries": { _ in
        try await withCluster(.local(2, options: noRestarts)) { cluster in
            let told = Told()
            // Each worker fails with an element the first two times it sees it.
            let results = try await cluster.pmap(0..<10, batchSize: 2, retryDelays: [0, 0, 0, 0, 0]) { i in
                let seen = attempts.withLock { attempts in
                    attempts[i, default: 0] += 1
                    return attempts[i] ?? 0
                }
                if seen <= 2 { throw OutOfInk(colour: "black") }
                return i
            }
            say("in the end", results)
            await sayAttempts("used up") {
                try await cluster.pmap([1], retryDelays: ExponentialBackOff(n: 2, firstDelay: 0.001)) { _ in
                    throw NoPaper()
                }
            }
            await sayAttempts("checked") {
                try await cluster.pmap(
                    [1], retryDelays: repeatElement(0, count: 9), retryCheck: { $0.attempt < 3 }
                ) { _ in throw NoPaper() }
            }
            // The handler is asked first: only what it does not want is tried again.
            let first = try await cluster.pmap(
                0..<6,
                onError: { failure in
                    await told.add(failure)
                    guard failure.index == 2 || failure.attempt == 3 else { throw failure }
                    return failure.attempt
                }, retryDelays: [0, 0, 0]
            ) { i -> Int in
                if i % 2 == 0 { throw NoPaper() }
                return -i
            }
            say("handler first", first, await told.indices)
        }
    },
    "many-failures": { _ in
        try await withCluster(.local(2)) { cluster in
            await sayFailure("all") {
                try await cluster.pmap(0..<10, batchSize: 10) { i in
                    if i % 3 == 0 { throw OutOfInk(colour: "\(i)") }
                }
            }
            // The batch of the first failure is worked off, others stop where they are, and the rest is not begun.
            do {
                try await cluster.pmap(0..<1000, batchSize: 100) { _ in throw NoPaper() }
            } catch let error as MapError {
                say("batches", error.indices.count >= 100, error.indices.count <= 400)
            }
            // What another worker is at may come to its end or see that it is cancelled: neither is a failure.
            do {
                try await cluster.pmap(0..<2, batchSize: 1) { i in
                    if i == 0 { throw NoPaper() }
                    try await Task.sleep(for: .seconds(600))
                }
            } catch let error as MapError {
                say("slow ones", error.indices == [0])
            }
            say("afterwards", try await cluster.pmap(1...3) { $0 })
        }
    },
    "joins": { _ in
        try await withCluster(.local(1)) { cluster in
            let map = Task {
                try await cluster.pmap(0..<100_000, batchSize: 1) { _ in
                    spin(seconds: 0.005)
                    return Worker.id.rawValue
                }
            }
            _ = await eventually { ((try? cluster.member(2).pendingCount) ?? 0) > 0 }
            try await cluster.addWorkers(.local(1))
            say("given to it", await eventually { ((try? cluster.member(3).pendingCount) ?? 0) > 0 })
            map.cancel()
            _ = try? await map.value
            let pool = WorkerPool([2])
            let pinned = Task {
                try await cluster.pmap(0..<100, pool: pool, batchSize: 1) { _ in
                    spin(seconds: 0.001)
                    return Worker.id
                }
            }
            try await cluster.addWorkers(.local(1))
            say("pool", Set(try await pinned.value))
        }
    },
    "cancelled-retry": { _ in
        try await withCluster(.local(1)) { cluster in
            let told = Told()
            let map = Task {
                try await cluster.pmap(
                    [1],
                    onError: { failure in
                        await told.add(failure)
                        throw failure
                    }, retryDelays: [600]
                ) { _ in throw NoPaper() } as [Void]
            }
            _ = await eventually { await !told.failures.isEmpty }
            map.cancel()
            await sayFailure("cancelled") { try await map.value }
        }
    },
    "cancelled-handler": { _ in
        try await withCluster(.local(1)) { cluster in
            let told = Told()
            let ends = Mutex<[String]>([])
            let map = Task {
                try await cluster.pmap(
                    [1],
                    onError: { failure in
                        await told.add(failure)
                        do {
                            // A map of its own, of which another handler waits.
                            try await cluster.pmap(
                                [2],
                                onError: { failure in
                                    await told.add(failure)
                                    do {
                                        try await Task.sleep(for: .seconds(600))
                                    } catch {
                                        ends.withLock { $0.append("inner \(error is CancellationError)") }
                                        throw error
                                    }
                                }
                            ) { _ in throw NoPaper() }
                        } catch {
                            ends.withLock { $0.append("outer \(error is CancellationError)") }
                            throw error
                        }
                    }
                ) { _ in throw NoPaper() }
            }
            _ = await eventually { await told.failures.count == 2 }
            map.cancel()
            await sayFailure("cancelled") { try await map.value }
            say("told", await eventually { ends.withLock { $0.count == 2 } }, ends.withLock { $0.sorted() })
        }
    },
    "departed": { _ in
        try await withCluster(.local(3)) { cluster in
            let pool = WorkerPool(cluster.workers)
            try await cluster.removeWorkers([3])
            let ids = try await cluster.pmap(0..<20, pool: pool, batchSize: 1) { _ in Worker.id }
            say("those there", Set(ids).sorted())
            try await cluster.removeWorkers(cluster.workers)
            await sayFailure("none") { try await cluster.pmap(0..<2, pool: pool) { $0 } }
        }
    },
]

private let attempts = Mutex<[Int: Int]>([:])
