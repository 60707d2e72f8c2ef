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
    /// When its queue ends it, in monotonic seconds.
    private let jobEnd: Double?

    init(_ worker: HostWorker, until jobEnd: Double?) {
        self.worker = worker
        self.jobEnd = jobEnd
        let cpus = worker.description.hello.cpus
        self.cpus = cpus.isEmpty ? nil : CPUSet(cpus)
    }

    var link: any Link { worker }
    var host: String { worker.description.hello.host }
    var process: Int { worker.description.hello.process }
    var memory: String? { worker.description.hello.memory }
    var placement: PlacementPlan.Worker? { worker.description.placement }
    var remainingTime: Duration? { jobEnd.map { .seconds($0 - monotonicSeconds()) } }
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
    func kill(because cause: WorkerEnd.Cause) { worker.kill(because: cause) }
}
