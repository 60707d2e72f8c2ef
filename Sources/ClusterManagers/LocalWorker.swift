import Agent
import ClusterRuntime
import Placement
import Remote
import SharedMemoryLink
import Transport
import Wire

/// A worker process of this host, as the cluster sees it.
final class LocalWorker: LaunchedWorker {
    private let worker: WorkerProcess
    let host: String
    let placement: PlacementPlan.Worker?
    let cpus: CPUSet?
    let memory: String?
    private let held: WorkerCPUs?

    /// - Parameter held: Its CPUs, if it has some of its own.
    init(_ worker: WorkerProcess, _ hello: Hello, _ placement: PlacementPlan.Worker?, _ held: WorkerCPUs?) {
        self.worker = worker
        host = hello.host
        self.placement = placement
        cpus = hello.cpus.isEmpty ? nil : CPUSet(hello.cpus)
        memory = hello.memory
        self.held = held
    }

    var link: any Link { worker.link }
    var process: Int { Int(worker.process) }
    var warnings: [String] { worker.warnings }

    func adopt(
        as id: WorkerID, heartbeatLimit: Duration, onFrame: @escaping @Sendable (inout WireReader) -> Void,
        onEnd: @escaping @Sendable (LinkError?) -> Void
    ) async {
        await worker.adopt(
            as: id.rawValue, heartbeatLimit: heartbeatLimit.seconds, onFrame: onFrame, onEnd: onEnd)
    }

    func end() async -> WorkerEnd {
        let end = await worker.end.get()
        await held?.release()
        return end
    }

    func kill() { worker.kill() }
}
