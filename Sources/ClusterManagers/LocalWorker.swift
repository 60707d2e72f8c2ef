import Agent
import ClusterRuntime
import Placement
import Remote
import Synchronization
import Transport
import Wire

/// A worker process of this host, as the cluster sees it.
final class LocalWorker: LaunchedWorker {
    private let worker: StartedWorker
    private let ended = Eventual<WorkerEnd>()
    private let leaves = Atomic(false)
    let cpus: CPUSet?

    init(_ worker: StartedWorker) {
        self.worker = worker
        cpus = worker.hello.cpus.isEmpty ? nil : CPUSet(worker.hello.cpus)
    }

    var host: String { worker.hello.host }
    var memory: String? { worker.hello.memory }
    var placement: PlacementPlan.Worker? { worker.placement }
    var link: any Link { worker.process.link }
    var process: Int { Int(worker.process.process) }
    var warnings: [String] { worker.process.warnings }

    func adopt(
        as id: WorkerID, heartbeatLimit: Duration, onFrame: @escaping @Sendable (inout WireReader) -> Void,
        onEnd: @escaping @Sendable (LinkError?) -> Void
    ) async {
        await worker.process.adopt(
            as: id.rawValue, heartbeatLimit: heartbeatLimit.seconds, onFrame: onFrame, onEnd: onEnd)
    }

    func willLeave() { leaves.store(true, ordering: .relaxed) }

    /// Whether it is about to be removed.
    var isLeaving: Bool { leaves.load(ordering: .relaxed) }

    func end() async -> WorkerEnd { await ended.get() }

    /// Its process has ended, and it is settled what becomes of its place.
    func hasEnded(_ end: WorkerEnd) { ended.fulfil(end) }

    func kill() { worker.process.kill() }
    func kill(because cause: WorkerEnd.Cause) { worker.process.kill(because: cause) }
}
