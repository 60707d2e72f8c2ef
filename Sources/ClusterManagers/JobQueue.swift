import Agent
public import Scheduling

/// How one kind of job queue is spoken to: all that a new queue has to write, see ``JobQueueManager``.
///
/// Values in, values out: nothing here runs a command or reads a clock, so that it can be tested without a cluster.
public protocol JobQueue: Sendable {
    /// Its name, for messages: `Slurm`.
    var name: String { get }

    /// Whether each task is a job of its own, with a command that stays here as long as it runs; one job has all of them
    /// unless told.
    ///
    /// The submission is for one task then, and is made as often as there are tasks.
    var hasJobPerTask: Bool { get }

    /// Of jobs for each task, how many may have been submitted and not have joined at a time; all of them if `nil`, as it is unless told.
    var jobsAtOnce: Int? { get }

    /// Whether a command that stays here hands its standard input to the agents, which then read what they join with from that;
    /// it does not unless told. Nothing has to be shared with the job's hosts then.
    var joinsByInput: Bool { get }

    /// What to run so that a job's tasks become agents.
    ///
    /// - Throws: What can't be asked of this queue, with the cure.
    func submission(for request: JobRequest) throws -> JobSubmission

    /// Matches the whole line of the submit command's output that has the job's number, which is its first group.
    ///
    /// In the part of the syntax that `sed -E` and Swift have in common, and without slashes. Other lines are noise, such as
    /// banners; of several lines that match the last counts.
    var identifierPattern: String { get }

    /// The command that cancels a job, whose number or name is added as its last word. Must succeed for a job that has ended.
    var cancelCommand: [String] { get }

    /// The command that prints what a job is doing, and why.
    func stateCommand(for job: String) -> [String]

    /// Reads what that printed; `nil` if it says nothing about the job.
    func state(from output: String) -> JobState?

    /// The command that prints the end of a job's output, where that is in no file that this host has too.
    ///
    /// `nil`, unless told, where the output goes to ``JobRequest/outputFile``.
    func outputCommand(for job: String) -> [String]?

    /// What most likely helps a job whose state or refusal was put in these words; `nil` if nothing is known.
    func cure(for words: String) -> String?

    /// Whether a submission that was refused in these words may be accepted later.
    func mayPass(_ refusal: String) -> Bool

    /// The pauses before such a submission is tried again; unless told 20, from 3 s up to a minute.
    var retryDelays: ExponentialBackOff { get }
}

extension JobQueue {
    /// Growing pauses, each by chance up to half longer or shorter than the rule, so that those who were refused together don't
    /// come back together.
    public var retryDelays: ExponentialBackOff {
        ExponentialBackOff(n: 20, firstDelay: .random(in: 1.5...4.5), maxDelay: 60, factor: 2, jitter: 0.5)
    }
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
    /// Tasks that have ended or can't start, though others go on: no workers of theirs are waited for.
    public var lostTasks: Int

    /// Collects what a queue says.
    public init(_ phase: Phase, _ word: String, reason: String? = nil, lostTasks: Int = 0) {
        (self.phase, self.lostTasks) = (phase, lostTasks)
        (self.word, self.reason) = (printable(word), reason.map(printable))
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
    /// Whether the command runs as long as the job: it has no number then.
    public var isAttached: Bool
    /// The name by which the queue knows the job, where its cancel command takes that as well as a number: for the jobs of commands
    /// that stay, which have no number here, and for a job whose submission seems to have failed.
    public var jobName: String?
    /// The queue's own program, which has to be here: the command's first word, unless that is a shell around it.
    public var program: String

    /// Describes a submission.
    public init(
        command: [String], script: String = "", isAttached: Bool = false, jobName: String? = nil, program: String? = nil
    ) {
        (self.command, self.script, self.isAttached) = (command, script, isAttached)
        self.jobName = jobName
        self.program = program ?? command.first ?? ""
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
    /// One job has all tasks.
    public var hasJobPerTask: Bool { false }

    /// As many as there are.
    public var jobsAtOnce: Int? { nil }

    /// Agents read a join file.
    public var joinsByInput: Bool { false }

    /// None: the output goes to ``JobRequest/outputFile``.
    public func outputCommand(for job: String) -> [String]? { nil }

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
