import Muster

/// Workers of a manager, and over a transport, that are none of the library's.
let ownManagers: [String: Program.Scenario] = [
    "own-manager": { _ in
        await serveIfWorker()
        try await withCluster(SocketManager(count: 2)) { cluster in
            say("workers", cluster.workers)
            say("squares", try await cluster.pmap(1...100) { $0 * $0 } == (1...100).map { $0 * $0 })
            let table = [Double](repeating: 1, count: 1_000_000)
            let sums = try await cluster.pmap(0..<4, capturing: table) { i, table in table.reduce(Double(i), +) }
            say("sums", sums)
            let processes = try await cluster.pmap(cluster.workers, batchSize: 1) { _ in processID() }
            say("elsewhere", !processes.contains(processID()))
            for worker in cluster.workers {
                say("number", try await cluster.remoteCallFetch(on: worker) { Worker.id })
            }
            await sayFailure("death") { try await cluster.remoteCallFetch(on: 2) { () -> Void in quit(3) } }
            say("left", try await cluster.pmap(1...3) { $0 }, cluster.workers)
            say("more", try await cluster.addWorkers(SocketManager(count: 1)))
            try await cluster.removeWorkers([3])
        }
    },
    "own-manager-wait": { _ in
        await serveIfWorker()
        try await withCluster(SocketManager(count: 2)) { cluster in
            say("ready", cluster.workers.count)
            _ = try await cluster.pmap(0..<4) { _ in spin(seconds: 1000) }
        }
    },
]
