import Agent
import ClusterRuntime
import Remote
import Synchronization
import Transport
import Wire

/// A worker's process as a part of the cluster that its driver names.
final class ProcessMembership: WorkerMembership {
    private struct State {
        var cluster: Cluster?
        /// Does what the driver asks, other than to run bodies.
        var server: CallServer?
    }

    private let state = Mutex(State())

    /// The thread of the worker's session.
    private struct Bodies: BodyThread {
        let run: @Sendable (@escaping @Sendable () -> Void) -> Void

        func perform(_ work: @escaping @Sendable () -> Void) { run(work) }
    }

    /// Rings to workers of the same host.
    private struct Neighbours: PeerConnector {
        let neighbours: WorkerNeighbours

        func connect(toProcess process: Int) async throws -> any Link {
            try await neighbours.connect(toProcess: process)
        }
    }

    func belong(
        to identity: UInt64, as worker: Int, driver: any Link,
        perform: @escaping @Sendable (_ work: @escaping @Sendable () -> Void) -> Void
    ) {
        let bodies = Bodies(run: perform)
        let neighbours = WorkerLoop.neighbours
        let cluster = Cluster(
            identity, worker: WorkerID(worker), driver: driver, isAlone: true, bodies: bodies,
            connect: neighbours.map { Neighbours(neighbours: $0) })
        state.withLock { state in
            state.cluster = cluster
            state.server = CallServer(cluster, caller: .driver, driver, bodies: bodies)
        }
        neighbours?.onLink { worker, link in cluster.serve(link, for: WorkerID(worker)) }
    }

    func hear(_ frame: inout WireReader) throws(WireError) {
        let (cluster, server) = state.withLock { ($0.cluster, $0.server) }
        guard let cluster else { throw frame.invalid("the driver has not said yet what this worker belongs to") }
        try cluster.hear(&frame, asTold: server)
    }

    func hold(_ names: [UInt8]) throws(WireError) -> WireAttachments {
        guard let cluster = state.withLock({ $0.cluster }) else { return WireAttachments() }
        return try cluster.hold(names)
    }

    var references: ReferenceTable? { state.withLock { $0.cluster }?.process.references }

    func interrupt() -> [@Sendable () -> Bool] { state.withLock { $0.cluster }?.interruptServers() ?? [] }

    func tell(_ failure: RemoteFailure) { CallServer.tell(failure) }
}
