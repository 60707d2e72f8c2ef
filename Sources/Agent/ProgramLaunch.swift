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
        /// One of its own; what it leaves there when it ends by itself goes on.
        case ownLeft
        /// That of this process: what ends the group ends it too.
        case shared
    }

    /// Path of the program; it need not be UTF-8.
    package var executable: [UInt8]
    /// Its arguments, the first of which is its name. They need not be UTF-8.
    package var arguments: [[UInt8]]
    /// Variables to set besides those of this process.
    package var environment: [String: String] = [:]
    /// Number n becomes the program's descriptor n; owned by the caller until it has started.
    package var descriptors: [CInt] = [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO]
    /// Its process group; one of its own unless told.
    package var group = Group.own
    /// Whether it goes on when this process has ended.
    package var outlivesThisProcess = false
    /// Where it runs; `nil` to leave that to the kernel.
    package var placement: PlacementPlan.Worker?
    /// Where its memory comes from; `nil` for what this process has.
    package var memory: MemoryPolicy?

    /// Names a program.
    package init(executable: [UInt8], arguments: [[UInt8]]) {
        self.executable = executable
        self.arguments = arguments
    }

    /// Starts it from this thread, which must live as long as the program shall, and on whose CPUs it runs.
    package func start() throws(SpawnError) -> RunningProgram {
        RunningProgram(try startHere(), group)
    }

    /// Starts it in its place.
    package func startInPlace() async throws -> RunningProgram {
        let spawned = try await withCheckedContinuation { continuation in
            Spawner.shared.perform { continuation.resume(returning: Result { try Spawner.start(self) }) }
        }.get()
        return RunningProgram(spawned, group)
    }

    func startHere() throws(SpawnError) -> SpawnedProcess {
        var path = CStringList()
        path.append(executable)
        var words = CStringList()
        for argument in arguments { words.append(argument) }
        let environment = CStringList.environment(adding: environment)
        do throws(SpawnFailure) {
            return try Spawner.start(
                path, words, environment, directory: nil, descriptors: descriptors,
                group: group == .shared ? getpgrp() : 0, deathSignal: outlivesThisProcess ? 0 : SIGKILL)
        } catch {
            throw SpawnError(description: "cannot run \(String(decoding: executable, as: UTF8.self)): \(error.reason)")
        }
    }
}
