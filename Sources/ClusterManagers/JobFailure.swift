/// A job queue did not take a job, or the job brought no workers.
public struct JobFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// Name of the queue.
    public let queue: String
    /// The job's number there; `nil` if it has none.
    public let job: String?
    /// What the queue said of the job last; `nil` if nothing.
    public let state: JobState?
    /// The last lines of the job's output, or of what the submit command said.
    public let outputTail: String
    /// What most likely helps; `nil` if nothing is known.
    public let cure: String?
    /// What was run, what became of it, what it said, and the likely cure.
    public let description: String

    /// What went wrong.
    enum Problem: Hashable, Sendable {
        /// The queue refused the job, in these words.
        case refused(String)
        /// The job was not cancelled by this process, and is over.
        case ended
        /// The time was up, and the job was cancelled if too few workers had come.
        case expired(seconds: Double, isCancelled: Bool)
        /// An agent came, and brought no workers.
        case agent(String)
    }

    /// - Parameters:
    ///   - up: Workers that were up.
    ///   - output: The tail of the job's output.
    ///   - outputFile: Where that is; `nil` if there is none.
    init(
        _ problem: Problem, _ queue: some JobQueue, job: String?, state: JobState?, _ submission: JobSubmission,
        up: Int, wanted: Int, output: String, outputFile: String?
    ) {
        self.queue = queue.name
        self.job = job
        self.state = state
        let name = queue.name + (job.map { " job \($0)" } ?? "")
        var words = [output]
        if let reason = state?.reason { words.insert(reason, at: 0) }
        var text: String
        switch problem {
        case .refused(let said):
            text = "\(queue.name) refused the job"
            outputTail = said
            words = [said]
        case .ended:
            text = "\(name) ended before its workers were up"
            outputTail = output
        case .expired(let seconds, let isCancelled):
            text = "\(name) had \(up) of \(wanted) workers up after \(Int(seconds.rounded(.up))) s"
            if isCancelled { text += ", and was cancelled" }
            outputTail = output
        case .agent(let reason):
            text = "an agent of \(name) brought no workers: \(reason)"
            outputTail = output
        }
        if let state { text += "; its state is \(state)" }
        text += ". It was: \(submission.command.map(ShellWord.quoted).joined(separator: " "))"
        if outputTail.isEmpty {
            if case .refused = problem { text += "\nIt said nothing." }
        } else if case .refused = problem {
            text += "\nIt said:\n\(outputTail)"
        } else {
            text += "\nThe end of its output:\n\(outputTail)"
        }
        var found: String?
        for said in words where found == nil { found = queue.cure(for: said) }
        if found == nil, case .expired = problem, state?.phase == .running {
            found =
                "see whether its hosts reach this one (address:), have this program at the same path (executable:)"
                + (outputFile.map { ", and share the directory of \($0) (directory:)" } ?? "")
        } else if found == nil, case .expired = problem {
            found = "wait longer (startLimit), be content with fewer workers (minimum), or ask for what is free"
        }
        cure = found
        if let found { text += "\nThe likely cure: \(found)" }
        description = text
    }
}
