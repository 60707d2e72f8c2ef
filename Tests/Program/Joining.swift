import Glibc
import Muster
import Synchronization

/// Words of the form `name=value`.
private struct Settings {
    private let values: [String: String]

    init(_ words: [String]) {
        values = words.reduce(into: [:]) { values, word in
            let parts = word.split(separator: "=", maxSplits: 1)
            if parts.count == 2 { values[String(parts[0])] = String(parts[1]) }
        }
    }

    subscript(_ name: String) -> String? { values[name] }
    func number(_ name: String, _ usual: Double) -> Double { values[name].flatMap(Double.init) ?? usual }

    var manager: ElasticManager {
        get throws {
            let address = self["address"].map { NetworkAddress.address($0) } ?? .loopback
            return ElasticManager(
                address: address, port: Int(number("port", 0)), key: try self["key"].map { try ClusterKey($0) },
                joins: Int(number("joins", 1000)), for: .seconds(number("for", 3600)), joinFile: self["file"],
                printsOutput: self["keep"] == nil)
        }
    }

    /// Whether the test has made the file of this name; also if it makes none.
    func isOpen(_ name: String) -> Bool { self["gates"].map { unsafe access("\($0)/\(name)", F_OK) == 0 } ?? true }

    /// Waits for that.
    func gate(_ name: String) async { _ = await eventually(within: 300) { isOpen(name) } }
}

/// Says who is there whenever that changes, until it is cancelled.
private func follow(_ manager: ElasticManager) async {
    var last = ""
    while !Task.isCancelled {
        let text = manager.description
        if text != last { say(text) }
        last = text
        try? await Task.sleep(for: .milliseconds(5))
    }
}

let joining: [String: Program.Scenario] = [
    // A map whose workers come and go, as the test wants.
    "elastic-map": { words in
        let settings = Settings(words)
        let manager = try settings.manager
        let count = Int(settings.number("items", 100))
        let limit = Duration.seconds(settings.number("limit", 15))
        try await withCluster(manager, heartbeatLimit: limit) { cluster in
            say("join", manager.joinFile ?? "nowhere")
            let following = Task { await follow(manager) }
            defer { following.cancel() }
            let microseconds = UInt32(settings.number("ms", 5) * 1000)
            // As many as the test needs to do what it wants meanwhile.
            let produced = Mutex(0)
            let items = AsyncStream {
                produced.withLock { produced -> Int? in
                    guard produced < count || !settings.isOpen("half") else { return nil }
                    defer { produced += 1 }
                    return produced
                }
            }
            let results = try cluster.pmapStream(
                items, capturing: microseconds, order: .asCompleted, batchSize: 1,
                body: { item, microseconds in
                    usleep(microseconds)
                    return "\(item * item) \(Worker.id) \(processID())"
                })
            var squares: [Int: Int] = [:]
            var workers: Set<String> = []
            var doubled = 0
            for try await (index, result) in results {
                let parts = result.split(separator: " ").map(String.init)
                if squares.updateValue(Int(parts[0]) ?? -1, forKey: index) != nil { doubled += 1 }
                if workers.insert(parts[1]).inserted { say("at work", parts[1], "process", parts[2]) }
            }
            let expected = produced.withLock { $0 }
            let isRight = squares.count == expected && squares.allSatisfy { $1 == $0 * $0 }
            say("results", isRight ? "right" : "wrong", "doubled", doubled)
            say("workers", workers.compactMap(Int.init).sorted())
            await settings.gate("end")
        }
        say("left", manager)
    },

    // Listens, until the test says stop.
    "elastic-serve": { words in
        let settings = Settings(words)
        let manager = try settings.manager
        try await withCluster(manager) { cluster in
            say("join", manager.joinFile ?? "nowhere")
            let following = Task { await follow(manager) }
            defer { following.cancel() }
            await settings.gate("print")
            for worker in cluster.workers {
                try await cluster.remoteCallFetch(on: worker) { print("a line of a worker") }
            }
            say("printed")
            if settings["revoke"] != nil {
                await settings.gate("revoke")
                manager.stopInviting()
                say("revoked")
                await sayFailure("map") { try await cluster.pmap(0..<3) { $0 } }
            }
            await settings.gate("end")
        }
    },

    // A program that does something else when it joins.
    "guest": { words in
        let settings = Settings(words)
        guard let path = settings["file"] else { return say("no file") }
        #if Network
            do {
                let joined = try await Worker.join(path, timeout: .seconds(10))
                say("joined as", joined.id, "here", Worker.id)
                if settings["gates"] != nil {
                    await settings.gate("leave")
                    await joined.leave()
                }
                say("ending", await joined.end())
            } catch {
                say("not joined:", error)
            }
        #endif
        say("goes on")
    },

    "two-elastic": { _ in
        let (first, second) = (ElasticManager(port: 0), ElasticManager(port: 0))
        try await withCluster(first) { cluster in
            try await cluster.addWorkers(second)
            say("apart", first.joinFile != second.joinFile)
            say("there", [first, second].map { unsafe access($0.joinFile ?? "", R_OK) == 0 })
            await sayFailure("again") { try await cluster.addWorkers(first) }
            await sayFailure("taken") {
                try await withCluster(ElasticManager(port: first.port ?? 0)) { _ in }
            }
            await sayFailure("all to all") { try await cluster.addWorkers(.elastic(port: 0, topology: .allToAll)) }
            await sayFailure("short key") {
                try await cluster.addWorkers(ElasticManager(address: "0.0.0.0", port: 0, key: ClusterKey("guess")))
            }
            let agent = startShell("exec env MUSTER_WORKERS=1 " + (second.joinCommand ?? "false"))
            say("sum", try await cluster.pmap(1...4) { $0 }.reduce(0, +))
            say("first", first.description.contains("active workers: none"))
            try await cluster.removeWorkers(cluster.workers)
            say("agent", await awaitEnd(agent))
        }
        say("closed", first, second)
    },
]
