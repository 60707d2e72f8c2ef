extension HTCondorQueue {
    /// `4 job(s) submitted to cluster 2.`
    public var identifierPattern: String { #"[0-9]+ job\(s\) submitted to cluster ([0-9]+)\."# }

    /// `condor_rm` fails for a cluster that is gone, so the queue is asked whether it is.
    public var cancelCommand: [String] {
        let script = #"condor_rm "$1" || { left=`condor_q "$1" -af ClusterId` && [ -z "$left" ]; }"#
        return ["/bin/sh", "-c", script, "condor_rm"]
    }

    /// A line for each job that has not ended, else of one that has; behind that, for one that was refused by all machines, why.
    ///
    /// The analysis makes the collector send all it knows of all machines, so it is left to when the negotiator has found none.
    public func stateCommand(for job: String) -> [String] {
        let script = #"""
            jobs=`condor_q "$1" -af:t ClusterId ProcId JobStatus "$2" LastRejMatchReason TotalSubmitProcs` || exit
            [ "$jobs" ] || jobs=`condor_history "$1" -limit 1 -scanlimit 20000 -af:t ClusterId ProcId JobStatus "$3"`
            printf '%s\n' "${jobs:-gone}"
            idle=`printf '%s\n' "$jobs" | sed -nE 's/^([0-9]+)\t([0-9]+)\t1\t[^\t]*\tno match.*$/\1.\2/p' | head -n 1`
            [ -z "$idle" ] || condor_q -better-analyze "$idle"
            """#
        let reason = "ifThenElse(JobStatus == 5, HoldReason, RemoveReason)"
        let end = """
            ifThenElse(JobStatus == 3, RemoveReason, \
            ifThenElse(ExitBySignal, strcat("signal ", ExitSignal), strcat("exit code ", ExitCode)))
            """
        return ["/bin/sh", "-c", script, "state", job, reason, end]
    }

    /// The jobs of a cluster together: it waits as long as one of them does not run.
    public func state(from output: String) -> JobState? {
        let lines = output.split(whereSeparator: \.isNewline)
        let rows = lines.compactMap(Row.init)
        guard !rows.isEmpty else { return lines.contains("gone") ? JobState(.ended, "gone") : nil }
        let codes = Set(rows.map(\.status))
        let isOver = codes.isSubset(of: [3, 4, 5])
        let phase: JobState.Phase = isOver ? .ended : codes.isDisjoint(with: [1, 5]) ? .running : .waiting
        let words = codes.sorted().map { code in
            let count = rows.filter { $0.status == code }.count
            return codes.count == 1 ? HTCondorQueue.words[code]! : "\(count) \(HTCondorQueue.words[code]!)"
        }
        let telling = rows.first { $0.status == 5 } ?? (isOver ? rows.first { $0.reason != nil } : nil)
        let refusal = rows.first { $0.status == 1 && $0.refusal != nil }?.refusal
        // Jobs that have ended are not listed with those that go on; held ones do not start by themselves.
        let going = rows.filter { ![3, 4, 5].contains($0.status) }.count
        return JobState(
            phase, words.joined(separator: ", "),
            reason: telling?.reason ?? (codes.contains(1) ? HTCondorAnalysis(of: lines)?.description ?? refusal : nil),
            lostTasks: isOver ? 0 : max(rows.count, rows[0].total ?? 0) - going)
    }

    private static let words = [
        1: "Idle", 2: "Running", 3: "Removed", 4: "Completed", 5: "Held", 6: "Transferring output", 7: "Suspended",
    ]

    /// A job as the state command shows it.
    private struct Row {
        var status: Int
        var reason: String?
        /// Why it found no machine last.
        var refusal: String?
        /// Number of jobs that were submitted with it.
        var total: Int?

        init?(_ line: Substring) {
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
            guard fields.count >= 4, Int(fields[0]) != nil, Int(fields[1]) != nil, let status = Int(fields[2]),
                HTCondorQueue.words[status] != nil
            else { return nil }
            func text(_ index: Int) -> String? {
                guard index < fields.count, fields[index] != "undefined" else { return nil }
                let words = fields[index].split(separator: " ")
                return words.isEmpty ? nil : words.joined(separator: " ")
            }
            (self.status, reason, refusal, total) = (status, text(3), text(4), text(5).flatMap { Int($0) })
        }
    }

    /// By what HTCondor gives as reason, or what `condor_submit`, a machine or the program wrote.
    public func cure(for words: String) -> String? { HTCondorQueue.cures.first { words.contains($0.words) }?.cure }

    private static let cures: [(words: String, cure: String)] = [
        ("Cannot allocate a cluster id", "run this as another user: HTCondor takes no jobs from root"),
        (
            "Can't find address of local schedd",
            "run this where jobs are submitted, and HTCondor is up: `condor_status -schedd`"
        ),
        ("MAX_JOBS_PER_SUBMISSION", "ask for fewer workers, or for several of a job (workersPerJob)"),
        ("MAX_JOBS", "wait until other jobs of yours have ended: `condor_q`"),
        ("Parse error in expression", "see whether strings stand in double quotes: \"+Group\": \"\\\"physics\\\"\""),
        ("Failed to parse command file", "see `man condor_submit` for the commands that there are"),
        ("I don't know about the", "see `man condor_submit` for the universes that there are"),
        (
            "RequestCpus",
            "ask for fewer CPUs of a job (workersPerJob, request_cpus): `condor_status -af Machine TotalSlotCpus`"
        ),
        ("RequestMemory", "ask for less (request_memory): `condor_status -af Machine TotalSlotMemory`"),
        ("RequestDisk", "ask for less (request_disk): `condor_status -af Machine TotalSlotDisk`"),
        ("RequestGPUs", "ask for fewer GPUs (request_gpus): `condor_status -af Machine TotalSlotGPUs`"),
        ("FileSystemDomain", "no machine shares this one's file system: leave should_transfer_files = NO out"),
        ("no machine meets", "ask for what some machine has: `condor_status -long`"),
        ("because of their own requirements", "machines take other jobs than this: `condor_status -af Machine Start`"),
        ("serving other users", "others have the machines: wait longer (startLimit), or ask for less"),
        ("insufficient priority", "others come first: wait longer (startLimit), or see `condor_userprio`"),
        (
            "Transfer input files failure",
            "give the path of a program on this host (executable), and files that there are"
        ),
        (
            "as standard output",
            "give a directory that this host and the machines share (directory), or leave should_transfer_files = NO out"
        ),
        ("memory", "ask for more memory (request_memory)"),
        ("duration", "ask for more time (allowed_job_duration, allowed_execute_duration)"),
        ("hold", "ask who holds the job, and have it released: `condor_release`"),
        (
            "PeriodicRemove",
            "jobs are removed that do not start in time (startLimit), have lost their machine, or are held for long"
        ),
        ("loading shared libraries", "link the program statically (--static-swift-stdlib): machines have no Swift"),
        (
            "can't read the join file",
            "give a directory that this host and the machines share (directory): /tmp is each job's own"
        ),
        (
            "can't open the directory",
            "give a directory that this host and the machines share (directory): /tmp is each job's own"
        ),
        (
            "can't join the driver",
            "see whether the machines reach this host; give the interface that they reach (address)"
        ),
        ("not found", "have the program at that path on all machines, or give executable"),
        ("exit code 127", "have the program at that path on all machines, or give executable"),
    ]

    /// Where the schedd has no time, or cannot be reached just now, or a limit of jobs in the queue is reached.
    public func mayPass(_ refusal: String) -> Bool {
        [
            "Can't find address of local schedd", "Failed to connect", "Unable to connect", "timed out",
            "MAX_JOBS_SUBMITTED", "MAX_JOBS_PER_OWNER",
        ].contains { refusal.contains($0) }
    }
}
