import Agent
public import ClusterRuntime
import Glibc

/// Slurm: a job of as many tasks as workers, with one agent on each of its nodes; inside an allocation, a step of that.
public struct SlurmQueue: JobQueue {
    /// The allocation that this process runs in.
    struct Allocation: Hashable, Sendable {
        /// Tasks on each node, as Slurm writes them: `2(x3),1`.
        var tasksPerNode: String

        /// What the variables of this process say; `nil` outside.
        static var current: Allocation? {
            func variable(_ name: String) -> String? { unsafe getenv(name).map { unsafe String(cString: $0) } }
            guard variable("SLURM_JOB_ID") != nil else { return nil }
            return Allocation(
                tasksPerNode: variable("SLURM_TASKS_PER_NODE") ?? variable("SLURM_JOB_CPUS_PER_NODE") ?? "1")
        }

        /// Tasks on each node, for so many in all, of which nodes get as many as they have room for; beyond that, evenly more.
        func shares(of count: Int) -> [Int] {
            let room = SlurmQueue.expanded(tasksPerNode)
            var shares = [Int](repeating: 0, count: room.count)
            var left = count
            for node in room.indices {
                shares[node] = min(room[node], left)
                left -= shares[node]
            }
            for node in room.indices { shares[node] += left / room.count + (node < left % room.count ? 1 : 0) }
            return shares.filter { $0 > 0 }
        }
    }

    let flags: SlurmFlags
    let allocation: Allocation?

    /// The options for `sbatch`, or inside an allocation for `srun`.
    public init(_ flags: SlurmFlags = [:]) { self.init(flags, .current) }

    init(_ flags: SlurmFlags, _ allocation: Allocation?) { (self.flags, self.allocation) = (flags, allocation) }

    /// Slurm.
    public var name: String { "Slurm" }

    /// `sbatch` from outside: the job has a number as soon as the queue knows of it, and waits without a process that is the job.
    /// Inside an allocation nothing waits, and a step ends with its `srun`.
    public func submission(for request: JobRequest) throws -> JobSubmission {
        guard !flags.has("n", "ntasks", "a", "array") else {
            throw LaunchError(
                "Slurm's n, ntasks and array are not for you to set: the number of workers says how many tasks there are"
            )
        }
        guard
            !flags.has(
                "J", "job-name", "parsable", "Q", "quiet", "W", "wait", "test-only", "wrap", "h", "help", "V", "version"
            )
        else {
            throw LaunchError(
                "Slurm's job-name, parsable, quiet, wait, wrap, test-only, help and version are not for you to set: the job is "
                    + "found by its name, and by what sbatch says (see what would be submitted with dryRun)")
        }
        guard !flags.has("M", "clusters", "cluster") else {
            throw LaunchError("jobs of other clusters can't be cancelled from here: submit on a host of that cluster")
        }
        let exports = "--export=" + (request.exports.isEmpty ? "NIL" : request.exports.joined(separator: ","))
        if let allocation {
            let shares = allocation.shares(of: request.tasks)
            let workers = shares.map { "\($0 * request.workersPerTask)" }.joined(separator: " ")
            // Beside what else runs in the allocation: the driver's own step would keep it waiting for ever.
            let step =
                ["--job-name=\(request.name)", "--overlap", exports] + flags.words
                + SlurmQueue.oneAgentPerNode("\(shares.count)", request, prelude: SlurmQueue.endScript + "\n" + stepEnd)
            return JobSubmission(command: ["srun"] + step + [workers], isAttached: true)
        }
        var words = [
            "sbatch", "--job-name=\(request.name)", "--ntasks=\(request.tasks)", "--no-requeue", "--no-kill", exports,
        ]
        if !flags.has("o", "output") { words.append("--output=\(request.outputFile.replacing("%", with: "%%"))") }
        let step = SlurmQueue.oneAgentPerNode("nodes", request).map { word in
            word == "--nodes=nodes" || word == "--ntasks=nodes"
                ? word.replacing("=nodes", with: "=\"$SLURM_JOB_NUM_NODES\"") : ShellWord.quoted(word)
        }
        let script = """
            #!/bin/sh
            # SLURM_TASKS_PER_NODE is like 2(x3),1.
            workers=
            IFS=,
            for part in $SLURM_TASKS_PER_NODE; do
                times=1
                case $part in *x*) times=${part#*x}; times=${times%)} ;; esac
                while [ "$times" -gt 0 ]; do
                    workers="$workers $((${part%%(*} * \(request.workersPerTask)))"
                    times=$((times - 1))
                done
            done
            unset IFS
            \(SlurmQueue.endScript)
            exec srun --export=ALL \(step.joined(separator: " ")) "$workers"

            """
        return JobSubmission(command: words + flags.words, script: script, jobName: request.name)
    }

