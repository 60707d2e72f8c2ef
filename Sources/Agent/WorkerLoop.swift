import CPlatform
import Glibc
import SharedMemoryLink
import Synchronization
import Transport
import Wire

/// What a worker does from its first `withCluster` on.
///
/// Three threads: one that hears the agent and runs synchronous bodies, one after the other, so that what it hears it can
/// begin at once; the poller's, which shows that this process is alive, whatever the bodies do, and hears the agent while
/// one runs; and Swift's pool, for asynchronous bodies.
package enum WorkerLoop {
    /// Whether this is a body, or a task that one started: there `withCluster` makes the worker a driver as well.
    @TaskLocal package static var isInBody = false

    private static let isRunning = Atomic(false)
    private static let session = Mutex<WorkerSession?>(nil)

    /// This worker's links to others of its host; `nil` in a process that is no worker.
    package static var neighbours: WorkerNeighbours? { session.withLock { $0?.neighbours } }

    /// Runs a job on the thread of this worker's synchronous bodies, after what that has to do already; returns at once.
    ///
    /// - Precondition: This process is a worker.
    package static func perform(_ job: @escaping @Sendable () -> Void) {
        guard let session = session.withLock({ $0 }) else {
            preconditionFailure("only a worker has a thread of its own for bodies")
        }
        session.perform(job)
    }

    /// Serves until the agent says stop or is gone; the process ends with it.
    ///
    /// Suspends rather than blocks, so that main-actor work of asynchronous bodies can run. Of several calls (a program
    /// that makes several clusters at the same time) one serves, and none returns.
    package static func run(link descriptor: CInt, as membership: any WorkerMembership) async -> Never {
        if !isRunning.exchange(true, ordering: .relaxed) { serve(link: descriptor, membership) }
        while true { await unsafe withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in } }
    }

    /// - Parameter link: The first of ``WorkerDescriptors``.
    private static func serve(link: CInt, _ membership: any WorkerMembership) {
        platform_flush_output()
        platform_buffer_output_by_line()
        let inherited = WorkerDescriptors(inheritedFrom: link)
        let parent = getppid()
        if platform_end_with_parent(parent) != 0 { endGroup() }
        SegmentArena.inherit(Descriptor(owning: inherited.arena))
        TopologyHandover.take(from: Descriptor(owning: inherited.topology))
        let segments = SegmentExchange(
            { () throws(SharedMemoryError) in try SegmentArena.shared },
            peer: Descriptor(owning: inherited.driversArena), isTrusted: true)
        do {
            let rings = try WorkerRings(joining: Descriptor(owning: inherited.rings), bell: inherited.bell)
            let session = WorkerSession(rings, segments, try WorkerNeighbours(inherited.socket), membership)
            self.session.withLock { $0 = session }
            session.start()
        } catch {
            endGroup(saying: "a worker can't reach its driver: \(error)")
        }
    }

    /// Ends this process and everything it started, because of something that the user should know.
    static func endGroup(saying reason: String) -> Never {
        let text = Array("muster: \(reason)\n".utf8)
        unsafe platform_print(STDERR_FILENO, text, text.count)
        platform_flush_output()
        endGroup()
    }

    /// Ends this process and everything it started.
    static func endGroup() -> Never {
        if getpgrp() == getpid() { kill(0, SIGKILL) }
        _exit(1)
    }
}
