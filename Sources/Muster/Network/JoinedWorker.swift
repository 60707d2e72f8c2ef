#if Network
    import Agent
    import ClusterRuntime
    import Machine
    public import Remote
    import Synchronization
    import TCPLink
    import Transport
    import Wire

    extension Worker {
        /// Makes this running program a worker of a driver, beside what it does anyway.
        ///
        /// ```swift
        /// let joined = try await Worker.join("/run/user/1000/muster/join-4711-9009")
        /// …                           // the program goes on; bodies run beside it
        /// await joined.leave()
        /// ```
        ///
        /// Bodies run in this process, on its threads, with its globals: one synchronous body at a time. A body that traps
        /// takes the program along; what bodies print is the program's output. In a body `Worker.id` is the number that
        /// the driver gave. The end of the driver ends the handle, and not the program. A program may join several drivers.
        ///
        /// - Parameters:
        ///   - path: The driver's join file. The driver must run the same executable.
        ///   - timeout: How long to try; what `MUSTER_WORKER_TIMEOUT` says unless told, or a minute.
        /// - Returns: When the driver has taken it in.
        /// - Throws: Why it could not join; `LaunchError` for a time limit that is none.
        public static func join(_ path: String, timeout: Duration? = nil) async throws -> JoinedWorker {
            let patience = try StartLimit.seconds(timeout)
            var options = Dialer.Options()
            options.patience = .seconds(patience)
            let file = try JoinFile.read(.file(path))
            guard file.direction == .dial else {
                throw LaunchError(
                    "\(path) is for an agent that listens for its driver, which a running program does not")
            }
            let link = try await Dialer.join(file, buildID: BuildID.current.bytes, options: options)
            return try await JoinedWorker.make(link, limit: patience)
        }
    }

    /// A running program that has joined a driver as a worker, see `Worker.join(_:timeout:)`.
    public final class JoinedWorker: Sendable {
        /// How a program ceased to be a worker.
        public enum Ending: Hashable, Sendable {
            /// It left.
            case left
            /// The driver needs it no more.
            case dismissed
            /// The driver is gone or out of reach, and why.
            case lost(String)
        }

        /// Its number in the driver's cluster.
        public let id: WorkerID
        private let session: HostSession
        private let worker: GuestWorker

        private init(id: WorkerID, _ session: HostSession, _ worker: GuestWorker) {
            self.id = id
            self.session = session
            self.worker = worker
        }

        fileprivate static func make(_ link: TCPLink, limit: Double) async throws -> JoinedWorker {
            var offer = HostRequest(.unbound(count: 1))
            offer.keepsOutput = true
            let worker = GuestWorker()
            let session = HostSession(
                link, Guests(worker), .ofThisProcess(offer: offer), network: TLSPeers(link.localAddress))
            let outcome = Eventual<Result<WorkerID, LaunchError>>()
            worker.adopted.whenHere { outcome.fulfil(.success($0)) }
            session.end.whenHere {
                outcome.fulfil(.failure(LaunchError("the driver did not take this process: \($0)")))
            }
            let deadline = Task {
                try await Task.sleep(for: .seconds(limit))
                outcome.fulfil(.failure(LaunchError("the driver did not take this process within \(limit) s")))
                link.close()
            }
            defer { deadline.cancel() }
            session.start()
            return JoinedWorker(id: try await outcome.get().get(), session, worker)
        }

        /// Stops working for the driver, and waits until that is so.
        ///
        /// Bodies that run are cancelled, as tasks are; what they come to does not count, and maps have it done by others.
        public func leave() async {
            worker.leave()
            _ = await session.end.get()
        }

        /// How it ended; `nil` as long as it has not.
        public var ending: Ending? { session.end.value.map(ending) }

        /// Waits until it has ended, and tells how.
        public func end() async -> Ending { ending(await session.end.get()) }

        private func ending(_ end: HostSessionEnd) -> Ending {
            if worker.hasLeft { return .left }
            return switch end {
            case .dismissed: .dismissed
            case .left: .left
            case .lost(let reason), .useless(let reason): .lost(reason)
            }
        }
    }

    /// The one worker that a running program brings.
    private final class GuestWorker: HostedWorker {
        let adopted = Eventual<WorkerID>()
        private let worker = InProcessWorker()
        private let isLeaving = Atomic(false)

        var link: any Link { worker }
        var hasLeft: Bool { isLeaving.load(ordering: .relaxed) }

        var description: WorkerDescription {
            WorkerDescription(
                hello: Hello(
                    process: processID(), host: hostName(), buildID: BuildID.current.bytes, cpus: [], memory: nil),
                placement: nil, warnings: [])
        }

        func adopt(
            as id: Int, heartbeatLimit: Double, onFrame: @escaping @Sendable (inout WireReader) -> Void,
            onEnd: @escaping @Sendable (LinkError?) -> Void
        ) async {
            let id = WorkerID(id)
            await worker.adopt(as: id, heartbeatLimit: .seconds(heartbeatLimit), onFrame: onFrame, onEnd: onEnd)
            adopted.fulfil(id)
        }

        func leave() {
            isLeaving.store(true, ordering: .relaxed)
            worker.finish(WorkerEnd(cause: .lost("it left")))
        }

        func end() async -> WorkerEnd { await worker.end() }
        func kill(because cause: WorkerEnd.Cause) { worker.kill() }
        func again() async throws -> (any HostedWorker)? { nil }
        func leavePlace() async {}
    }

    /// Where a session has it from, whatever the driver asks for.
    private struct Guests: WorkerSource {
        private let worker: GuestWorker

        init(_ worker: GuestWorker) { self.worker = worker }

        func start(
            _ request: HostRequest,
            output: @escaping @Sendable (_ line: [UInt8], _ worker: Int, _ stream: CInt) -> Void,
            note: @escaping @Sendable (String) -> Void, ready: @Sendable (any HostedWorker) async throws -> Void
        ) async throws {
            try await ready(worker)
        }
    }
#endif