    /// Finds out when the job will be ended: newer releases say it by themselves.
    private static let endScript = """
        unset \(JobRequest.endVariable)
        end=${SLURM_JOB_END_TIME:-}
        [ "$end" ] || end=$(date -d "$(SLURM_TIME_FORMAT=standard squeue --noheader --format=%e --jobs="$SLURM_JOB_ID" 2>/dev/null)" +%s 2>/dev/null)
        [ -z "$end" ] || export \(JobRequest.endVariable)="$end"
        """

    /// A step may have less time than its allocation.
    private var stepEnd: String {
        guard let limit = flags.timeLimit else { return "" }
        let end = JobRequest.endVariable
        return """
            step=$(($(date +%s) + \(limit)))
            [ "${\(end):-$step}" -lt "$step" ] || export \(end)="$step"

            """
    }

    /// The words behind `srun` that start the agents; the numbers of their workers, with blanks between, come last.
    ///
    /// - Parameter prelude: Shell commands that come before.
    private static func oneAgentPerNode(_ nodes: String, _ request: JobRequest, prelude: String = "") -> [String] {
        let agent = """
            set -- $1; shift "$SLURM_NODEID"; export \(JobRequest.workersVariable)="$1"; \(prelude)\(request.agentCommand)
            """
        return [
            "--nodes=\(nodes)", "--ntasks=\(nodes)", "--ntasks-per-node=1", "--cpu-bind=none", "--no-kill",
            "--input=none",
            "--kill-on-bad-exit=0", "/bin/sh", "-c", agent, "agent",
        ]
    }

    /// `2(x3),1` as `[2, 2, 2, 1]`; what can't be read counts for 1.
    static func expanded(_ list: String) -> [Int] {
        let numbers = list.split(separator: ",").flatMap { part in
            let pieces = part.split(whereSeparator: { "(x)".contains($0) }).map { Int($0) ?? 1 }
            return [Int](
                repeating: max(1, pieces.first ?? 1), count: pieces.count > 1 ? min(max(1, pieces[1]), 100_000) : 1)
        }
        return numbers.isEmpty ? [1] : numbers
    }
}

extension ClusterManager where Self == JobQueueManager<SlurmQueue> {
    /// Workers through Slurm.
    ///
    /// ```swift
    /// let more = try await cluster.addWorkers(.slurm(2, ["partition": "debug", "t": "00:05:00", "exclusive": ""]))
    /// ```
    ///
    /// - Parameters:
    ///   - count: Number of tasks, each a worker unless ``JobOptions/workersPerJob`` says otherwise; Slurm puts them where it likes,
    ///     and those of one node have one agent.
    ///   - flags: Slurm's options; see ``SlurmFlags``.
    ///   - address: Where this process listens for agents; this host's private address unless told.
    ///   - options: How workers are started.
    public static func slurm(
        _ count: Int, _ flags: SlurmFlags = [:], address: NetworkAddress = .automatic,
        options: JobOptions = JobOptions()
    ) -> JobQueueManager<SlurmQueue> {
        JobQueueManager(SlurmQueue(flags), count: count, address: address, options: options)
    }
}
