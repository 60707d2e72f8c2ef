import Glibc
package import Placement
package import Remote
import Synchronization
package import Transport
package import Wire

/// A worker that is no process: it runs bodies in tasks of this one.
///
/// For maps that are not to be distributed, and for processes that join a driver while they do something else. It is told
/// what other workers are told, so that such a map has the same results and fails in the same way.
package final class InProcessWorker: LaunchedWorker, Link {
    private struct State {
        var deliver: (@Sendable (inout WireReader) throws -> Void)?
        var server: CallServer?
        /// What it is part of, from when its driver has said so.
        var cluster: Cluster?
    }

    private let state = Mutex(State())
    private let ending = Eventual<WorkerEnd>()

    package let host = "this process"
    package let process = Int(getpid())
    package let placement: PlacementPlan.Worker? = nil
    package let warnings: [String] = []
    package var link: any Link { self }
    package var lastHeard: Double { monotonicSeconds() }

    /// - Parameter bodies: Runs synchronous bodies; tasks do unless told.
    package init(bodies: (any BodyThread)? = nil) {
        state.withLock { $0.server = CallServer(nil, caller: .driver, BackLink(self), bodies: bodies) }
    }

    /// As many as there are CPUs to run on, ready to be called, as parts of a process of a cluster.
    static func members(of cluster: Cluster, count: Int? = nil, bodies: (any BodyThread)? = nil) -> [Member] {
        (0..<(count ?? max(1, sysconf(CInt(_SC_NPROCESSORS_ONLN))))).map { _ in
            let worker = InProcessWorker(bodies: bodies)
            let member = Member(id: cluster.myID, launched: worker, cluster: cluster)
            worker.state.withLock { state in
                state.deliver = { reply in member.receive(&reply) }
                state.server?.belong(to: cluster)
            }
            return member
        }
    }

    package func adopt(
        as id: WorkerID, heartbeatLimit: Duration, onFrame: @escaping @Sendable (inout WireReader) -> Void,
        onEnd: @escaping @Sendable (LinkError?) -> Void
    ) async {
        begin(onFrame: onFrame)
    }

    /// What it says goes to `onFrame` from now on.
    ///
    /// - Parameter onFrame: Throws a ``LinkError`` for what can't be passed on: whoever says it is told so.
    func begin(onFrame: @escaping @Sendable (inout WireReader) throws -> Void) {
        state.withLock { $0.deliver = onFrame }
    }

    package func start(
        onFrame: @escaping @Sendable (inout WireReader) -> Void, onEnd: @escaping @Sendable (LinkError?) -> Void
    ) {
        state.withLock { $0.deliver = onFrame }
    }

    package func end() async -> WorkerEnd { await ending.get() }
    package func kill() { finish(WorkerEnd(cause: .removed)) }
    package func close() { kill() }

    /// Says nothing more, and cancels the bodies that run: what they come to is of no use to anybody.
    package func finish(_ how: WorkerEnd) {
        let (server, cluster) = state.withLock { state in
            state.deliver = nil
            defer { (state.server, state.cluster) = (nil, nil) }
            return (state.server, state.cluster)
        }
        server?.end()
        cluster?.leave()
        ending.fulfil(how)
    }

    // MARK: - What it is told

    package func send(_ bytes: RawSpan, _ blocks: [SharedArray<UInt8>]) throws(LinkError) {
        do {
            try hear(bytes, blocks)
        } catch {
            throw LinkError(code: .broken, "\(error)")
        }
    }

    /// Not inlined: see what `WholeValues.swift` says of task-local values.
    @inline(never)
    private func hear(_ bytes: RawSpan, _ blocks: [SharedArray<UInt8>]) throws(WireError) {
        var reader = WireReader(bytes, from: 0, blocks: blocks.span)
        let (server, cluster) = state.withLock { ($0.server, $0.cluster) }
        if let cluster { return try cluster.hear(&reader, asTold: server) }
        // What refers to something is for who runs bodies.
        if Message.hasNames(bytes) { return try server?.receive(&reader) ?? () }
        let peek = reader
        let message: Message = try reader.read()
        switch message {
        case .belong(let identity, let worker): belong(to: identity, as: worker)
        case .shutdown: kill()
        case .welcome, .heartbeat: break
        default:
            reader = peek
            try server?.receive(&reader)
        }
    }

    private func belong(to identity: UInt64, as id: Int) {
        let link = BackLink(self)
        let cluster = Cluster(
            identity, worker: WorkerID(id), driver: link, isAlone: false, onLeave: { [self] in kill() })
        let server = state.withLock { state in
            state.cluster = cluster
            return state.server
        }
        server?.belong(to: cluster)
    }

    /// The way back to who uses this as a link.
    private final class BackLink: Link {
        private let worker: InProcessWorker

        init(_ worker: InProcessWorker) { self.worker = worker }

        var lastHeard: Double { monotonicSeconds() }

        func start(
            onFrame: @escaping @Sendable (inout WireReader) -> Void, onEnd: @escaping @Sendable (LinkError?) -> Void
        ) {
            preconditionFailure("what comes this way is told to the worker")
        }

        func send(_ bytes: RawSpan, _ blocks: [SharedArray<UInt8>]) throws(LinkError) {
            guard let deliver = worker.state.withLock({ $0.deliver }) else { throw .closed }
            do {
                var reader = WireReader(bytes, from: 0, blocks: blocks.span)
                try deliver(&reader)
            } catch let error as LinkError {
                throw error
            } catch {
                throw LinkError(code: .broken, "\(error)")
            }
        }

        func close() { worker.kill() }
    }
}
