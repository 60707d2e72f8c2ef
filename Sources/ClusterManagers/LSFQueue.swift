import Agent
public import ClusterRuntime
public import Scheduling

/// LSF, and what is compatible with it: an array job of which each member is an agent, or interactive jobs.
public struct LSFQueue: JobQueue {
    /// More options of `bsub`, word by word. With `-I` among them each agent is an interactive job, and gets what it joins with by
    /// standard input: nothing has to be shared with the job's hosts.
    public var bsubFlags: [String]
    /// The command that runs a command line on the host where jobs are submitted: `["ssh", "login"]`; none to submit here.
    public var sshCommand: [String]
    /// The pauses before a submission is tried again that LSF has no room for.
    public var retryDelays: ExponentialBackOff
    /// Most interactive jobs that have been submitted and have not started, at least 1; all at once if `nil`. An array is submitted
    /// as one.
    public var throttle: Int?

    /// What is asked of `bsub`, and where.
    public init(
        bsubFlags: [String] = [], sshCommand: [String] = [], retryDelays: ExponentialBackOff = LSFQueue.standardDelays,
        throttle: Int? = nil
    ) {
        (self.bsubFlags, self.sshCommand, self.retryDelays) = (bsubFlags, sshCommand, retryDelays)
        self.throttle = throttle
    }

    /// Options as key and value: `queue`, `ssh`, `throttle`; another key is an option of `bsub`.
    init(_ options: [(String, String)]) throws(LaunchError) {
        self.init()
        for (key, value) in options {
            switch key {
            case "throttle":
                guard let number = Int(value) else {
                    throw LaunchError("\(value) is no number of jobs to submit at once")
                }
                throttle = number
            case "ssh": sshCommand = ["ssh", value]
            case "queue": bsubFlags += ["-q", value]
            default: bsubFlags += value.isEmpty ? ["-\(key)"] : ["-\(key)", value]
            }
        }
    }

    /// Ten pauses, from a second up to about a quarter of an hour.
    public static let standardDelays = ExponentialBackOff(n: 10, firstDelay: 1, maxDelay: 512, factor: 2, jitter: 0.5)

    /// LSF.
    public var name: String { "LSF" }

    /// `bsub`, in a line of the shell: it hands its whole environment on, so it is given no more than the job is to have.
    public func submission(for request: JobRequest) throws -> JobSubmission {
        if let throttle, throttle < 1 { throw LaunchError("with a throttle of \(throttle) no job is ever submitted") }
        for flag in bsubFlags where flag.hasPrefix("-J") || flag.hasPrefix("-K") {
            throw LaunchError(
                "\(flag) of bsub is not for you to set: the number of workers says how many jobs there are")
        }
        for flag in bsubFlags where flag.hasPrefix("-I") && flag != "-I" {
            throw LaunchError("\(flag) of bsub brings a terminal, which alters what passes through it: use -I")
        }
        var words = ["-J", request.tasks > 1 ? "\(request.name)[1-\(request.tasks)]" : request.name]
        // The script writes to its file itself, at once: what LSF writes comes at the job's end, or by mail.
        if !hasOwnOutput { words += ["-o", "/dev/null"] }
        words += bsubFlags
        // Standard input is for the agent. One word, since of several bsub makes a line that it quotes in a way of its own.
        if hasJobPerTask { words.append(commands(for: request)) }
        let shell = """
            set -- "$(command -v bsub)"
            [ "$1" ] || { echo 'bsub: not found' >&2; exit 127; }
            \(request.environmentFilter(keeping: ["LSF_", "LSB_", "EGO_"]))\
            # It would wait for minutes where there is no room; the driver tries again.
            export LSB_NTRIES=1
            exec "$@" \(words.map(ShellWord.quoted).joined(separator: " "))
            """
        return JobSubmission(
            command: try command(shell, "bsub"), script: hasJobPerTask ? "" : "#!/bin/sh\n" + commands(for: request),
            isAttached: hasJobPerTask, jobName: request.name, program: sshCommand.first ?? "bsub")
    }

    /// True for interactive jobs, of which there are no arrays.
    public var hasJobPerTask: Bool { bsubFlags.contains("-I") }

