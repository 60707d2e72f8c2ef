import Agent

/// What is asked of a queue: a job whose tasks are agents.
public struct JobRequest: Hashable, Sendable {
    /// A name that no other job has.
    public var name: String
    /// Number of tasks, at least 1.
    public var tasks: Int
    /// Workers for each task, at least 1.
    public var workersPerTask: Int
    /// Absolute path of the file that job's output goes to.
    public var outputFile: String
    /// Names of the variables of this process that the job has too.
    public var exports: [String]
    /// The program's path and its arguments.
    public var program: [String]
    /// Variables that make the program an agent, and those that the user wants to be set, in a fixed order. No secret is among
    /// them: who joins reads that from a file.
    public var environment: [Variable]
    /// Whether the agents read what they join with from their standard input.
    public var joinsByInput = false
    /// How long after its submission the job is still of use if it has not started.
    public var startLimit: Duration = .seconds(600)

    /// Paths of the files on this host with what agents join with, for this user's eyes only: one for all; where the driver
    /// dials them, one for each task.
    public var joinFiles: [String] = []

    /// A variable and its value.
    public struct Variable: Hashable, Sendable {
        /// Its name.
        public var name: String
        /// Its value.
        public var value: String
    }

    /// Name of the variable that says how many workers an agent has.
    public static let workersVariable = "MUSTER_WORKERS"

    /// Name of the variable by which a job's script says when the queue ends the job, in seconds since 1970: where it can be known
    /// without much ado. Until then workers get no work that takes longer, see ``JobOptions/mindsWallTime``.
    public static let endVariable = JobEnd.variable

    /// The descriptor at which agents read what they join with, where that comes by standard input.
    static let inputDescriptor = 3

    /// Absolute path of the file with the secret, which lies beside the output file.
    public var joinFile: String { String(outputFile.dropLast(4)) }

    /// The same request for an agent that finds the join file at another path, where the queue brings files along.
    public func joining(from path: String) -> JobRequest {
        var request = self
        for index in request.environment.indices where request.environment[index].name == Role.variable {
            request.environment[index].value = Role.value(join: .file(path))
        }
        return request
    }

    /// Shell commands that set the environment and become the agent, in one line; what they need besides stands before them.
    public var agentCommand: String {
        let settings = environment.map { "\($0.name)=\(ShellWord.quoted($0.value))" }
        var words = ["exec"] + program.map(ShellWord.quoted)
        // What stands there is not for the program.
        if joinsByInput { words.append("\(JobRequest.inputDescriptor)<&0 </dev/null") }
        return "export \(settings.joined(separator: " ")); \(words.joined(separator: " "))"
    }
}
