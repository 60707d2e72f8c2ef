extension GridEngineState {
    /// What most likely helps, by words of `qsub`, `qrsh`, `qstat -j` or a host.
    static func cure(for words: String) -> String? { cures.first { words.contains($0.words) }?.cure }

    private static let cures: [(words: String, cure: String)] = [
        ("unknown queue", "name a queue that `qconf -sql` shows"),
        ("requested project", "name a project that `qconf -sprjl` shows (-P)"),
        ("requested parallel environment", "name a parallel environment that `qconf -spl` shows (-pe)"),
        ("unknown resource", "name resources that `qconf -sc` shows"),
        ("is not a memory value", "write memory as in h_vmem=4G"),
        ("is not a time value", "write times as in h_rt=1:30:00"),
        ("invalid option argument", "see `man qsub` for the options that there are"),
        ("is no submit host", "run this on a host that `qconf -ss` shows"),
        ("jobs are allowed per user", "you have as many jobs as you may: wait, or cancel some"),
        ("act_qmaster", "set SGE_ROOT and SGE_CELL, as the site's settings.sh does"),
        ("commlib error", "see whether the master is up: `qhost`"),
        ("to qmaster", "see whether the master is up: `qhost`"),
        ("can't chdir to", "have that directory on all hosts, or give workingDirectory"),
        ("is in error state", "mend what it says, and clear the state: `qmod -cj`"),
        ("dropped because it is disabled", "name a queue that is enabled: `qstat -f` marks the others with d"),
        ("dropped because it is temporarily not available", "the hosts of that queue are down: `qhost`"),
        ("dropped because it is overloaded", "others have the hosts: wait longer (startLimit), or name another queue"),
        ("dropped because it is full", "others have the slots: wait longer (startLimit), or ask for less"),
        ("has no slots", "others have the slots: wait longer (startLimit), or ask for less"),
        ("has no permission", "name a queue that you may use: `qconf -sq QUEUE` shows its users"),
        ("because it only offers", "ask for fewer slots than there are (-pe): `qstat -g c`"),
        ("because it offers only", "ask for no more than a host offers: `qhost -F`"),
        ("enforced h_rt", "ask for more time (resources: h_rt), or memory (h_vmem)"),
        ("is in hold state", "the job is held: `qrls`, or ask who holds it"),
        (
            "could not be scheduled",
            "nothing was free, or somebody cancelled the job: have it wait (-now n), or ask for what is free"
        ),
        ("No such file or directory", "have the program at that path on all hosts, or give executable"),
        ("not found", "have the program at that path on all hosts, or give executable"),
        ("can't read the join file", "give a directory that this host and those of the job share (directory)"),
        (
            "can't join the driver",
            "see whether the hosts reach this one; give the interface that they reach (address)"
        ),
    ]
}
