import Muster

/// A place for a worker, which gets another one when its worker is gone.
struct MapSlot {
    /// Number of the place, from 1.
    private let number: Int
    private let cluster: Cluster
    private let cpus: [Int]
    private var worker: WorkerID

    init(number: Int, worker: WorkerID, of cluster: Cluster) throws {
        self.number = number
        self.cluster = cluster
        self.worker = worker
        cpus = Array(try cluster.member(worker).launched.placement?.cpus ?? [])
    }

    /// Runs the line for argument `index`, from 1, in the worker.
    mutating func run(_ line: [UInt8], index: Int) async throws -> CommandResult {
        while true {
            do {
                return try await cluster.remoteCallFetch(on: worker, capturing: line, number, index) {
                    line, slot, index in
                    let environment = ["MUSTER_WORKER": "\(slot)", "MUSTER_INDEX": "\(index)"]
                    return ShellCommand(line: line, environment: environment).run()
                }
            } catch let end as WorkerExited {
                try await replaceWorker()
                return CommandResult(end: .lost("took its worker down: \(end)"))
            } catch let error as ClusterError where error.code == .noSuchWorker {
                // It ended between two commands, so that this one has not begun.
                try await replaceWorker()
            }
        }
    }

    private mutating func replaceWorker() async throws {
        let request = PlacementRequest(cpus: cpus, threads: cpus.count)
        worker = try await cluster.addWorkers(LocalAffinityManager(request: request))[0]
    }
}
