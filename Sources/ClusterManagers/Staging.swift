import Agent
import SharedMemoryLink
import Transport

/// Brings this program to a host, once for each build.
struct Staging: Sendable {
    /// How the host is reached.
    let command: SSHCommand
    /// Its login shell.
    let shell: RemoteShell
    /// What is brought.
    let program: ProgramFile
    /// Seconds without progress until it counts as failed.
    let limit: Double

    /// Returns the program's path on the host when it is there.
    ///
    /// - Throws: ``SSHFailure`` with what stands against it; `CancellationError`, and what ``CommandSession/start(_:environment:onLine:)``
    ///   throws.
    func run() async throws -> [UInt8] {
        let line = try shell.commandLine(script: StagingScript.text, arguments: arguments)
        let (first, second) = (Eventual<StagingScript.Reply?>(), Eventual<StagingScript.Reply?>())
        let session = try await CommandSession.start(command.words(running: line)) { source, line in
            guard source == .output, let reply = StagingScript.Reply(line) else { return }
            if !first.fulfil(reply) { second.fulfil(reply) }
        }
        session.expire(after: limit)
        session.whenEnded { _ in
            first.fulfil(nil)
            second.fulfil(nil)
        }
        return try await withTaskCancellationHandler {
            var reply = await first.get()
            if case .want = reply {
                session.send(Array("\(program.byteCount) \(program.checksum)\n".utf8))
                session.send(program)
                session.finishInput()
                reply = await second.get()
            } else {
                session.finishInput()
            }
            if case .have(let path) = reply {
                // It says no more than that, and ends; what holds it up is not to be waited for.
                return path
            }
            let end = await session.end()
            try Task.checkCancellation()
            throw SSHFailure(.staging(reply, machine: program.machine), command, end, limit: limit)
        } onCancel: {
            session.kill()
        }
    }

    private var arguments: [[UInt8]] {
        ["muster-stage", program.machine, program.buildID, program.name, "\(program.byteCount)"]
            .map { Array($0.utf8) }
    }
}
