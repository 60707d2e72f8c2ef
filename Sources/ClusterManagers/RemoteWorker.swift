import Agent
import ClusterRuntime
import Placement
import Remote
import Transport
import Wire

/// A worker of another host, as the cluster sees it.
final class RemoteWorker: LaunchedWorker {
    private let worker: HostWorker
    let cpus: CPUSet?

    init(_ worker: HostWorker) {
        self.worker = worker
        let cpus = worker.description.hello.cpus
        self.cpus = cpus.isEmpty ? nil : CPUSet(cpus)
    }

    var link: any Link { worker }
    var host: String { worker.description.hello.host }
    var process: Int { worker.description.hello.process }
    var memory: String? { worker.description.hello.memory }
    var placement: PlacementPlan.Worker? { worker.description.placement }
    var warnings: [String] { worker.description.warnings }

    /// Its agent looks after its heartbeats, with the limit of the host's link.
    func adopt(
        as id: WorkerID, heartbeatLimit: Duration, onFrame: @escaping @Sendable (inout WireReader) -> Void,
        onEnd: @escaping @Sendable (LinkError?) -> Void
    ) async {
        worker.adopt(as: id.rawValue, onFrame: onFrame, onEnd: onEnd)
    }

    func willLeave() { worker.release() }

    func end() async -> WorkerEnd { await worker.end.get() }

    func kill() { worker.kill() }
}
