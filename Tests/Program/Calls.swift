import Muster

/// A body that calls another worker, which calls the driver.
private func chain(_ next: WorkerID) async throws -> String {
    let there = try await Worker.cluster.remoteCallFetch(on: next) {
        let driver = try await Worker.cluster.remoteCallFetch(on: 1) { (Worker.id, processID()) }
        return "\(Worker.id) \(driver.0) \(driver.1)"
    }
    return "\(Worker.id) \(there)"
}

let calls: [String: Program.Scenario] = [
    "calls": { _ in
        try await withCluster(.local(3)) { cluster in
            let future = try await cluster.remoteCall(on: 2, capturing: 3) { x in x * 2 }
            say("fetched", try await future.fetch(), try await future.fetch())
            let later = try await cluster.remoteCall(on: 3, capturing: 20) { x in
                await Task.yield()
                return (x, Worker.id)
            }
            say("async", try await later.fetch())
            let waited = try await cluster.remoteCallWait(on: .any) { "here" }
            say("waited", try await waited.isReady, try await waited.fetch())
            await sayFailure("body throws") {
                _ = try await cluster.remoteCallWait(on: 2) { () -> Int in throw CancellationError() }
            }
            await sayFailure("fetch throws") {
                _ = try await cluster.remoteCall(on: 2) { () -> Int in throw CancellationError() }.fetch()
            }
            let pid = processID()
            let chained = try await cluster.remoteCallFetch(on: 2, capturing: 3 as WorkerID) { try await chain($0) }
            say("chain", chained == "2 3 1 \(pid)")
            say("own call", try await cluster.remoteCallFetch(on: 1) { Worker.id })
            let own = try await cluster.remoteCallFetch(on: 2) {
                try await Worker.cluster.remoteCallFetch(on: Worker.id) { (Worker.id, 7) }
            }
            say("worker's own call", own)
            // A future of one worker, fetched by another, and by the driver through it.
            let big = try await cluster.remoteCall(on: 2) { [Double](repeating: 0.5, count: 100_000) }
            let passed = try await cluster.remoteCallFetch(on: 3, capturing: big) { big in
                let values = try await big.fetch()
                return (values.count, values.reduce(0, +), Worker.id)
            }
            say("passed", passed)
            let made = try await cluster.remoteCallFetch(on: 2) {
                try await Worker.cluster.remoteCall(on: 3) { "of \(Worker.id)" }
            }
            say("made there", try await made.fetch(), made.id.where, made.id.whence)
            let empty = try await cluster.future(of: String.self, on: 3)
            say("empty", try await empty.isReady)
            try await cluster.remoteDo(on: 2, capturing: empty) { try await $0.put("filled by \(Worker.id)") }
            say("filled", try await empty.fetch(), try await empty.isReady)
            await sayFailure("filled twice") { try await empty.put("again") }
            await sayFailure("deadline") {
                _ = try await cluster.future(of: Int.self, on: 2).fetch(deadline: .milliseconds(50))
            }
            try await cluster.remoteDo(on: 3) { throw CancellationError() }
            let counts = try await cluster.remoteCallFetch(on: 2) {
                let cluster = try await Worker.cluster
                return (cluster.workers, cluster.myID)
            }
            say("seen from 2", counts)
            await sayFailure("adds from a worker") {
                try await cluster.remoteCallFetch(on: 2) { _ = try await Worker.cluster.addWorkers(.local(1)) }
            }
        }
    },
    "channels": { _ in
        try await withCluster(.local(3)) { cluster in
            let channel = try await cluster.remoteChannel(of: Int.self, capacity: 10, on: 2)
            for number in 0..<10 { try await channel.put(number) }
            await sayFailure("full") { try await channel.put(10, deadline: .milliseconds(50)) }
            say("first", try await channel.fetch(), try await channel.take(), try await channel.isReady)
            say("rest", try await channel.take(upTo: 100))
            say("empty", try await channel.isReady)
            // Producers on two workers, a consumer on the third.
            for worker in [2, 3] as [WorkerID] {
                try await cluster.remoteDo(on: worker, capturing: channel, worker.rawValue * 1000) { channel, base in
                    for number in 0..<500 { try await channel.put(base + number) }
                }
            }
            let sums = try await cluster.remoteCallFetch(on: 4, capturing: channel) { channel in
                var (count, sum, inOrder) = (0, 0, true)
                var last: [Int: Int] = [:]
                for try await number in channel {
                    (count, sum) = (count + 1, sum + number)
                    if let before = last[number / 1000], before >= number { inOrder = false }
                    last[number / 1000] = number
                    if count == 1000 { try await channel.close() }
                }
                return (count, sum, inOrder)
            }
            say("consumed", sums, sums.1 == (0..<500).reduce(0) { $0 + 2 * $1 + 5000 })
            await sayFailure("closed put") { try await channel.put(1) }
            await sayFailure("closed take") { _ = try await channel.take() }
        }
    },
]
