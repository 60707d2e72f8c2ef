import Glibc
import Muster
import Synchronization

/// How often a body ran here.
private let runs = Mutex(0)
private let level = WorkerLocal<Int>("level")
private let place = WorkerLocal<OwnText>()

/// A value that can't travel.
final class OwnText: Sendable {
    let text: String
    init(_ text: String) { self.text = text }
}

private func levels(_ cluster: Cluster) async throws -> String {
    try await cluster.remoteCallFetch(onEach: [1] + cluster.workers) { level.value }
        .map { value in value.map { "\($0)" } ?? "none" }.joined(separator: " ")
}

/// A worker that names those that it is connected to.
private struct NamedWorkers: ClusterManager {
    let names: [(String, [String])]

    func launch(_ site: LaunchSite) async throws {
        for (name, others) in names {
            let (near, far) = MemoryLink.pair()
            let serving = Task { await Worker.serve(over: far) }
            site.whenClosed { await serving.value }
            try await site.add(
                try await LinkedWorker.greeted(over: near, .init(identity: name, connectsTo: others)))
        }
    }
}

/// Which processes each process of a cluster of four can call, be it to fetch from them.
private func connections(_ cluster: Cluster) async throws {
    let future = try await cluster.remoteCall(on: 2) { 7 }
    let channel = try await cluster.remoteChannel(of: Int.self, capacity: 4, on: 2)
    for process in [1, 2, 3, 4] as [WorkerID] {
        let reached = try await cluster.remoteCallFetch(on: process) {
            let cluster = try await Worker.cluster
            var reached: [Int] = []
            for other in [1] + cluster.workers {
                do {
                    reached.append(try await cluster.remoteCallFetch(on: other) { Worker.id.rawValue })
                } catch let error as ClusterError where error.code == .notConnected {
                    continue
                }
            }
            return reached
        }
        say("\(process) reaches", reached)
    }
    await sayFailure("call") {
        _ = try await cluster.remoteCallFetch(on: 3) { try await Worker.cluster.remoteCallFetch(on: 2) { 1 } }
    }
    await sayFailure("fetch") {
        _ = try await cluster.remoteCallFetch(on: 3, capturing: future) { try await $0.fetch() }
    }
    await sayFailure("put") { try await cluster.remoteCallFetch(on: 3, capturing: channel) { try await $0.put(1) } }
    say("by the driver", try await future.fetch())
}

let everywhere: [String: Program.Scenario] = [
    "everywhere": { arguments in
        try await withWorkers(2, arguments[0]) { cluster in
            let told = try await cluster.remoteChannel(of: WorkerID.self, capacity: 100)
            try await cluster.everywhere(capturing: told) { try await $0.put(Worker.id) }
            say("all", try await told.take(upTo: 100).sorted())
            try await cluster.everywhere(on: [3, 1], capturing: told) { try await $0.put(Worker.id) }
            say("chosen", try await told.take(upTo: 100).sorted())
            try await cluster.remoteCallFetch(on: 3, capturing: told) { told in
                try await Worker.cluster.everywhere(capturing: told) { try await $0.put(Worker.id) }
            }
            say("from a worker", try await told.take(upTo: 100).sorted())
            do {
                try await cluster.everywhere { if Worker.id != 2 { throw Refusal(worker: Worker.id.rawValue) } }
            } catch let error as CompositeError {
                say("failures", error.errors.map(account(of:)).joined(separator: " | "))
            }
            try await cluster.everywhere(capturing: told, includingLater: true) { try await $0.put(Worker.id) }
            say("now", try await told.take(upTo: 100).sorted())
            try await cluster.addWorkers(.inMemory(2))
            say("later", try await told.take(upTo: 100).sorted(), cluster.workers)
            try await cluster.everywhere(includingLater: true) {
                if Worker.id == 6 { throw Refusal(worker: 6) }
            }
            await sayFailure("does not join") { _ = try await cluster.addWorkers(.inMemory(1)) }
            say("still", cluster.workers)
            await sayFailure("not from a worker") {
                try await cluster.remoteCallFetch(on: 2) {
                    try await Worker.cluster.everywhere(includingLater: true) {}
                }
            }
        }
    },
    "worker-local": { arguments in
        try await withWorkers(2, arguments[0]) { cluster in
            say("at first", try await levels(cluster))
            await sayFailure("undefined") { _ = try await cluster.remoteCallFetch(on: 2) { try level.get() } }
            try await cluster.define(level, capturing: 10) { $0 * Worker.id.rawValue }
            say("defined", try await levels(cluster))
            try await cluster.remoteCallFetch(on: 3) { try level.set(5) }
            say("set", try await levels(cluster))
            try await cluster.define(level, on: [2]) { 1 }
            say("defined again", try await levels(cluster))
            try await cluster.define(level, includingLater: true) { 100 + Worker.id.rawValue }
            try await cluster.addWorkers(.inMemory(1))
            say("later", try await levels(cluster))
            try await cluster.clear(level, on: [3])
            say("cleared on 3", try await levels(cluster))
            try await cluster.clear(level)
            try await cluster.addWorkers(.inMemory(1))
            say("all cleared", try await levels(cluster))
            try await cluster.define(place) { OwnText("of \(Worker.id)") }
            let places = try await cluster.pmap(0..<30) { _ in try place.get().text == "of \(Worker.id)" }
            say("never travels", places.allSatisfy { $0 })
            let elsewhere = try await cluster.remoteCallFetch(on: 2) {
                try await Worker.cluster.define(place, on: [3]) { OwnText("by another") }
                return try await Worker.cluster.remoteCallFetch(on: 3) { try place.get().text }
            }
            say("defined by a worker", elsewhere)
            do {
                try await cluster.define(level) {
                    if Worker.id != 2 { throw Refusal(worker: Worker.id.rawValue) }
                    return 1
                }
            } catch let error as CompositeError {
                say("failures", error.errors.count, try await levels(cluster))
            }
        }
        say("outside", level.value == nil)
        await sayFailure("set outside") { try level.set(1) }
    },
    "topologies": { arguments in
        switch arguments[0] {
        case "custom":
            // The second names the third; nobody names the first.
            let manager = NamedWorkers(names: [("a", []), ("b", ["c"]), ("c", [])])
            try await withCluster(manager, topology: .custom) { try await connections($0) }
        case "all": try await withWorkers(3, arguments[1]) { try await connections($0) }
        default: try await withWorkers(3, arguments[1], topology: .driverWorker) { try await connections($0) }
        }
    },
]
