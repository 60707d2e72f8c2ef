import Muster
import Synchronization

/// What bodies throw here.
struct Refusal: Error, Codable {
    let worker: Int
}

/// A body that calls another worker, which calls the driver.
private func chain(_ next: WorkerID) async throws -> String {
    let there = try await Worker.cluster.remoteCallFetch(on: next) {
        let driver = try await Worker.cluster.remoteCallFetch(on: 1) { (Worker.id, processID()) }
        return "\(Worker.id) \(driver.0) \(driver.1)"
    }
    return "\(Worker.id) \(there)"
}

/// What bodies have begun in this process.
private let begun = Mutex<[Int]>([])
private let callCount = 300

/// Makes calls of one process, by turns not waited for and kept, and looks in which order their bodies began.
private func callInOrder(_ cluster: Cluster, on process: WorkerID) async throws -> Bool {
    for number in 0..<callCount {
        if number.isMultiple(of: 2) {
            try await cluster.remoteDo(on: process, capturing: number) { number in begun.withLock { $0.append(number) }
            }
        } else {
            _ = try await cluster.remoteCall(on: process, capturing: number) { number in
                begun.withLock { $0.append(number) }
            }
        }
    }
    return try await cluster.remoteCallFetch(on: process) {
        begun.withLock { list in
            defer { list = [] }
            return list == Array(0..<callCount)
        }
    }
}

let calls: [String: Program.Scenario] = [
    "call-order": { arguments in
        try await withWorkers(2, arguments[0]) { cluster in
            say("from the driver", try await callInOrder(cluster, on: 2))
            say("to itself", try await callInOrder(cluster, on: 1))
            for process in [1, 2, 3] as [WorkerID] {
                let isInOrder = try await cluster.remoteCallFetch(on: 3, capturing: process) { process in
                    try await callInOrder(try await Worker.cluster, on: process)
                }
                say("from 3 to \(process)", isInOrder)
            }
        }
    },
    "call-sets": { arguments in
        try await withWorkers(3, arguments[0]) { cluster in
            let all = [1, 4, 2, 3, 2] as [WorkerID]
            say("each", try await cluster.remoteCallFetch(onEach: all) { Worker.id })
            let others = try await cluster.remoteCallFetch(on: 3, capturing: all) { all in
                try await Worker.cluster.remoteCallFetch(onEach: all, capturing: 10) { ten in
                    await Task.yield()
                    return Worker.id.rawValue * ten
                }
            }
            say("each from 3", others)
            say("none", try await cluster.remoteCallFetch(onEach: []) { 1 })
            do {
                try await cluster.remoteCallFetch(onEach: [4, 2, 9, 3]) {
                    if Worker.id != 3 { throw Refusal(worker: Worker.id.rawValue) }
                }
            } catch let error as CompositeError {
                say("failures", error.errors.map(account(of:)).joined(separator: " | "))
            }
        }
    },
    "calls": { arguments in
        try await withWorkers(3, arguments[0]) { cluster in
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
            // What is not done when the cluster is left is not done at all: this is behind it.
            try await cluster.remoteCallFetch(on: 3) {}
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
]
