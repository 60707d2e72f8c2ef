import Agent
import Glibc
import Machine
import SharedMemoryLink
import Synchronization

/// Copies of a program that run at the same time, and end with this process.
final class Copies: Sendable {
    /// Seconds that the copies have to end after they were told to.
    private static let grace = 5.0

    private struct State {
        var programs: [RunningProgram] = []
        /// The signal that asks for their end.
        var signal: Int32?
    }

    private let count: Int
    private let state = Mutex(State())

    init(count: Int) {
        self.count = count
    }

    /// A single copy that reads from the terminal has to be in the terminal's group, which is ours: the keys that
    /// interrupt or stop reach it by themselves.
    private var isInteractive: Bool { count == 1 && isatty(STDIN_FILENO) == 1 }

    /// Runs the copies to their ends, which it returns in the order of `launches`. If a signal asked for that, this
    /// process ends by the signal when they have ended.
    ///
    /// - Parameter begun: Called when all have been started, in the order of `launches`.
    func run(
        _ launches: [ProgramLaunch], begun: ([RunningProgram]) -> Void = { _ in }
    ) async throws -> [RunningProgram.End] {
        if isInteractive { Glibc.signal(SIGINT, SIG_IGN) }
        let watcher = try Termination.watch { [self] signal in end(by: signal) }
        let programGuard = try ProgramGuard(capacity: launches.count)
        let result = await Result { try await runGuarded(launches, programGuard, begun) }
        programGuard.end()
        Termination.endWatch(watcher)
        let ends = try result.get()
        if isInteractive, ends == [.signalled(SIGINT)] {
            Glibc.signal(SIGINT, SIG_DFL)
            Termination.end(by: SIGINT)
        }
        return ends
    }

    private func runGuarded(
        _ launches: [ProgramLaunch], _ programGuard: ProgramGuard, _ begun: ([RunningProgram]) -> Void
    ) async throws -> [RunningProgram.End] {
        let nothing = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
        guard nothing >= 0 else { throw SystemError("open /dev/null", errno: errno) }
        defer { close(nothing) }
        var warnings: Set<String> = []
        for var launch in launches {
            launch.descriptors = [count == 1 ? STDIN_FILENO : nothing, STDOUT_FILENO, STDERR_FILENO]
            launch.group = isInteractive ? .shared : .own
            do {
                let program = try await launch.startInPlace()
                if !isInteractive { programGuard.add(program) }
                for warning in program.warnings where warnings.insert(warning).inserted {
                    FileOutput.standardError.write("muster: \(warning)\n")
                }
                guard add(program) else { break }
            } catch {
                end(by: SIGKILL)
                _ = try await collect(programGuard)
                throw error
            }
        }
        let programs = state.withLock { $0.programs }
        begun(programs)
        for (launch, program) in zip(launches, programs) {
            guard let place = launch.placement, let binding = program.binding,
                let difference = binding.difference(from: place, memory: program.memory)
            else { continue }
            end(by: SIGKILL)
            _ = try await collect(programGuard)
            throw WorkFailed(description: difference)
        }
        return try await collect(programGuard)
    }

    /// Waits for the copies that were started.
    private func collect(_ programGuard: ProgramGuard) async throws -> [RunningProgram.End] {
        let programs = state.withLock { $0.programs }
        return try await withThrowingTaskGroup { group in
            for (index, program) in programs.enumerated() {
                group.addTask {
                    let end = try await program.end()
                    programGuard.remove(program)
                    return (index, end)
                }
            }
            var ends = [RunningProgram.End](repeating: .unknown, count: programs.count)
            for try await (index, end) in group { ends[index] = end }
            return ends
        }
    }

    /// Takes note of a copy; false if no further one is wanted.
    private func add(_ program: RunningProgram) -> Bool {
        let signal = state.withLock { state in
            state.programs.append(program)
            return state.signal
        }
        if let signal { program.signal(signal) }
        return signal == nil
    }

    /// Passes a signal on, and does not wait for ever for its effect.
    private func end(by signal: Int32) {
        let programs = state.withLock { state in
            state.signal = signal
            return state.programs
        }
        for program in programs { program.signal(signal) }
        Poller.links.after(seconds: Copies.grace) { [self] in
            for program in state.withLock({ $0.programs }) { program.signal(SIGKILL) }
        }
    }
}

extension Result where Failure == any Error, Success: Sendable {
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
