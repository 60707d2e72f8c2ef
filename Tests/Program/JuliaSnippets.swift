import Muster

// The Swift side of "Coming from Julia", which shows these bodies beside Julia's; the tests hold what they print.

/// A model that a process loads once.
struct Model: Sendable {
    let weight: Double

    init(named name: String) { weight = Double(name.count) }

    func score(_ text: String) -> Double { weight * Double(text.count) }
}

let model = WorkerLocal<Model>("model")

/// Throws for numbers below zero, as Julia's `sqrt` does.
func root(_ x: Double) throws -> Double {
    guard x >= 0 else { throw DomainError(value: x) }
    return x.squareRoot()
}

struct DomainError: Error, Codable {
    let value: Double
}

let juliaSnippets: [String: Program.Scenario] = [
    "julia-map": { _ in
        try await withCluster(.local(2)) { cluster in
            let squares = try await cluster.pmap(1...100) { $0 * $0 }
            print("squares", squares.reduce(0, +))
        }
    },
    "julia-snippets": { _ in
        try await withCluster(.local(2)) { cluster in
            try await showCaptures(cluster)
            try await showCalls(cluster)
            try await showMacros(cluster)
            try await showChannels(cluster)
            try await showReductions(cluster)
            try await showEverywhere(cluster)
            try await showGroups(cluster)
            try await showFailures(cluster)
            try await showPools(cluster)
            try await showChanges(cluster)
        }
    },
]

private func showCaptures(_ cluster: Cluster) async throws {
    let foo = [Double](repeating: 0.5, count: 1_000_000)
    let pool = CachingPool(cluster.workers)
    let sums = try await cluster.pmap(1...100, capturing: foo, pool: pool) { i, foo in
        foo.reduce(Double(i), +)
    }
    pool.clear()
    print("sums", sums[0], sums[99])
}

private func showCalls(_ cluster: Cluster) async throws {
    let future = try await cluster.remoteCall(on: 2, capturing: 16.0) { x in try root(x) }
    let four = try await future.fetch()
    let two = try await cluster.remoteCallFetch(on: 3, capturing: four) { x in try root(x) }
    try await cluster.remoteCallWait(on: 2) { print("waited for") }
    try await cluster.remoteDo(on: 2) { print("not waited for") }
    print("roots", four, two)
}

private func showMacros(_ cluster: Cluster) async throws {
    let future = try await cluster.spawn(at: 2) { Worker.id }
    let anywhere = try await cluster.spawn { Worker.id }
    let three = try await cluster.fetch(from: 3) { Worker.id }
    print("ran on", try await future.fetch(), three, cluster.workers.contains(try await anywhere.fetch()))
}

private func showChannels(_ cluster: Cluster) async throws {
    let jobs = try await cluster.remoteChannel(of: Int.self, capacity: 32)
    let results = try await cluster.remoteChannel(of: (Int, WorkerID).self, capacity: 32)
    for worker in cluster.workers {
        try await cluster.remoteDo(on: worker, capturing: jobs, results) { jobs, results in
            for try await job in jobs { try await results.put((job * job, Worker.id)) }
        }
    }
    for job in 1...12 { try await jobs.put(job) }
    try await jobs.close()
    var sum = 0
    for _ in 1...12 { sum += try await results.take().0 }
    print("results", sum)
}

private func showReductions(_ cluster: Cluster) async throws {
    let heads = try await cluster.distributed(1...200_000, reduce: +) { _ -> Int in
        var random = Worker.random
        return Bool.random(using: &random) ? 1 : 0
    }
    print("heads", (99_000...101_000).contains(heads))
    let loop = try cluster.distributed(0..<4) { i in print("element \(i)") }
    try await loop.wait()
}

private func showEverywhere(_ cluster: Cluster) async throws {
    try await cluster.define(model, capturing: "small") { name in Model(named: name) }
    let scores = try await cluster.pmap(["a", "bc"]) { text in try model.get().score(text) }
    try await cluster.everywhere { print("process \(Worker.id) has weight \(try model.get().weight)") }
    print("scores", scores)
}

private func showGroups(_ cluster: Cluster) async throws {
    do {
        try await withCompositeGroup { group in
            for worker in cluster.workers {
                group.addTask { _ = try await cluster.remoteCallFetch(on: worker) { try root(-1) } }
            }
        }
    } catch let error as CompositeError {
        print("errors", error.errors.count)
    }
}

private func showFailures(_ cluster: Cluster) async throws {
    let roots = try await cluster.pmap(
        [4.0, -1.0, 9.0],
        onError: { failure in
            guard (failure.error as? RemoteError)?.underlying is DomainError else { throw failure }
            return .nan
        },
        retryDelays: ExponentialBackOff(n: 3)
    ) { x in try root(x) }
    print("replaced", roots)
}

private func showPools(_ cluster: Cluster) async throws {
    let pool = WorkerPool([2, 3])
    let largest = try await cluster.remoteCallFetch(on: pool, capturing: [0.25, 0.75]) { values in values.max() }
    let square = cluster.remote(pool) { (x: Int) in x * x }
    print("pool", largest ?? 0, try await square(7))
}

private func showChanges(_ cluster: Cluster) async throws {
    let more = try await cluster.addWorkers(.local(2))
    let removal = try cluster.scheduleRemoval(more)
    try await cluster.interrupt()
    try await removal.wait(within: .seconds(30))
    print("left", cluster.workers, cluster.processCount)
}
