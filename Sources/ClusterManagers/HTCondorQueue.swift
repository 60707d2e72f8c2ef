import Agent
public import ClusterRuntime
import Transport

/// HTCondor: a cluster of as many jobs as tasks are wanted, each of which is an agent.
///
/// HTCondor brings the program and the join file along, unless the commands say otherwise in its own words: with
/// `should_transfer_files = NO` hosts share a file system, with `transfer_executable = False` they have the program already.
public struct HTCondorQueue: JobQueue {
    let commands: HTCondorCommands

    /// Commands of the submit description besides those that are written here.
    public init(_ commands: HTCondorCommands = [:]) { self.commands = commands }

    /// HTCondor.
    public var name: String { "HTCondor" }

    /// Commands that are part of what makes a job an agent, and what to say instead.
    private static let reserved = [
        "queue": "the number of workers says how many jobs there are",
        "executable": "JobOptions(executable:) has the program",
        "arguments": "JobOptions(executableFlags:) has the program's",
        "args": "JobOptions(executableFlags:) has the program's",
        "output": "what workers print comes to the driver", "input": "workers read nothing",
        "encrypt_input_files": "the join file is among them",
    ]

    /// `condor_submit`, with the description on its standard input.
    public func submission(for request: JobRequest) throws -> JobSubmission {
        let isTransferring = try choice("should_transfer_files")
        let bringsProgram = try choice("transfer_executable") && isTransferring
        for command in commands.commands {
            if let instead = HTCondorQueue.reserved[command.key] {
                throw LaunchError("HTCondor's \(command.name) is not for you to set: \(instead)")
            }
        }
        var lines = [
            "executable = /bin/sh",
            "transfer_executable = False",
            "arguments = \(HTCondorQueue.arguments(script(for: request, isTransferring, bringsProgram)))",
            "batch_name = \(request.name)",
            "request_cpus = \(request.workersPerTask)",
            "output = \(request.outputFile.replacing("$", with: "$(DOLLAR)"))",
            "should_transfer_files = \(isTransferring ? "YES" : "NO")",
            "periodic_remove = \(HTCondorQueue.removal(startLimit: request.startLimit))",
        ]
        if !request.exports.isEmpty { lines.append("getenv = \(request.exports.joined(separator: ", "))") }
        if isTransferring {
            // What the user has brought along is in the same list.
            let files = [request.joinFile] + (bringsProgram ? [request.program[0]] : [])
            if let wrong = files.first(where: { $0.contains(",") }) {
                throw LaunchError(
                    "HTCondor can't bring \(wrong) along: its lists of files have commas between, so rename it")
            }
            let all =
                files.map { $0.replacing("$", with: "$(DOLLAR)") }
                + [commands.value(of: "transfer_input_files")].compactMap(\.self)
            lines += [
                "transfer_input_files = \(all.joined(separator: ", "))",
                "encrypt_input_files = \(HTCondorQueue.fileName(request.joinFile))",
                "transfer_output_files = \"\"",
                "stream_output = True",
            ]
        }
        let own = ["should_transfer_files", "transfer_executable"] + (isTransferring ? ["transfer_input_files"] : [])
        lines += commands.commands.filter { !own.contains($0.key) }.map { "\($0.name) = \($0.value)" }
        lines.append("queue \(request.tasks)")
        if let wrong = lines.first(where: { $0.contains(where: \.isNewline) }) {
            throw LaunchError("a line of a submit description can't have a line break: \(wrong)")
        }
        return JobSubmission(command: ["condor_submit"], script: lines.joined(separator: "\n") + "\n")
    }

    /// Whether a command says yes; true if it is not among them.
    private func choice(_ key: String) throws -> Bool {
        switch commands.value(of: key)?.lowercased() {
        case nil, "yes", "true": return true
        case "no", "false": return false
        case let word?:
            throw LaunchError("HTCondor's \(key) is \(word); a job is prepared for one or the other: say YES or NO")
        }
    }

