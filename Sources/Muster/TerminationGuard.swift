import Agent
import ClusterRuntime
import SharedMemoryLink
import Synchronization

/// Leaves `withCluster` in an orderly way when the process is told to end.
struct TerminationGuard {
    /// Seconds that the body has to return after its task was cancelled.
    private static let grace = 5.0

    /// The task that called `withCluster`, until it leaves it.
    private final class CallingTask: Sendable {
        /// `@unchecked`: cancelling is allowed from any thread as long as the task runs.
        @safe
        private struct Handle: @unchecked Sendable {
            let task: UnsafeCurrentTask?
        }

        private let handle: Mutex<Handle>

        init() {
            handle = Mutex(unsafe withUnsafeCurrentTask { unsafe Handle(task: $0) })
        }

        // SAFETY: the task waits in `leave` while it is cancelled, and is not known any more after that.
        func cancel() { handle.withLock { unsafe $0.task?.cancel() } }

        /// Called by the task itself.
        func leave() { handle.withLock { unsafe $0 = Handle(task: nil) } }
    }

    private let calling = CallingTask()
    private let watcher: Int

    /// Watches for signals until ``end()``.
    init(_ cluster: Cluster) throws {
        watcher = try Termination.watch { [calling] signal in
            Termination.after(seconds: TerminationGuard.grace) {
                cluster.killAll()
                removeSecrets()
                Termination.end(by: signal)
            }
            // Elsewhere: cancelling runs what the program has to do then, and may resume tasks.
            Poller.links.perform { calling.cancel() }
        }
    }

    /// The workers have ended; if a signal asked for that, the process ends now.
    func end() {
        calling.leave()
        Termination.endWatch(watcher)
    }
}

#if Network
    import TCPLink

    /// No file with a key outlives this process.
    private func removeSecrets() { KeptJoinFiles.removeAll() }
#else
    private func removeSecrets() {}
#endif
