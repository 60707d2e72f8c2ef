import Muster

/// What a worker costs that has run one body and waits for the next.
struct IdleWorker: Benchmark {
    let name = "idle-worker"
    let title = "Memory of a worker that waits: its share (PSS), 16 of them"
    let unit = Unit.mebibytes

    func run(_ host: Host) async throws -> [Series] {
        try await withCluster(.local(16)) { cluster in
            var processes: [Int] = []
            for worker in cluster.workers {
                processes.append(Int(try await cluster.remoteCallFetch(on: worker) { processID() }))
            }
            return try await alternate(
                repeats: 3,
                [
                    Lane(key: "worker", label: "Muster: a worker, mean of 16") {
                        let sizes = processes.map { share(ofProcess: "\($0)", "Pss") }
                        return sizes.reduce(0, +) / Double(sizes.count)
                    },
                    Lane(key: "worker.private", label: "Muster: of that, what it shares with nobody") {
                        let sizes = processes.map { share(ofProcess: "\($0)", "Pss_Anon") }
                        return sizes.reduce(0, +) / Double(sizes.count)
                    },
                    Lane(key: "driver", label: "Muster: the driver") { share(ofProcess: "self", "Pss") },
                ])
        }
    }
}

/// Mebibytes of a process, by the name of a line of `smaps_rollup`; see proc(5).
private func share(ofProcess process: String, _ name: String) -> Double {
    let lines = contents(of: "/proc/\(process)/smaps_rollup").split(separator: "\n")
    guard let line = lines.first(where: { $0.hasPrefix(name + ":") }) else { return .nan }
    return line.split(separator: " ").dropFirst().first.flatMap { Double($0) }.map { $0 / 1024 } ?? .nan
}
