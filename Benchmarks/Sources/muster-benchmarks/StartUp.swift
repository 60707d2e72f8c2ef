import CFloors
import Muster

/// From nothing to an answer of every worker.
struct StartUp: Benchmark {
    let name = "start-up"
    let title = "Start workers, and have an answer from each"
    let unit = Unit.milliseconds

    func run(_ host: Host) async throws -> [Series] {
        let program = CommandLine.arguments[0]
        var lanes = [
            Lane(key: "spawn.true", label: "C: posix_spawn and wait, 16 × true") {
                unsafe floor_spawn("/bin/true", nil, 16) * 1e3
            }
        ]
        for count in [2, 16, 64, 256] {
            lanes.append(
                Lane(key: "spawn.self.\(count)", label: "C: the same, \(count) × this program, doing nothing") {
                    unsafe floor_spawn(program, "--idle", count) * 1e3
                })
            lanes.append(
                Lane(key: "muster.local.\(count)", label: "Muster: .local(\(count))", floor: "spawn.self.\(count)") {
                    try await start(.local(count))
                })
            lanes.append(
                Lane(
                    key: "muster.affinity.\(count)", label: "Muster: .localAffinity(count: \(count))",
                    floor: "spawn.self.\(count)"
                ) {
                    try await start(.localAffinity(count: count))
                })
        }
        return try await alternate(repeats: 3, lanes)
    }

    private nonisolated(nonsending) func start(_ manager: some ClusterManager) async throws -> Double {
        let start = floor_seconds()
        return try await withCluster(manager) { cluster in
            // The captured number makes every worker decode something and run a body.
            try await withThrowingTaskGroup(of: Int.self) { group in
                for worker in cluster.workers {
                    group.addTask { try await cluster.remoteCallFetch(on: worker, capturing: 1) { x in x + 1 } }
                }
                for try await answer in group { precondition(answer == 2) }
            }
            return (floor_seconds() - start) * 1e3
        }
    }
}
