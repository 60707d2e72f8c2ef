import Muster

let remoteMemory: [String: Program.Scenario] = [
    "remote-memory": { _ in
        // For the agent as well, which is this program too.
        SegmentArena.limitShared(to: 64 << 20)
        let manager = ElasticManager(port: 0)
        try await withCluster(manager) { cluster in
            guard let command = manager.joinCommand else { return say("no command") }
            _ = startShell("exec env MUSTER_WORKERS=1 " + command)
            _ = await eventually { cluster.workers.count == 1 }
            let small = [Double](repeating: 1, count: 1_000_000)
            say("small", try await cluster.pmap(0..<2, capturing: small) { _, small in small.count })
            let large = [Double](repeating: 1, count: 16_000_000)
            await sayFailure("large") { try await cluster.pmap(0..<2, capturing: large) { _, large in large.count } }
            say("goes on", try await cluster.pmap(0..<2, capturing: small) { _, small in small.count }, cluster.workers)
        }
    }
]
