import Glibc
import Muster

/// For scenarios about the loss of workers: none comes in the place of one that has ended.
let noRestarts = LocalOptions(restarts: 0)

/// Kills a worker's process from here.
private func kill(_ worker: WorkerID, of cluster: Cluster) throws {
    Glibc.kill(pid_t(try cluster.member(worker).launched.process), SIGKILL)
}

let restarts: [String: Program.Scenario] = [
    "restarts": { _ in
        try await withCluster(.localAffinity(count: 1)) { cluster in
            let place = cluster.placement.first
            try kill(2, of: cluster)
            // The only worker is gone: the map waits for the next.
            say("map", try await cluster.pmap(0..<5) { $0 * 2 })
            say("successor", cluster.workers)
            let next = cluster.placement.first
            say("same place", next?.plan == place?.plan && next?.cpus == place?.cpus)
        }
    },
    "restarts-in-map": { _ in
        try await withCluster(.local(2)) { cluster in
            let map = Task {
                try await cluster.pmap(0..<200, batchSize: 1) { i in (i, Worker.id.rawValue, spin(seconds: 0.005)) }
            }
            _ = await eventually { ((try? cluster.member(2).pendingCount) ?? 0) > 0 }
            try kill(2, of: cluster)
            let results = try await map.value
            say("all", results.map(\.0) == Array(0..<200))
            say("took part", Set(results.map(\.1)).contains(4))
        }
    },
    "restart-limit": { _ in
        try await withCluster(.local(1, options: LocalOptions(restarts: 2))) { cluster in
            var died = 0
            do {
                while died < 10 {
                    let id = try cluster.allMembers()[0].id
                    try kill(id, of: cluster)
                    died += 1
                    _ = await eventually { !cluster.workers.contains(id) }
                    _ = try await cluster.pmap(0..<3) { $0 }
                }
            } catch {
                say("died", died, account(of: error))
            }
        }
    },
    "no-restart-on-leaving": { _ in
        try await withCluster(.local(2)) { cluster in
            try await cluster.removeWorkers([2])
            say("left", cluster.workers)
            _ = try? await cluster.remoteCallFetch(on: 3) { exit(0) }
            _ = await eventually { cluster.workers.isEmpty }
            say("exited", cluster.workers)
        }
    },
]
