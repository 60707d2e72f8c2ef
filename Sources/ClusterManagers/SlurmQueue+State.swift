extension SlurmQueue {
    /// `Submitted batch job 18`, where there are several clusters with ` on cluster …` behind.
    public var identifierPattern: String { "Submitted batch job ([0-9]+)( on cluster .*)?" }

    /// By its number, or by its name where that is all that is known. Succeeds for a job that has ended.
    public var cancelCommand: [String] {
        ["/bin/sh", "-c", #"case $1 in *[!0-9]*) set -- "--name=$1" ;; esac; exec scancel "$@""#, "scancel"]
    }

    /// Ended jobs too, of which Slurm knows for some minutes.
    public func stateCommand(for job: String) -> [String] {
        ["squeue", "--noheader", "--states=all", "--format=%T|%r", "--jobs=\(job)"]
    }

    /// The last line of the form `PENDING|Resources`.
    public func state(from output: String) -> JobState? {
        var found: JobState?
        for line in output.split(whereSeparator: \.isNewline) {
            let words = line.split(separator: "|", omittingEmptySubsequences: false)
            guard words.count == 2, let phase = SlurmQueue.phases[String(words[0])] else { continue }
            found = JobState(
                phase, String(words[0]), reason: words[1].isEmpty || words[1] == "None" ? nil : String(words[1]))
        }
        return found
    }

    private static let phases: [String: JobState.Phase] = [
        "PENDING": .waiting, "CONFIGURING": .waiting, "REQUEUED": .waiting, "SUSPENDED": .running, "RUNNING": .running,
        "COMPLETING": .running, "COMPLETED": .ended, "CANCELLED": .ended, "FAILED": .ended, "TIMEOUT": .ended,
        "NODE_FAIL": .ended, "OUT_OF_MEMORY": .ended, "PREEMPTED": .ended, "BOOT_FAIL": .ended, "DEADLINE": .ended,
        "REVOKED": .ended,
    ]

    /// By the reason that `squeue` gives, or what `sbatch`, `srun` or a node wrote.
    public func cure(for words: String) -> String? { SlurmQueue.cures.first { words.contains($0.words) }?.cure }

    private static let cures: [(words: String, cure: String)] = [
        ("Invalid partition name", "name a partition that `sinfo` shows"),
        ("PartitionTimeLimit", "ask for less time (t) than the partition allows: `sinfo -o '%P %l'`"),
        ("PartitionDown", "name a partition that is up: `sinfo`"),
        ("PartitionInactive", "name a partition that is up: `sinfo`"),
        ("inactive or drain", "name a partition that is up: `sinfo`"),
        (
            "PartitionConfig",
            "ask for fewer tasks, or less of something, than the partition has: `sinfo -o '%P %D %c %m'`"
        ),
        ("PartitionNodeLimit", "ask for fewer nodes than the partition allows: `scontrol show partition`"),
        ("BadConstraints", "ask for what some node has: `sinfo -o '%n %c %m %f %G'`"),
        ("node configuration is not available", "ask for what some node has: `sinfo -o '%n %c %m %f %G'`"),
        ("More processors requested", "ask for fewer tasks: `sinfo -o '%P %D %c'`"),
        ("ReqNodeNotAvail", "nodes that were asked for are down, drained or reserved: `sinfo -R`"),
        ("Nodes required for job are DOWN", "nodes are down, drained or reserved: `sinfo -R`"),
        ("JobHeld", "the job is held: `scontrol release`, or ask who holds it"),
        ("AssocGrp", "the account is at its limit: wait, or ask for less"),
        ("QOS", "the quality of service is at its limit: wait, or ask for less"),
        ("InvalidAccount", "name an account that is yours: `sacctmgr show associations user=$USER`"),
        ("invalid account", "name an account that is yours: `sacctmgr show associations user=$USER`"),
        ("Resources", "others have what was asked for: wait longer (startLimit), or ask for less"),
        ("Priority", "others come first: wait longer (startLimit), or ask for less"),
        ("TimeLimit", "ask for more time (t)"),
        ("DUE TO TIME LIMIT", "ask for more time (t)"),
        ("No such file or directory", "have the program at that path on all nodes, or give executable"),
        ("not found", "have the program at that path on all nodes, or give executable"),
        ("can't read the join file", "give a directory that this host and the nodes share (directory)"),
        (
            "can't join the driver",
            "see whether the nodes reach this host; give the interface that they reach (address)"
        ),
        ("unrecognized option", "see `man sbatch` for the options that there are"),
    ]

    /// Where the controller has no time, or cannot be reached just now, or a limit of jobs in the queue is reached.
    public func mayPass(_ refusal: String) -> Bool {
        [
            "Unable to contact slurm controller", "Socket timed out", "temporarily unable to accept job",
            "Resource temporarily unavailable", "Slurm temporarily", "MaxSubmitJob",
        ].contains { refusal.contains($0) }
    }
}
