#if Network
    import Agent
    import CPlatform
    import Glibc
    import Machine
    import Placement
    import Remote
    import SharedMemoryLink
    import Synchronization
    import TCPLink
    import Transport

    /// What a process does from its first `withCluster` on, if it is the agent of a host.
    enum AgentProcess {
        private static let isRunning = Atomic(false)
        /// Seconds to say goodbye, once a signal has asked for the end.
        private static let grace = 2.0

        /// Joins the driver and runs workers for it; the process ends when the driver needs it no more, or is gone.
        ///
        /// Of several calls (a program that makes several clusters at the same time) one serves, and none returns.
        ///
        /// - Parameter offer: The workers that it would have; what the environment says unless told.
        static func run(_ source: JoinSource, offer: HostRequest? = nil) async -> Never {
            if !isRunning.exchange(true, ordering: .relaxed) { await serve(source, offer) }
            while true { await unsafe withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in } }
        }

        private static func serve(_ source: JoinSource, _ offer: HostRequest?) async {
            platform_flush_output()
            do {
                // First: a mistake in what it would bring is not to use up a join.
                let offer = try offer ?? HostRequest.fromEnvironment()
                // Before there is a session too: the first process of a container is not ended by a signal that it does not watch for.
                let joined = Eventual<HostSession>()
                let watcher = try Termination.watch { signal in
                    Termination.after(seconds: grace) { Termination.end(by: signal) }
                    // Elsewhere: this thread must be able to end the process.
                    Poller.links.perform {
                        if let session = joined.value { session.leave() } else { Termination.end(by: signal) }
                    }
                }
                let link = try await join(source)
                let session = HostSession(
                    link, ProcessWorkers(), HostDescription.ofThisProcess(offer: offer, joining: source),
                    network: TLSPeers(link.localAddress))
                joined.fulfil(session)
                session.start()
                switch await session.end.get() {
                case .dismissed: end(0)
                case .useless(let reason): fail("no workers could be started: \(reason)")
                case .left:
                    // Ends the process as the signal would have.
                    Termination.endWatch(watcher)
                    end(0)
                case .lost(let reason): fail("\(reason); the workers of this host have been ended")
                }
            } catch {
                fail("can't join the driver: \(error)")
            }
        }

        private static func join(_ source: JoinSource) async throws -> TCPLink {
            let patience = try StartLimit.seconds()
            let file = try JoinFile.read(source)
            if file.direction == .listen {
                var options = Listener.Options()
                options.links.maker = HostBlocks(fallback: HeapBlocks())
                options.log = { Printer.notice($0) }
                return try await Listener.awaitDriver(file, buildID: BuildID.current.bytes, options: options) { port in
                    // For whoever started this process, and has to tell the driver.
                    print("\(ListeningLine.mark)\(port)")
                    platform_flush_output()
                }.link
            }
            var options = Dialer.Options()
            options.patience = .seconds(patience)
            // All workers of the host map what arrives.
            options.links.maker = HostBlocks(fallback: HeapBlocks())
            let link = try await Dialer.join(file, buildID: BuildID.current.bytes, options: options)
            // Who was called up from afar has nobody who reads this.
            if case .file = source { notice("joined the driver at port \(file.port); Ctrl-C leaves") }
            return link
        }

        private static func fail(_ reason: String) -> Never {
            notice(reason)
            end(1)
        }

        private static func end(_ status: CInt) -> Never {
            platform_flush_output()
            _exit(status)
        }
    }

    extension HostRequest {
        /// Name of the environment variable that says how many workers a process brings that joins.
        private static let variable = "MUSTER_WORKERS"

        /// What the user has told this process by its environment; `nil` if nothing.
        fileprivate static func fromEnvironment() throws -> HostRequest? {
            guard let text = unsafe getenv(variable) else { return nil }
            let words = unsafe String(cString: text)
            guard let count = Int(words), (1...PlacementRequest.largestWorkerCount).contains(count) else {
                throw LaunchError("\(variable) is \"\(words)\", which is no number of workers")
            }
            return .ofHost(workers: count)
        }
    }

    extension HostDescription {
        static func ofThisProcess(offer: HostRequest?, joining source: JoinSource? = nil) -> HostDescription {
            HostDescription(
                host: hostName(), process: processID(), usableCPUCount: inheritedAffinity.count, offer: offer,
                secondsLeft: JobEnd.secondsLeft(
                    unsafe getenv(JobEnd.variable).map { unsafe String(cString: $0) }, now: Double(time(nil)),
                    start: source?.start))
        }
    }

    extension JoinSource {
        /// When the system put a secret there, in seconds since 1970: as it begins with the container; `nil` for others.
        fileprivate var start: Double? {
            var state = stat()
            guard case .secret(let path) = self, unsafe stat(path, &state) == 0 else { return nil }
            return Double(state.st_mtim.tv_sec)
        }
    }
#endif
