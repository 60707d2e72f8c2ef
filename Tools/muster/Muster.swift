import Agent
import ArgumentParser
import Glibc
import Muster

/// The command-line tool.
@main
struct Muster: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "muster",
        abstract: "Calls workers up, pins them where their memory is, and maps work over them.",
        subcommands: [TopologyCommand.self, PlanCommand.self, ExecCommand.self, MapCommand.self, WorkerCommand.self])

    /// Runs the command that the arguments name; what goes wrong is said in one line, without a page of usage.
    static func main() async {
        // hwloc explains oddities of a topology file in some ten lines of its own.
        // SAFETY: only this thread runs yet, so that nobody reads the environment meanwhile.
        unsafe setenv("HWLOC_HIDE_ERRORS", "2", 0)
        do {
            let hasJoinFile = unsafe getenv(Role.joinVariable) != nil
            if hasJoinFile, !Role.current.isWorker {
                throw UsageError(
                    message: "MUSTER_JOIN is for programs of your own; use `muster worker --join FILE`, and unset it")
            }
            // A worker of `map` needs nothing of what its arguments, which are the driver's, say.
            if Role.current != .driver { try await withCluster { _ in } }
            var command = try parseAsRoot(RawArguments.ofProcess.text)
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let error as UsageError {
            fail(error.message, code: .validationFailure)
        } catch  where exitCode(for: error) == .success || error is ExitCode {
            // Help that was asked for, or a command's own exit code.
            exit(withError: error)
        } catch  where exitCode(for: error) == .validationFailure {
            fail(message(for: error), code: .validationFailure)
        } catch {
            fail("\(error)", code: .failure)
        }
    }

    private static func fail(_ message: String, code: ExitCode) -> Never {
        let line = message.split(whereSeparator: \.isNewline).joined(separator: " ")
        FileOutput.standardError.write("muster: \(line)\n")
        exit(withError: code)
    }
}

extension Role {
    /// Whether somebody's worker is what this process was started as.
    fileprivate var isWorker: Bool { if case .worker = self { true } else { false } }
}

/// A command line that asks for what can't be: printed as one line, exit code 64.
struct UsageError: Error {
    /// What is wrong and how to mend it.
    let message: String
}
