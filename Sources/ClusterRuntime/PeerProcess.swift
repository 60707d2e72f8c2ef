import Placement
import Remote
import Transport
import Wire

/// Another process of the cluster, as a worker sees it: somebody else looks after it.
final class PeerProcess: LaunchedWorker {
    let link: any Link
    let host: String
    let process: Int
    let placement: PlacementPlan.Worker? = nil
    let warnings: [String] = []
    private let ending = Eventual<WorkerEnd>()

    init(_ link: any Link, host: String, process: Int) {
        self.link = link
        self.host = host
        self.process = process
    }

    func adopt(
        as id: WorkerID, heartbeatLimit: Duration, onFrame: @escaping @Sendable (inout WireReader) -> Void,
        onEnd: @escaping @Sendable (LinkError?) -> Void
    ) async {}

    /// It has ended, as the driver says.
    func hasEnded(_ end: WorkerEnd) { ending.fulfil(end) }

    func end() async -> WorkerEnd { await ending.get() }
    /// Only the driver ends processes: this ends the link to it.
    func kill() { link.close() }
}
