/// How one kind of job queue is spoken to: all that a new queue has to write, see ``JobQueueManager``.
///
/// Values in, values out: nothing here runs a command or reads a clock, so that it can be tested without a cluster.
public protocol JobQueue: Sendable {
    /// Its name, for messages: `Slurm`.
    var name: String { get }

    /// What to run so that a job's tasks become agents.
    ///
    /// - Throws: What can't be asked of this queue, with the cure.
    func submission(for request: JobRequest) throws -> JobSubmission

    /// Matches the whole line of the submit command's output that has the job's number, which is its first group.
    ///
    /// In the part of the syntax that `sed -E` and Swift have in common, and without slashes. Other lines are noise, such as
    /// banners; of several lines that match the last counts.
    var identifierPattern: String { get }

    /// The command that cancels a job, whose number is added as its last word. Must succeed for a job that has ended.
    var cancelCommand: [String] { get }

    /// The command that prints what a job is doing, and why.
    func stateCommand(for job: String) -> [String]

    /// Reads what that printed; `nil` if it says nothing about the job.
    func state(from output: String) -> JobState?

    /// What most likely helps a job whose state or refusal was put in these words; `nil` if nothing is known.
    func cure(for words: String) -> String?

    /// Whether a submission that was refused in these words may be accepted later.
    func mayPass(_ refusal: String) -> Bool
}

/// What becomes of a job.
public struct JobState: Hashable, Sendable {
    /// How far a job is.
    public enum Phase: Hashable, Sendable {
        /// It has not started.
        case waiting
        /// It has nodes.
        case running
        /// It is over.
        case ended
    }

    /// How far it is.
    public var phase: Phase
    /// The queue's own word for its state.
    public var word: String
    /// The queue's reason for it; `nil` if it gives none.
    public var reason: String?

    /// Collects what a queue says.
    public init(_ phase: Phase, _ word: String, reason: String? = nil) {
        (self.phase, self.word, self.reason) = (phase, word, reason)
    }
}

extension JobState: CustomStringConvertible {
    /// State and reason.
    public var description: String { word + (reason.map { " (\($0))" } ?? "") }
}

/// A command that submits a job.
public struct JobSubmission: Hashable, Sendable {
    /// The command and its arguments.
    public var command: [String]
    /// The job's script, which goes to the command's standard input.
    public var script: String
    /// Whether the command runs as long as the job, which ends with it: it has no number then.
    public var isAttached: Bool

    /// Describes a submission.
    public init(command: [String], script: String = "", isAttached: Bool = false) {
        (self.command, self.script, self.isAttached) = (command, script, isAttached)
    }
}

extension JobSubmission: CustomStringConvertible {
    /// The submission as one would type it.
    public var description: String {
        let line = command.map(ShellWord.quoted).joined(separator: " ")
        return script.isEmpty ? line : "\(line) <<'END'\n\(script)END"
    }
}

extension JobQueue {
    /// The number of the job in what the submit command printed; `nil` if there is none.
    func job(fromSubmitOutput output: String) -> String? {
        guard let pattern = try? Regex("^(?:\(identifierPattern))$") else { return nil }
        var found: String?
        for line in output.split(whereSeparator: \.isNewline) {
            if let match = line.wholeMatch(of: pattern), match.output.count > 1, let number = match.output[1].substring
            {
                found = String(number)
            }
        }
        return found
    }
}
