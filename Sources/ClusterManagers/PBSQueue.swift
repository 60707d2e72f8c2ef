import Agent
public import ClusterRuntime

/// OpenPBS, PBS Pro and Torque: an array job of which each member is an agent; for one agent an ordinary job, since OpenPBS knows
/// no array of one.
public struct PBSQueue: JobQueue {
    /// The queue; the server's default one if `nil`.
    public var queue: String?
    /// What each member of the array is given, as behind `qsub -l`: `select=1:ncpus=4`, `walltime=00:10:00`.
    public var resources: [String]
    /// Where agents start; in this process's directory, or at home where that is not, if `nil`.
    public var workingDirectory: String?
    /// More options of `qsub`, word by word.
    public var flags: [String]

    /// What is asked of `qsub`.
    public init(
        queue: String? = nil, resources: [String] = [], workingDirectory: String? = nil, flags: [String] = []
    ) {
        (self.queue, self.resources, self.workingDirectory, self.flags) = (queue, resources, workingDirectory, flags)
    }

    /// Options as key and value: `queue`, `directory`; a key of one letter is an option of `qsub`, another one a resource.
    init(_ options: [(String, String)]) {
        self.init()
        for (key, value) in options {
            switch key {
            case "queue": queue = value
            case "working_directory": workingDirectory = value
            case _ where key.count == 1: flags += value.isEmpty ? ["-\(key)"] : ["-\(key)", value]
            default: resources.append(value.isEmpty ? key : "\(key)=\(value)")
            }
        }
    }

    /// PBS.
    public var name: String { "PBS" }

    /// `qsub`, in a line of the shell: what else there is of the name PBS has another option for arrays, and a variable that is to
    /// be exported and not set is an error.
    public func submission(for request: JobRequest) throws -> JobSubmission {
        for flag in flags where ["-J", "-t", "-I"].contains(where: flag.hasPrefix) {
            throw LaunchError(
                "\(flag) of qsub is not for you to set: the number of workers says how many jobs there are, none interactive"
            )
        }
        var words = ["-N", request.name, "-S", "/bin/sh"]
        // The script writes to its file itself, at once: what PBS writes comes at the job's end, when nobody wants it any more.
        if !hasOutput { words += ["-j", "oe", "-o", "/dev/null"] }
        if let queue { words += ["-q", queue] }
        words += resources.flatMap { ["-l", $0] } + flags
        var shell = """
            names=
            for name in \(request.exports.map(ShellWord.quoted).joined(separator: " ")); do
                printenv "$name" >/dev/null && names="$names,$name"
            done

            """
        var array = ""
        if request.tasks > 1 {
            shell += """
                case $(qsub --version 2>&1 </dev/null) in *pbs_version*) array=-J ;; *) array=-t ;; esac

                """
            array = #""$array" 1-\#(request.tasks) "#
        }
        shell += #"exec qsub ${names:+-v "${names#,}"} "# + array
        shell += words.map(ShellWord.quoted).joined(separator: " ")
        return JobSubmission(command: ["/bin/sh", "-c", shell], script: script(for: request), program: "qsub")
    }

    /// Whether the user says where output goes.
    private var hasOutput: Bool { flags.contains { flag in ["-o", "-e", "-k"].contains(where: flag.hasPrefix) } }

    /// What runs on a host.
    private func script(for request: JobRequest) -> String {
        // Without the join file nobody wants the job any more, nor would remove what it writes.
        let (join, file) = (ShellWord.quoted(request.joinFile), ShellWord.quoted(request.outputFile))
        let output = hasOutput ? "" : "[ -e \(join) ] && exec >>\(file) 2>&1\n"
        let directory = workingDirectory.map { "cd -- \(ShellWord.quoted($0)) || exit" }
        return """
            #!/bin/sh
            \(output)\(directory ?? #"cd -- "${PBS_O_WORKDIR:-.}" 2>/dev/null"#)
            # Torque says it in a variable, the others tell when they are asked.
            limit=${PBS_WALLTIME:-$(timeout 20 qstat -f "$PBS_JOBID" 2>/dev/null | sed -n 's/^ *Resource_List.walltime = *//p')}
            [ "$limit" ] || limit=\(walltime.map(ShellWord.quoted) ?? "")
            if [ "$limit" ]; then
                # Seconds, or days, hours, minutes and seconds with colons between.
                seconds=$(echo "$limit" | awk -F: '{
                    for (i = 1; i <= NF; i++) s = s * (NF == 4 && i == 2 ? 24 : 60) + $i
                    printf "%d", s
                }')
                export \(JobRequest.endVariable)="$(($(date +%s) + seconds))"
            fi
            \(request.agentCommand)

            """
    }

    /// The time that was asked for; `nil` if none was.
    private var walltime: String? {
        (resources + flags).flatMap { $0.split(separator: ",") }.last { $0.hasPrefix("walltime=") }
            .map { String($0.dropFirst("walltime=".count)) }
    }
}

extension ClusterManager where Self == JobQueueManager<PBSQueue> {
    /// Workers through OpenPBS, PBS Pro or Torque; which of them it is, is found out when the job is submitted.
    ///
    /// ```swift
    /// let more = try await cluster.addWorkers(.pbs(2, resources: ["select=1:ncpus=4", "walltime=00:10:00"]))
    /// ```
    ///
    /// - Parameters:
    ///   - count: Number of members of the array job, each an agent with ``JobOptions/workersPerJob`` workers.
    ///   - queue: The queue; the server's default one unless told.
    ///   - resources: What each member is given, as behind `qsub -l`.
    ///   - workingDirectory: Where agents start; in this process's directory unless told.
    ///   - flags: More options of `qsub`, word by word.
    ///   - address: Where this process listens for agents; this host's private address unless told.
    ///   - options: How workers are started.
    public static func pbs(
        _ count: Int, queue: String? = nil, resources: [String] = [], workingDirectory: String? = nil,
        flags: [String] = [], address: NetworkAddress = .automatic, options: JobOptions = JobOptions()
    ) -> JobQueueManager<PBSQueue> {
        JobQueueManager(
            PBSQueue(queue: queue, resources: resources, workingDirectory: workingDirectory, flags: flags),
            count: count, address: address, options: options)
    }
}
