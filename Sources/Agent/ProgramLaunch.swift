import CPlatform
import Glibc
package import Machine
package import Placement

/// How to start a program that is no worker: a command of the user's.
package struct ProgramLaunch: Sendable {
    /// Which process group it is in.
    package enum Group: Sendable {
        /// One of its own, with all that it starts.
        case own
        /// That of this process: what ends the group ends it too.
        case shared
    }

    /// Path of the program.
    package var executable: String
    /// Its arguments, the first of which is its name. They need not be UTF-8.
    package var arguments: [[UInt8]]
    /// Variables to set besides those of this process.
    package var environment: [String: String] = [:]
    /// Number n becomes the program's descriptor n; owned by the caller until it has started.
    package var descriptors: [CInt]
    /// Its process group; one of its own unless told.
    package var group = Group.own
    /// Where it runs; `nil` to leave that to the kernel.
    package var placement: PlacementPlan.Worker?
    /// Where its memory comes from; `nil` for what this process has.
    package var memory: MemoryPolicy?

    /// Names a program.
    package init(executable: String, arguments: [[UInt8]], descriptors: [CInt]) {
        self.executable = executable
        self.arguments = arguments
        self.descriptors = descriptors
    }

    /// Starts it from this thread, which must live as long as the program shall, and on whose CPUs it runs.
    package func start() throws(SpawnError) -> RunningProgram {
        RunningProgram(try startHere(), group)
    }

    /// Starts it in its place.
    package func startInPlace() async throws -> RunningProgram {
        let spawned = try await withCheckedContinuation { continuation in
            Spawner.shared.spawn(self) { continuation.resume(returning: $0) }
        }.get()
        return RunningProgram(spawned, group)
    }

    func startHere() throws(SpawnError) -> SpawnedProcess {
        var words = CStringList()
        for argument in arguments { words.append(argument) }
        let environment = CStringList.environment(adding: environment)
        do throws(SpawnFailure) {
            return try Spawner.start(
                executable, words, environment, directory: nil, descriptors: descriptors,
                group: group == .own ? 0 : getpgrp())
        } catch {
            throw SpawnError(description: "cannot run \(executable): \(error.reason)")
        }
    }
}

/// A program that was started and has to be collected.
package struct RunningProgram: Sendable {
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

    private let group: ProgramLaunch.Group

    init(_ spawned: SpawnedProcess, _ group: ProgramLaunch.Group) {
        process = spawned.process
        watch = spawned.watch
        warnings = spawned.warnings
        self.group = group
    }

    /// Waits for its end, and ends what it leaves in a group of its own; called once.
    package func collect() -> End {
        // Waits without collecting, so that the group can still be named when it is ended.
        var ready = pollfd(fd: watch, events: Int16(POLLIN), revents: 0)
        while unsafe poll(&ready, 1, -1) < 0 && errno == EINTR {}
        var ended = platform_exit()
        switch group {
        case .own: unsafe platform_collect(process, &ended)
        case .shared: unsafe platform_wait(process, &ended)
        }
        close(watch)
        if ended.signal != 0 { return .signalled(ended.signal) }
        return ended.status >= 0 ? .exited(status: ended.status) : .unknown
    }
}
