import Muster

/// A place for a worker, which gets another one when its worker is gone.
struct MapSlot {
    /// Number of the place, from 1.
    private let number: Int
    private let cluster: Cluster
    /// What to ask for in place of a worker that is gone.
    private let replacement: PlacementRequest
    private var worker: WorkerID

    /// - Parameter request: What the first workers were asked for by.
    init(number: Int, worker: WorkerID, of cluster: Cluster, _ request: PlacementRequest) throws {
        self.number = number
        self.cluster = cluster
        self.worker = worker
        let cpus = Array(try cluster.member(worker).launched.placement?.cpus ?? [])
        var replacement = PlacementRequest(cpus: [cpus])
        (replacement.memory, replacement.memoryTier) = (request.memory, request.memoryTier)
        self.replacement = replacement
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
        worker = try await cluster.addWorkers(LocalAffinityManager(request: replacement))[0]
    }
}
