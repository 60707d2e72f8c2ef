import Agent
import Glibc
import Synchronization
import Transport

/// A process that has submitted a job, and cancels it when this one has ended, however that ends.
///
/// A small shell, not a thread or a child that dies along: a job that waits in a queue is known to nobody else when its driver was
/// killed. Jobs that run would end by themselves, since their agents lose their driver.
final class JobGuardian: Sendable {
    /// What came of a submission.
    enum Outcome: Sendable {
        /// The queue has the job, of this number or name; without one, the command that runs is the job.
        case submitted(JobGuardian, job: String?)
        /// The queue refused it, in these words.
        case refused(String)
    }

    let session: CommandSession

    private init(_ session: CommandSession) { self.session = session }

    /// Submits a job.
    ///
    /// - Parameters:
    ///   - limit: Seconds after which the submit command is given up: of no use where the queue does not answer.
    ///   - files: Paths to be removed at the job's end.
    ///   - input: What goes to the standard input of a command that stays; it has none if `nil`.
    static func submit(
        _ submission: JobSubmission, to queue: some JobQueue, removing files: [String], limit: Double,
        input: [UInt8]? = nil
    ) async throws -> Outcome {
        let name = submission.program
        guard !name.isEmpty else { throw LaunchError("\(queue.name): there is no command to run") }
        try checkPresence(of: name, queue.name)
        let script = script(
            for: submission, identifierPattern: queue.identifierPattern, cancelCommand: queue.cancelCommand,
            files: files, hasInput: input != nil)
        let answer = Eventual<Int32?>()
        let said = Mutex("")
        let session = try await CommandSession.start(
            ["/bin/sh", "-c", script].map { Array($0.utf8) }, outlivesThisProcess: true
        ) { source, line in
            guard source == .output else { return }
            let text = String(decoding: line, as: UTF8.self)
            if text.hasPrefix(submittedMark) {
                answer.fulfil(Int32(text.dropFirst(submittedMark.count)))
            } else if answer.value == nil {
                said.withLock { $0 += text + "\n" }
            }
        }
        let guardian = JobGuardian(session)
        if let input { session.send(input + Array("\(inputEnd)\n".utf8)) }
        if submission.isAttached { return .submitted(guardian, job: submission.jobName) }
        session.whenEnded { _ in answer.fulfil(nil) }
        let deadline = Task {
            try await Task.sleep(for: .seconds(limit))
            answer.fulfil(nil)
        }
        defer { deadline.cancel() }
        let status = await withTaskCancellationHandler {
            await answer.get()
        } onCancel: {
            answer.fulfil(nil)
        }
        guard status == 0 else {
            // Where it hangs still, the job is cancelled should the queue take it after all.
            guardian.session.finishInput()
            let end = Eventual<CommandSession.End>()
            session.whenEnded { end.fulfil($0) }
            try Task.checkCancellation()
            if status == nil, end.value == nil {
                return .refused("\(name) did not answer within \(Int(limit)) s")
            }
            return .refused(JobGuardian.words(await end.get()))
        }
        let output = said.withLock { $0 }
        guard let job = queue.job(fromSubmitOutput: output) else {
            guardian.session.finishInput()
            throw LaunchError("\(queue.name) took the job and did not say its number; \(name) printed:\n\(output)")
        }
        return .submitted(guardian, job: job)
    }

    private static func checkPresence(of name: String, _ queue: String) throws(LaunchError) {
        let path = unsafe getenv("PATH").map { unsafe String(cString: $0) }
        guard ExecutableSearch(path: path).file(for: Array(name.utf8)) == nil else { return }
        throw LaunchError(
            "there is no program \(name) here, with which jobs are given to \(queue): run this where jobs are submitted"
        )
    }

    /// What a command printed that was refused or has ended, without empty lines.
    static func words(_ end: CommandSession.End) -> String {
        (end.error + "\n" + end.output).split(whereSeparator: \.isNewline)
            .filter { !$0.allSatisfy(\.isWhitespace) && !$0.hasPrefix(submittedMark) }
            .map { printable(String($0)) }.joined(separator: "\n")
    }

    /// Waits for the end of a command that stays; `nil` if the task is cancelled before.
    func end() async -> CommandSession.End? {
        let end = Eventual<CommandSession.End?>()
        session.whenEnded { end.fulfil($0) }
        return await withTaskCancellationHandler {
            await end.get()
        } onCancel: {
            end.fulfil(nil)
        }
    }

    /// Has the job cancelled, and waits for that for so many seconds.
    ///
    /// - Parameter grace: Seconds in which it may end by itself before.
    /// - Returns: Whether the queue has confirmed it, or it has ended well.
    func cancel(within seconds: Double, grace: Double = 0) async -> Bool {
        let outcome = Eventual<Bool>()
        session.whenEnded { outcome.fulfil($0.program == .exited(status: 0)) }
        if grace <= 0 { session.finishInput() }
        let deadline = Task { [session] in
            try? await Task.sleep(for: .seconds(grace))
            session.finishInput()
            try? await Task.sleep(for: .seconds(seconds))
            outcome.fulfil(false)
        }
        defer { deadline.cancel() }
        return await outcome.get()
    }
}
