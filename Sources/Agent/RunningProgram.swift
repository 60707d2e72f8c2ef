import CPlatform
import Glibc
package import Machine
package import SharedMemoryLink
import Synchronization
import Transport

/// A program that was started, and has to be collected when it has ended: by ``collect()`` or ``end()``, once.
package final class RunningProgram: Sendable {
    /// How a program ended.
    package enum End: Hashable, Sendable {
        case exited(status: Int32)
        case signalled(Int32)
        /// The exit status was not kept: this process ignores SIGCHLD.
        case unknown
    }

    /// The operating system's number of the process.
    package let process: Int32
    /// A descriptor that becomes readable when the program has ended.
    package let watch: Int32
    /// What could not be had for it, in words.
    package let warnings: [String]

    /// The memory policy that was set for it; `nil` if none was.
    package let memory: MemoryPolicy?
    /// What it was bound to the moment before it began; `nil` if the system does not tell.
    package let binding: Binding?

    private let group: ProgramLaunch.Group
    private let isCollected = Mutex(false)

    init(_ spawned: SpawnedProcess, _ group: ProgramLaunch.Group) {
        process = spawned.process
        watch = spawned.watch
        warnings = spawned.warnings
        memory = spawned.memory
        binding = spawned.binding
        self.group = group
    }

    deinit { close(watch) }

    /// Sends it a signal, and all it started if they have a group of their own.
    package func signal(_ number: Int32) {
        isCollected.withLock { isCollected in
            guard !isCollected else { return }  // the number may be another's by now
            kill(group == .shared ? process : -process, number)
        }
    }

    /// Waits for its end, holding up this thread; ends what it leaves in ``ProgramLaunch/Group/own``.
    package func collect() -> End {
        // Waits without collecting, so that the group can still be named when it is ended.
        var ready = pollfd(fd: watch, events: Int16(POLLIN), revents: 0)
        while unsafe poll(&ready, 1, -1) < 0 && errno == EINTR {}
        var ended = platform_exit()
        isCollected.withLock { isCollected in
            switch group {
            case .own: unsafe platform_collect(process, &ended)
            case .ownLeft, .shared: unsafe platform_wait(process, &ended)
            }
            isCollected = true
        }
        if ended.signal != 0 { return .signalled(ended.signal) }
        return ended.status >= 0 ? .exited(status: ended.status) : .unknown
    }

    /// Waits for its end like ``collect()`` without holding up a thread.
    package func end() async throws(SystemError) -> End {
        let hasEnded = Eventual<Void>()
        let token = try Poller.links.watch(watch, for: .readable) { _ in hasEnded.fulfil(()) }
        await hasEnded.get()
        Poller.links.remove(token, watch)
        return collect()
    }
}

extension RunningProgram.End: CustomStringConvertible {
    /// What happened, as the end of a sentence about the program.
    package var description: String {
        switch self {
        case .exited(let status): "exited with \(status)"
        case .signalled(let signal): "was ended by signal \(signal) (\(unsafe String(cString: strsignal(signal))))"
        case .unknown: "ended in a way that was not kept"
        }
    }
}
