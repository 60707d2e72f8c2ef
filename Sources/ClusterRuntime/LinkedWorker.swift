import Dispatch
public import Placement
public import Remote
import Synchronization
public import Transport
public import Wire

/// A worker at the other end of a link, whatever the link is: what a manager of one's own hands to the cluster.
///
/// The other end is served by ``Remote/Worker/serve(over:)``.
///
/// ```swift
/// func launch(_ site: LaunchSite) async throws {
///     let link = try await connectSomehow()                       // any Link
///     try await site.add(try await LinkedWorker.greeted(over: link))
/// }
/// ```
public final class LinkedWorker: LaunchedWorker {
    /// What a manager says of a worker, beside what the worker says itself.
    public struct Details: Sendable {
        /// Where it was put; `nil` if that was left to the kernel.
        public var placement: PlacementPlan.Worker?
        /// Its name in a topology of the manager's own, see ``ClusterTopology/custom``.
        public var identity: String?
        /// The names of the workers that it is connected to in such a topology.
        public var connectsTo: [String]
        /// What could not be had for it, in words.
        public var warnings: [String]
        /// What only the manager knows, and nobody else looks at: a job's number, a process.
        public var userData: (any Sendable)?
        /// When whoever lent its host ends it; `nil` if nobody does.
        public var end: ContinuousClock.Instant?
        /// Ends its process, when it is to end at once; the link is closed anyway. Nothing unless told.
        public var kill: (@Sendable () -> Void)?

        /// Collects them.
        public init(
            placement: PlacementPlan.Worker? = nil, identity: String? = nil, connectsTo: [String] = [],
            warnings: [String] = [], userData: (any Sendable)? = nil, end: ContinuousClock.Instant? = nil,
            kill: (@Sendable () -> Void)? = nil
        ) {
            self.placement = placement
            self.identity = identity
            self.connectsTo = connectsTo
            self.warnings = warnings
            self.userData = userData
            self.end = end
            self.kill = kill
        }
    }

    private struct State {
        var receive: (@Sendable (inout WireReader) -> Void)?
        var linkEnded: (@Sendable (LinkError?) -> Void)?
        /// Set when the link has ended, with the reason if there is one.
        var linkEnd: LinkError??
        var monitor: HeartbeatMonitor?
        var isLeaving = false
    }

    /// The link to it.
    public let link: any Link
    /// What its manager says of it.
    public let details: Details
    private let greeting = Eventual<Result<Hello, LinkError>>()
    private let ended = Eventual<WorkerEnd>()
    private let state = Mutex(State())
    /// Where its silence is measured, away from the threads that bodies may hold up.
    private let clock = DispatchQueue(label: "muster-linked-worker")

    private init(_ link: any Link, _ details: Details) {
        self.link = link
        self.details = details
    }

    /// Starts a link and waits for the worker at its other end to say what it is.
    ///
    /// - Parameters:
    ///   - link: Not started yet. It is closed if this throws.
    ///   - limit: How long that may take; a minute unless told.
    ///   - details: What the manager says of the worker.
    /// - Throws: ``LinkError`` if the link ends before, the time is over, or there is something else at its other end: another
    ///   program, or another build of this one; `CancellationError` if this task was cancelled.
    public static func greeted(
        over link: any Link, within limit: Duration = .seconds(60), _ details: Details = Details()
    ) async throws -> LinkedWorker {
        let worker = LinkedWorker(link, details)
        worker.start()
        let timer = Task {
            try await Task.sleep(for: limit)
            worker.greeting.fulfil(
                .failure(LinkError(code: .broken, "no worker has greeted over the link within \(limit)")))
        }
        defer { timer.cancel() }
        let greeting = await withTaskCancellationHandler {
            await worker.greeting.get()
        } onCancel: {
            worker.greeting.fulfil(.failure(.closed))
        }
        do {
            try Task.checkCancellation()
            try worker.check(try greeting.get())
        } catch {
            worker.kill()
            throw error
        }
        return worker
    }

    private func check(_ hello: Hello) throws(LinkError) {
        guard hello.buildID == BuildID.current.bytes else {
            let other = hello.buildID.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
            throw LinkError(
                code: .broken,
                """
                the worker on \(hello.host) is another build of this program: \(other), and this one is \
                \(BuildID.current); start the same executable there
                """)
        }
    }

