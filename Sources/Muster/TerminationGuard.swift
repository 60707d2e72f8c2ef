import Agent
import ClusterRuntime
import SharedMemoryLink

/// Leaves `withCluster` in an orderly way when the process is told to end.
struct TerminationGuard {
    /// Seconds that the body has to return after its task was cancelled.
    private static let grace = 5.0

    /// The task that called `withCluster`.
    ///
    /// `@unchecked`: cancelling is allowed from any thread as long as the task runs.
    @safe
    private struct CallingTask: @unchecked Sendable {
        let task: UnsafeCurrentTask?

        // SAFETY: called only between the guard's creation and its end, both of which the task itself runs.
        func cancel() { unsafe task?.cancel() }
    }

    private let watcher: Int

    /// Watches for signals until ``end()``.
    init(_ cluster: Cluster) throws {
        let calling = unsafe withUnsafeCurrentTask { unsafe CallingTask(task: $0) }
        watcher = try Termination.watch { signal in
            calling.cancel()
            Poller.links.after(seconds: TerminationGuard.grace) {
                cluster.killAll()
                Termination.end(by: signal)
            }
        }
    }

    /// The workers have ended; if a signal asked for that, the process ends now.
    func end() {
        Termination.endWatch(watcher)
    }
}