    /// What `/bin/sh` runs in a job.
    private func script(for request: JobRequest, _ isTransferring: Bool, _ bringsProgram: Bool) -> String {
        var request = request
        // Files that are brought along lie in the directory in which the job starts.
        if isTransferring { request = request.joining(from: HTCondorQueue.fileName(request.joinFile)) }
        if bringsProgram { request.program[0] = "./" + HTCondorQueue.fileName(request.program[0]) }
        // HTCondor tells numeric libraries of all the job's CPUs, which several workers share.
        let told = ThreadVariables.names.filter { !request.exports.contains($0) }
        let unset = request.workersPerTask > 1 ? "unset \(told.joined(separator: " ")); " : ""
        // Jobs that share a file system open the same file, each from its start; this one writes at the end.
        let output = isTransferring ? "exec 2>&1; " : "exec >>/proc/self/fd/1 2>&1; "
        let permission = bringsProgram ? "chmod u+x \(ShellWord.quoted(request.program[0])); " : ""
        return output + HTCondorQueue.end + unset + permission + HTCondorQueue.shielded(request.agentCommand)
    }

    /// Tells when HTCondor will hold the job, if it has a limit: counted from here, a little later than HTCondor counts.
    private static let end =
        #"left=`sed -nE 's/^Allowed(Job|Execute)Duration = ([0-9]+)$/\2/p' "$_CONDOR_JOB_AD" | sort -n | head -n 1`; "#
        + #"[ -z "$left" ] || { now=`date +%s`; export \#(JobRequest.endVariable)=`expr "$now" + "$left"`; }; "#

    /// Shell text without what HTCondor would expand, `$(…)`, `$$(…)` and `$NAME(…)`, and without line breaks.
    ///
    /// In the commands of an agent these stand in single quotes, so that they can be interrupted.
    static func shielded(_ commands: String) -> String {
        let text = commands.replacing("$", with: "$''").replacing("\n", with: "'\"$newline\"'")
        return commands.contains("\n") ? #"newline=`printf '\nx'`; newline=${newline%x}; "# + text : text
    }

    /// A script as the arguments of a shell, in the quotes of submit descriptions.
    static func arguments(_ script: String) -> String {
        "\"-c '\(script.replacing("'", with: "''").replacing("\"", with: "\"\""))'\""
    }

    /// When HTCondor removes a job by itself, should nobody be left to do it: it never started in time, it has lost its host (what
    /// its agent was at is others' by then), or it is held, which nothing here ends.
    static func removal(startLimit: Duration) -> String {
        let limit = Int(startLimit.seconds.rounded(.up)) + 60
        return "(JobStatus == 1 && (NumJobStarts > 0 || time() - QDate > \(limit)))"
            + " || (JobStatus == 5 && time() - EnteredCurrentStatus > 600)"
    }

    private static func fileName(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }
}

extension ClusterManager where Self == JobQueueManager<HTCondorQueue> {
    /// Workers through HTCondor.
    ///
    /// ```swift
    /// let more = try await cluster.addWorkers(.htcondor(4, ["request_memory": "4G", "+Group": "\"physics\""]))
    /// ```
    ///
    /// - Parameters:
    ///   - count: Number of jobs, each a worker unless ``JobOptions/workersPerJob`` says otherwise, in one submission.
    ///   - commands: Commands of the submit description; see ``HTCondorCommands``. Where hosts share a file system with this one, and
    ///     nothing is to be brought along: `should_transfer_files = NO`.
    ///   - address: Where this process listens for agents; this host's private address unless told.
    ///   - options: How workers are started. `executable` is a path on this host where the program is brought along.
    public static func htcondor(
        _ count: Int, _ commands: HTCondorCommands = [:], address: NetworkAddress = .automatic,
        options: JobOptions = JobOptions()
    ) -> JobQueueManager<HTCondorQueue> {
        JobQueueManager(HTCondorQueue(commands), count: count, address: address, options: options)
    }
}
