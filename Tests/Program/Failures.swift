import Glibc
import Muster

struct OutOfInk: Error, Codable, Equatable {
    var colour: String
}

struct NoPaper: Error, CustomStringConvertible {
    var description: String { "the tray is empty" }
}

let failures: [String: Program.Scenario] = [
    "throws": { _ in
        try await withCluster(.local(2)) { cluster in
            await sayFailure("codable") {
                try await cluster.pmap(0..<100) { i in
                    if i == 42 { throw OutOfInk(colour: "red") }
                }
            }
            await sayFailure("plain") {
                try await cluster.pmap(0..<8, batchSize: 4) { i in
                    if i == 5 { throw NoPaper() }
                }
            }
            await sayFailure("async") {
                try await cluster.pmap(0..<3, batchSize: 3) { i in
                    await Task.yield()
                    if i == 1 { throw OutOfInk(colour: "blue") }
                }
            }
            await sayFailure("call") { try await cluster.remoteCallFetch(on: 2) { throw OutOfInk(colour: "none") } }
            say("afterwards", try await cluster.pmap(1...3) { $0 })
        }
    },
    "trap": { _ in
        try await withCluster(.local(2, options: noRestarts)) { cluster in
            await sayFailure("trapped") {
                try await cluster.pmap(0..<2, batchSize: 1, retries: 0) { i in
                    if Worker.id == 3 { fatalError("the disk is \(i < 5 ? "upside down" : "fine")") }
                    spin(seconds: 1)
                }
            }
            let left = await eventually { cluster.workers == [2] }
            say("left", left, cluster.workers)
            say("goes on", try await cluster.pmap(1...3) { $0 })
            await sayFailure("gone") { try await cluster.remoteCallFetch(on: 3) { 1 } }
        }
    },
    "exits": { _ in
        try await withCluster(.local(1, options: noRestarts)) { cluster in
            // Its result is of type Never.
            let exit = RemoteFunction { (status: Int32) in quit(status) }
            await sayFailure("exited") { try await cluster.pmap([3], body: exit) }
        }
    },
    "closes-descriptors": { _ in
        try await withCluster(.local(1, options: noRestarts)) { cluster in
            await sayFailure("closed") {
                try await cluster.remoteCallFetch {
                    for descriptor in CInt(0)..<256 { close(descriptor) }
                    while true { sleep(1) }
                }
            }
        }
    },
    "stops-itself": { _ in
        try await withCluster(.local(2, options: noRestarts), heartbeatLimit: .seconds(1)) { cluster in
            let start = ContinuousClock.now
            await sayFailure("stopped") {
                try await cluster.remoteCallFetch(on: 2) {
                    kill(getpid(), SIGSTOP)
                    while true { sleep(1) }
                }
            }
            say("in time", ContinuousClock.now - start < .seconds(4))
            say("goes on", try await cluster.pmap(1...3) { $0 })
        }
    },
    "busy": { arguments in
        let seconds = Double(arguments[0]) ?? 8
        let limit = Double(arguments[1]) ?? 2
        let cpu = try Topology.discover().allowed.min ?? 0
        try await withCluster(heartbeatLimit: .seconds(limit)) { cluster in
            try await cluster.addWorkers(.localAffinity(cpus: [cpu]))
            try await cluster.addWorkers(.localAffinity(cpus: [cpu]))
            say(
                "pinned",
                try await cluster.pmap(0..<2, batchSize: 1) { _ in status("Cpus_allowed_list") } == [
                    "\(cpu)", "\(cpu)",
                ])
            let results = try await cluster.pmap(0..<2, capturing: seconds, batchSize: 1) { i, seconds in
                spin(seconds: seconds)
                return i
            }
            say("results", results)
        }
    },
    "waits": { arguments in
        let seconds = Double(arguments[0]) ?? 3
        try await withCluster(.local(2), heartbeatLimit: .seconds(1)) { cluster in
            say("ready", processID())
            let results = try await cluster.pmap(0..<2, capturing: seconds, batchSize: 1) { i, seconds in
                spin(seconds: seconds)
                return i
            }
            say("results", results, cluster.workers)
        }
    },
]