    private func start() {
        link.start { [self] frame in
            if let receive = state.withLock({ $0.receive }) { receive(&frame) } else { greet(&frame) }
        } onEnd: { [self] error in
            finish(error)
        }
    }

    private func greet(_ frame: inout WireReader) {
        do {
            let message: Message = try frame.read()
            guard case .hello(let hello) = message else {
                throw WireError(code: .invalidTag, offset: 0, detail: "the first message is no greeting")
            }
            greeting.fulfil(.success(hello))
        } catch {
            greeting.fulfil(.failure(LinkError(code: .broken, "what is at the other end is no worker: \(error)")))
        }
    }

    private var hello: Hello? {
        if case .success(let hello) = greeting.value { hello } else { nil }
    }

    // MARK: - What it is

    /// Name of its host, as it says.
    public var host: String { hello?.host ?? "unknown" }
    /// Its host's number of the process, as it says.
    public var process: Int { hello?.process ?? 0 }
    /// Where its manager put it.
    public var placement: PlacementPlan.Worker? { details.placement }
    /// The CPUs that it may run on, as it says; `nil` if it says nothing of that.
    public var cpus: CPUSet? { hello.flatMap { $0.cpus.isEmpty ? nil : CPUSet($0.cpus) } }
    /// Its memory policy, as it says.
    public var memory: String? { hello?.memory }
    /// As its manager says.
    public var identity: String? { details.identity }
    /// As its manager says.
    public var connectsTo: [String] { details.connectsTo }
    /// As its manager says.
    public var warnings: [String] { details.warnings }
    /// How long it is until it is ended, as its manager says.
    public var remainingTime: Duration? { details.end.map { ContinuousClock.now.duration(to: $0) } }

    // MARK: - Serving

    /// Tells it its number, and watches from then on that it is heard.
    public func adopt(
        as id: WorkerID, heartbeatLimit: Duration, onFrame: @escaping @Sendable (inout WireReader) -> Void,
        onEnd: @escaping @Sendable (LinkError?) -> Void
    ) async {
        let limit = heartbeatLimit.seconds
        let linkEnd = state.withLock { state in
            state.monitor = HeartbeatMonitor(limit: limit, now: monotonicSeconds())
            if state.linkEnd == nil { (state.receive, state.linkEnded) = (onFrame, onEnd) }
            return state.linkEnd
        }
        if let linkEnd { return onEnd(linkEnd) }
        // A link that has just ended refuses this, and tells of its end.
        try? link.send(.welcome(Welcome(worker: id.rawValue, heartbeatSeconds: min(3, limit / 4))))
        look()
    }

    private func look() {
        let heard = link.lastHeard
        let (silence, next) = state.withLock { state -> (Double?, Double?) in
            guard state.linkEnd == nil else { return (nil, nil) }
            return (state.monitor?.look(now: monotonicSeconds(), heard: heard), state.monitor?.interval)
        }
        if let silence {
            end(.silent(seconds: silence))
        } else if let next {
            clock.asyncAfter(deadline: .now() + next) { [self] in look() }
        }
    }

    // MARK: - Ending

    /// It is about to be removed: that its link ends is in order then.
    public func willLeave() { state.withLock { $0.isLeaving = true } }

    /// Waits until its link has ended.
    public func end() async -> WorkerEnd { await ended.get() }

    /// Closes its link, and has its process ended if its manager said how.
    public func kill() { end(.removed) }

    private func end(_ cause: WorkerEnd.Cause) {
        ended.fulfil(WorkerEnd(cause: cause))
        link.close()
        details.kill?()
        finish(nil)
    }

    private func finish(_ error: LinkError?) {
        let (linkEnded, isLeaving) = state.withLock { state in
            if state.linkEnd == nil { state.linkEnd = .some(error) }
            state.receive = nil  // it holds this worker
            return (state.linkEnded.take(), state.isLeaving)
        }
        let cause: WorkerEnd.Cause =
            if let error { .lost(error.description) } else if isLeaving { .removed } else { .lost("it ended its link") }
        ended.fulfil(WorkerEnd(cause: cause))
        greeting.fulfil(
            .failure(error ?? LinkError(code: .closed, "the link was closed before a worker greeted over it")))
        linkEnded?(error)
    }
}