    /// As many as the throttle lets pass.
    public var jobsAtOnce: Int? { throttle }

    /// True for interactive jobs.
    public var joinsByInput: Bool { hasJobPerTask }

    /// Whether output goes where the user says, or comes here.
    private var hasOwnOutput: Bool {
        hasJobPerTask || bsubFlags.contains { flag in ["-o", "-e"].contains(where: flag.hasPrefix) }
    }

    /// A script of the shell, here or where jobs are submitted; words behind it are its arguments.
    func command(_ shell: String, _ name: String) throws(LaunchError) -> [String] {
        if sshCommand.isEmpty { return ["/bin/sh", "-c", shell, name] }
        let line = try RemoteShell.posix.commandLine(script: shell, arguments: [Array(name.utf8)])
        return sshCommand + [String(decoding: line, as: UTF8.self)]
    }

    /// What runs on a host.
    private func commands(for request: JobRequest) -> String {
        // Without the join file nobody wants the job any more, nor would remove what it writes.
        let (join, file) = (ShellWord.quoted(request.joinFile), ShellWord.quoted(request.outputFile))
        let output = hasOwnOutput ? "" : "[ -e \(join) ] && exec >>\(file) 2>&1\n"
        // An array's members are named by their numbers; 0 is the number of a job that is no array.
        let question = """
            job=$LSB_JOBID
            [ "${LSB_JOBINDEX:-0}" = 0 ] || job="${LSB_JOBID}[$LSB_JOBINDEX]"
            seconds=$(timeout 20 bjobs -l "$job" 2>/dev/null </dev/null | awk '$1 == "RUNLIMIT" { getline; printf "%d", $1 * 60; exit }')
            """
        return """
            \(output)\(runLimit.map { "seconds=\($0)" } ?? question)
            [ "$seconds" ] && export \(JobRequest.endVariable)="$(($(date +%s) + seconds))"
            \(request.agentCommand)

            """
    }

    /// The time that was asked for, in seconds; `nil` if none was, or it is that of another host, which LSF converts.
    private var runLimit: Int? {
        guard let flag = bsubFlags.lastIndex(where: { $0.hasPrefix("-W") }) else { return nil }
        let rest = bsubFlags[flag].dropFirst(2)
        let text = rest.isEmpty ? bsubFlags[(flag + 1)...].first ?? "" : String(rest)
        let parts = text.split(separator: ":").map { Int($0) }
        guard (1...2).contains(parts.count), !parts.contains(nil) else { return nil }
        return parts.reduce(0) { $0 * 60 + ($1 ?? 0) } * 60
    }
}

extension ClusterManager where Self == JobQueueManager<LSFQueue> {
    /// Workers through LSF.
    ///
    /// ```swift
    /// let more = try await cluster.addWorkers(.lsf(2, bsubFlags: ["-q", "short", "-W", "0:10"], sshCommand: ["ssh", "login"]))
    /// ```
    ///
    /// - Parameters:
    ///   - count: Number of members of the array job, each an agent with ``JobOptions/workersPerJob`` workers.
    ///   - bsubFlags: More options of `bsub`, word by word; with `-I` there is an interactive job for each agent instead.
    ///   - sshCommand: The command that runs a command line on the host where jobs are submitted; none to submit here.
    ///   - retryDelays: The pauses before a submission is tried again that LSF has no room for.
    ///   - throttle: Most interactive jobs that have been submitted and have not started; all at once unless told.
    ///   - address: Where this process listens for agents; this host's private address unless told.
    ///   - options: How workers are started.
    public static func lsf(
        _ count: Int, bsubFlags: [String] = [], sshCommand: [String] = [],
        retryDelays: ExponentialBackOff = LSFQueue.standardDelays, throttle: Int? = nil,
        address: NetworkAddress = .automatic, options: JobOptions = JobOptions()
    ) -> JobQueueManager<LSFQueue> {
        JobQueueManager(
            LSFQueue(bsubFlags: bsubFlags, sshCommand: sshCommand, retryDelays: retryDelays, throttle: throttle),
            count: count, address: address, options: options)
    }
}
