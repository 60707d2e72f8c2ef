import Glibc
import Muster

/// Starts a shell command beside this program; returns its process.
func startShell(_ command: String) -> pid_t {
    var process: pid_t = 0
    var words = unsafe [strdup("/bin/sh"), strdup("-c"), strdup(command), nil]
    defer { unsafe words.forEach { unsafe free($0) } }
    let code = unsafe posix_spawn(&process, "/bin/sh", nil, nil, &words, environ)
    precondition(code == 0, "a shell can be started")
    return process
}

/// Waits for the end of a process; returns its exit status, or less than 0 for a signal.
func awaitEnd(_ process: pid_t) async -> Int32 {
    var status: Int32 = 0
    _ = await eventually { unsafe waitpid(process, &status, WNOHANG) == process }
    return status & 0x7f == 0 ? status >> 8 & 0xff : -(status & 0x7f)
}

let elastic: [String: Program.Scenario] = [
    "elastic": { _ in
        let manager = ElasticManager(port: 0)
        say("before", manager)
        try await withCluster(manager) { cluster in
            guard let command = manager.joinCommand else { return say("no command") }
            let agent = startShell("exec env MUSTER_WORKERS=2 " + command)
            let squares = try await cluster.pmap(1...10) { $0 * $0 }
            say("squares", squares)
            let ids = cluster.workers
            say("workers", ids)
            let places = try await cluster.pmap(0..<20) { _ in Worker.id.rawValue }
            say("worked", Set(places).sorted())
            let mine = processID()
            let processes = try await cluster.pmap(0..<20) { _ in processID() }
            say("elsewhere", !processes.contains(mine))
            let big = [Double](repeating: 0.5, count: 1_000_000)
            let sums = try await cluster.pmap(1...4, capturing: big) { i, big in big.reduce(0, +) * Double(i) }
            say("sums", sums)
            let arrays = try await cluster.pmap(1...3) { i in [Double](repeating: Double(i), count: 100_000) }
            say("arrays", arrays.map { $0.reduce(0, +) })
            _ = try await cluster.remoteCallFetch(on: ids[0]) { print("a line of a worker") }
            say(manager)
            try await cluster.removeWorkers(cluster.workers)
            say("agent ended", await awaitEnd(agent))
            say("gone", await eventually { manager.description.contains("active workers: none") })
        }
    }
]

/// Bytes that this process has written so far, to sockets too.
private func writtenByteCount() -> Int {
    guard let file = unsafe fopen("/proc/self/io", "r") else { return 0 }
    defer { unsafe fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    while unsafe fgets(&line, 256, file) != nil {
        let words = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        if words.hasPrefix("wchar: ") { return Int(words.dropFirst(7).dropLast()) ?? 0 }
    }
    return 0
}

let tree: [String: Program.Scenario] = [
    "tree": { arguments in
        let agents = Int(arguments[0]) ?? 7
        let manager = ElasticManager(port: 0)
        try await withCluster(manager) { cluster in
            guard let command = manager.joinCommand else { return say("no command") }
            for _ in 0..<agents { _ = startShell("exec env MUSTER_WORKERS=2 " + command) }
            _ = await eventually { cluster.workers.count == 2 * agents }
            say("workers", cluster.workers.count)
            let big = (0..<2_000_000).map { Double($0) }
            let before = writtenByteCount()
            for round in 0..<2 {
                let sums = try await cluster.pmap(0..<40 * agents, capturing: big, batchSize: 1) { i, big in
                    (Worker.id.rawValue, big.reduce(0, +))
                }
                say("round", round, Set(sums.map(\.1)), Set(sums.map(\.0)).count == 2 * agents)
            }
            say("copies sent", (writtenByteCount() - before) / 16_000_000)
            // Who should have passed it on is gone: it comes all the same.
            let other = big.map { -$0 }
            try await cluster.removeWorkers(Array(cluster.workers.prefix(2)))
            let more = try await cluster.pmap(0..<40 * agents, capturing: other, batchSize: 1) { _, other in
                other.reduce(0, +)
            }
            say("after a loss", Set(more))
        }
    }
]

let dialled: [String: Program.Scenario] = [
    "dialled": { arguments in
        let (port, file) = (Int(arguments[0]) ?? 0, arguments[1])
        try await withCluster { cluster in
            let ids = try await cluster.addWorkers(
                .dialled("127.0.0.1", port: port, joinFile: file, workers: 2))
            say("workers", ids, try await cluster.pmap(1...4) { $0 * 10 })
        }
    }
]

let remoteSpeed: [String: Program.Scenario] = [
    "remote-speed": { arguments in
        let (agents, workers) = (Int(arguments[0]) ?? 1, Int(arguments[1]) ?? 2)
        let manager = ElasticManager(port: 0)
        try await withCluster(manager) { cluster in
            let clock = ContinuousClock()
            guard let command = manager.joinCommand else { return say("no command") }
            let took = try await clock.measure {
                for _ in 0..<agents { _ = startShell("exec env MUSTER_WORKERS=\(workers) " + command) }
                while cluster.workers.count < agents * workers { try await Task.sleep(for: .milliseconds(1)) }
            }
            say("joined", took)
            let ids = cluster.workers
            for _ in 0..<3 {
                let calls = try await clock.measure {
                    for _ in 0..<2000 { _ = try await cluster.remoteCallFetch(on: ids[0]) { 1 } }
                }
                say("call", calls / 2000)
                let count = 100_000
                let map = try await clock.measure {
                    _ = try await cluster.pmap(0..<count, batchSize: 1) { $0 + 1 }
                }
                say(
                    "batch 1: elements/s",
                    Double(count) / (Double(map.components.attoseconds) * 1e-18 + Double(map.components.seconds)))
            }
        }
    }
]

let flood: [String: Program.Scenario] = [
    "remote-flood": { _ in
        let manager = ElasticManager(port: 0)
        try await withCluster(manager, heartbeatLimit: .seconds(6)) { cluster in
            guard let command = manager.joinCommand else { return say("no command") }
            _ = startShell("exec env MUSTER_WORKERS=2 " + command)
            _ = await eventually { cluster.workers.count == 2 }
            // 10 MB of lines, while somebody reads this program's output slowly, or not for a while.
            let counts = try await cluster.pmap(0..<2, batchSize: 1) { _ in
                let line = String(repeating: "x", count: 199)
                for _ in 0..<25_000 { print(line) }
                return 25_000
            }
            say("printed", counts, cluster.workers)
        }
    }
]
