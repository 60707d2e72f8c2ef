import CPlatform
import Glibc
import Machine
import Remote
import SharedMemoryLink
import Synchronization
package import Transport
package import Wire

/// One worker of this host: the process, its link, its output, and its end.
package final class WorkerProcess: Sendable {
    /// The operating system's number of the process.
    package let process: Int32
    /// The link, from the worker's `welcome` on.
    package let link: any Link
    /// How it ended; fulfilled once, after its last output was printed.
    package let end = Eventual<WorkerEnd>()
    /// What could not be had for it, in words.
    package let warnings: [String]
    /// The memory policy that was set for it; `nil` if none was.
    let memory: MemoryPolicy?

    private enum Greeting {
        case hello(Hello)
        case failed(String)
    }

    private struct State {
        var cause: WorkerEnd.Cause?
        var isWatched = true
        var watchToken: Poller.Token?
        var monitor: HeartbeatMonitor?
        var isAdopted = false
        var deadlines: [Poller.Token] = []
        var receive: (@Sendable (inout WireReader) -> Void)?
        var linkEnded: (@Sendable (LinkError?) -> Void)?
        /// Set when the link has ended, with the reason if there is one.
        var linkEnd: LinkError??
    }

    /// Seconds from the end of a worker's link to when its process must have ended.
    private static let linkGrace = 2.0

    /// Most bytes that a worker's results may take at a time; its addresses are taken in the driver too.
    private static let largestArena = 1 << 36

    private let state = Mutex(State())
    private let greeting = Eventual<Greeting>()
    private let output: WorkerOutput
    private let watch: CInt

    private init(_ spawned: SpawnedProcess, link: any Link, output: WorkerOutput) {
        process = spawned.process
        watch = spawned.watch
        warnings = spawned.warnings
        memory = spawned.memory
        self.link = link
        self.output = output
    }

    // MARK: - Starting

    /// Starts a worker and waits until it has reached its first `withCluster`.
    ///
    /// - Parameter startLimit: Seconds until it counts as failed.
    /// - Throws: ``WorkerStartError`` with what it printed.
    static func start(
        _ launch: WorkerLaunch, startLimit: Double, output: @escaping WorkerOutput.Sink = WorkerOutput.print
    ) async throws -> (WorkerProcess, Hello) {
        let worker = try await spawn(launch, output)
        let deadline = Poller.links.after(seconds: startLimit) {
            worker.greeting.fulfil(
                .failed(
                    "did not reach withCluster within \(Int(startLimit)) s; raise the start limit if it needs longer"))
        }
        defer { Poller.links.cancel(deadline) }
        let greeting = await withTaskCancellationHandler {
            await worker.greeting.get()
        } onCancel: {
            worker.greeting.fulfil(.failed("was not waited for: the task was cancelled"))
        }
        switch greeting {
        case .hello(let hello):
            return (worker, hello)
        case .failed(let reason):
            worker.kill()
            let end = await worker.end.get()
            try Task.checkCancellation()
            throw WorkerStartError(
                process: Int(worker.process), reason: reason, output: end.standardErrorTail)
        }
    }

    /// Starts the process, on the spawner's thread: of many workers one at a time holds the ends meant for it.
    private static func spawn(
        _ launch: WorkerLaunch, _ output: @escaping WorkerOutput.Sink
    ) async throws -> WorkerProcess {
        try await withCheckedContinuation { continuation in
            Spawner.shared.perform { continuation.resume(returning: Result { try spawnHere(launch, output) }) }
        }.get()
    }

    private static func spawnHere(
        _ launch: WorkerLaunch, _ sink: @escaping WorkerOutput.Sink
    ) throws -> WorkerProcess {
        let sockets = try DescriptorPair.messageSockets()
        let output = try DescriptorPair.pipe()
        let error = try DescriptorPair.pipe()
        let nothing = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
        guard nothing >= 0 else { throw SystemError("open /dev/null", errno: errno) }
        defer { close(nothing) }
        let rings = try WorkerRings()
        let memory = rings.takeDescriptor()
        let arena = try SegmentArena.shared
        let ours = try arena.memory.readOnlyDescriptor()
        let arenaOfWorker = try SegmentArena.makeMemory(limit: min(arena.limit, WorkerProcess.largestArena))
        let reading = try arenaOfWorker.readOnlyDescriptor()
        let theirs = arenaOfWorker.takeDescriptor()
        let inherited = WorkerDescriptors(
            socket: sockets.far.number, rings: memory.number, bell: Poller.links.bell, driversArena: ours.number,
            arena: theirs.number, topology: TopologyHandover.ofThisHost() ?? nothing)
        var spawned = try Spawner.start(
            launch, descriptors: [nothing, output.far.number, error.far.number] + inherited.list, link: 3)
        spawned.watch = OpenFiles.moved(Descriptor(owning: spawned.watch)).release()
        let segments = SegmentExchange(
            { () throws(SharedMemoryError) in arena }, peer: OpenFiles.moved(reading), placing: .ofThisHost)
        let desk = NeighbourDesk()
        let link = RingLink(rings, segments, listener: desk, owning: OpenFiles.moved(sockets.takeNear()))
        desk.open(for: spawned.process, link)
        let worker = WorkerProcess(
            spawned, link: link,
            output: WorkerOutput(
                output: OpenFiles.moved(output.takeNear()), error: OpenFiles.moved(error.takeNear()), to: sink))
        worker.begin()
        return worker
    }

    private func begin() {
        link.start { [self] frame in
            if let receive = state.withLock({ $0.receive }) { receive(&frame) } else { greet(&frame) }
        } onEnd: { [self] error in
            let linkEnded = state.withLock { state in
                state.linkEnd = .some(error)
                state.receive = nil  // it holds this worker
                return state.linkEnded.take()
            }
            linkEnded?(error)
            // The process should be at its end, which says more; if it goes on, it can't be reached any more.
            after(seconds: WorkerProcess.linkGrace) { [self] in
                greeting.fulfil(.failed("closed its link, and went on running"))
                if state.withLock({ $0.isAdopted }) { kill(because: .lost("it closed its link, and went on running")) }
            }
        }
        do {
            let token = try Poller.links.watch(watch, for: .readable) { [self] _ in processEnded() }
            let isWatched = state.withLock { state in
                state.watchToken = token
                return state.isWatched
            }
            if !isWatched { Poller.links.remove(token, watch) }
        } catch {
            greeting.fulfil(.failed("could not be watched: \(error)"))
            collect()
        }
    }

    private func greet(_ frame: inout WireReader) {
        do {
            let message: Message = try frame.read()
            guard case .hello(let hello) = message else {
                throw WireError(code: .invalidTag, offset: 0, detail: "the first message is no greeting")
            }
            greeting.fulfil(.hello(hello))
        } catch {
            greeting.fulfil(.failed("is another program: \(error)"))
        }
    }

    // MARK: - Serving

    /// Hands the worker over to the cluster under its number.
    ///
    /// - Parameters:
    ///   - heartbeatLimit: Seconds of silence after which it is killed.
    ///   - onFrame: Takes every frame from now on; heartbeats too, which say nothing.
    ///   - onEnd: Called when the link has ended.
    package func adopt(
        as id: Int, heartbeatLimit: Double, onFrame: @escaping @Sendable (inout WireReader) -> Void,
        onEnd: @escaping @Sendable (LinkError?) -> Void
    ) async {
        await withCheckedContinuation { continuation in
            output.goLive(as: id) { continuation.resume() }
        }
        let linkEnd = state.withLock { state in
            state.isAdopted = true
            NeighbourDesk.name(process, id)
            state.monitor = HeartbeatMonitor(limit: heartbeatLimit, now: monotonicSeconds())
            if state.linkEnd == nil {
                state.receive = onFrame
                state.linkEnded = onEnd
            }
            return state.linkEnd
        }
        if let linkEnd { return onEnd(linkEnd) }
        let welcome = Welcome(worker: id, heartbeatSeconds: min(3, heartbeatLimit / 4))
        // A link that has just ended refuses this, and calls `onEnd`.
        try? link.send(.welcome(welcome))
        look()
    }

    private func look() {
        let now = monotonicSeconds()
        let (silence, next) = state.withLock { state -> (Double?, Double?) in
            guard state.isWatched, let silence = state.monitor?.look(now: now, heard: link.lastHeard) else {
                return (nil, state.isWatched ? state.monitor?.interval : nil)
            }
            return (silence, nil)
        }
        if let silence {
            kill(because: .silent(seconds: silence))
        } else if let next {
            after(seconds: next) { [self] in look() }
        }
    }

    /// Calls `action` later, unless the process has ended by then: it keeps this worker, and its descriptors.
    private func after(seconds: Double, _ action: @escaping @Sendable () -> Void) {
        state.withLock { state in
            guard state.isWatched else { return }
            state.deadlines.append(Poller.links.after(seconds: seconds, action))
            // Those that have passed are cancelled in vain.
            if state.deadlines.count > 4 { state.deadlines.removeFirst() }
        }
    }

    // MARK: - Ending

    /// Ends the worker and all it started, at once; ``end`` tells when that is done.
    package func kill(because cause: WorkerEnd.Cause = .removed) {
        state.withLock { state in
            guard state.isWatched else { return }  // collected: the number may be another's by now
            if state.cause == nil { state.cause = cause }
            Glibc.kill(-process, SIGKILL)
        }
    }

    private func processEnded() {
        // The poller may still hold an event of the closed pidfd: collect once.
        guard state.withLock({ state in state.isWatched }) else { return }
        collect()
    }

    deinit { close(watch) }

    private func collect() {
        NeighbourDesk.close(process)
        var ended = platform_exit()
        let (cause, token, deadlines) = state.withLock { state in
            state.isWatched = false
            unsafe platform_collect(process, &ended)
            return (state.cause, state.watchToken.take(), state.deadlines)
        }
        for deadline in deadlines { Poller.links.cancel(deadline) }
        if let token { Poller.links.remove(token, watch) }
        let found: WorkerEnd.Cause =
            if ended.signal != 0 {
                .signalled(ended.signal)
            } else if ended.status >= 0 {
                .exited(status: ended.status)
            } else {
                .lost(
                    "its exit status was not kept, because this program ignores SIGCHLD or waits for any child; leave both"
                )
            }
        greeting.fulfil(.failed("\(WorkerEnd(cause: found).causeInWords) before its first withCluster"))
        output.finish { [self] output, error in
            link.close()
            // Before it joined, what it printed is all there is to explain it.
            let isStranger = state.withLock { !$0.isAdopted }
            end.fulfil(
                WorkerEnd(cause: cause ?? found, standardErrorTail: isStranger ? output + error : error))
        }
    }
}

extension WorkerStartError {
    /// What `withCluster` throws in a ``Role/stray`` process.
    package static var stray: WorkerStartError {
        WorkerStartError(
            process: Int(getpid()),
            reason: """
                was not started by the driver itself: a script that is to start a worker ends with \
                `exec program "$@"`, and a program can't start itself, or a copy of itself by fork, before its first \
                withCluster
                """,
            output: "")
    }
}

/// A worker did not come up.
public struct WorkerStartError: Error, Sendable, CustomStringConvertible {
    /// The operating system's number of the process.
    public let process: Int
    /// What went wrong.
    public let reason: String
    /// What it printed before.
    public let output: String

    /// What went wrong, and the output.
    public var description: String {
        let text = "worker process \(process) \(reason)"
        return output.isEmpty ? text : "\(text); it printed:\n\(output)"
    }
}
