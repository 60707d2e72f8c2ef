import Agent
public import ClusterRuntime

/// Scyld: `beomap` names the nodes for so many processes, and `bpsh` starts one agent on each, with as many workers as it is
/// named. Nothing waits: who asks for more than there is has several workers on a CPU.
public struct ScyldQueue: JobQueue {
    /// More options of `beomap`, word by word.
    public var flags: [String]

    /// What is asked of `beomap` besides the number of processes.
    public init(flags: [String] = []) { self.flags = flags }

    /// Options of `beomap` as key and value.
    init(_ options: [(String, String)]) {
        self.init(flags: options.flatMap { $1.isEmpty ? ["--\($0)"] : ["--\($0)", $1] })
    }

    /// Scyld.
    public var name: String { "Scyld" }

    /// All `bpsh` together are the job, which ends with them. Each hands its whole environment on, so it is given no more than the
    /// job is to have.
    public func submission(for request: JobRequest) throws -> JobSubmission {
        for flag in flags where ["--np", "-np", "--map"].contains(where: flag.hasPrefix) {
            throw LaunchError(
                "\(flag) of beomap is not for you to set: the number of workers says how many processes there are")
        }
        let words = (["--np", "\(request.tasks)", "--no-local"] + flags).map(ShellWord.quoted).joined(separator: " ")
        let agent = #"export \#(JobRequest.workersVariable)="$1"; \#(request.agentCommand)"#
        // A name is not looked for any more where the way to it is not handed on.
        let shell = """
            map=$(beomap \(words)) || exit
            case $map in '' | *[!0-9:-]*) echo "beomap named no nodes, but: $map" >&2; exit 65 ;; esac
            set -- "$(command -v bpsh)"
            [ "$1" ] || { echo 'bpsh: not found' >&2; exit 127; }
            set -- "$1" $(echo "$map" | tr : '\\n' | sort -n | uniq -c | awk '{ print $2 "x" $1 }')
            \(request.environmentFilter())\
            bpsh=$1
            shift
            agents=
            trap 'kill $agents' TERM
            for node; do
                "$bpsh" "${node%x*}" /bin/sh -c \(ShellWord.quoted(agent)) agent "$((${node#*x} * \(request.workersPerTask)))" &
                agents="$agents $!"
            done
            status=0
            for agent in $agents; do wait "$agent" || status=$?; done
            exit "$status"
            """
        return JobSubmission(command: ["/bin/sh", "-c", shell, "scyld"], isAttached: true, program: "beomap")
    }

    /// Nothing has a number.
    public var identifierPattern: String { "()" }

    /// Nothing has a number, nor can be cancelled by it: what was started ends with its command.
    public var cancelCommand: [String] { ["true"] }

    /// Never asked, since nothing has a number.
    public func stateCommand(for job: String) -> [String] { ["bpstat"] }

    /// Nothing is said of jobs.
    public func state(from output: String) -> JobState? { nil }

    /// By what `beomap`, `bpsh` or a node wrote.
    public func cure(for words: String) -> String? { ScyldQueue.cures.first { words.contains($0.words) }?.cure }

    private static let cures: [(words: String, cure: String)] = [
        ("bpsh: not found", "run this on the master node"),
        ("named no nodes", "see which nodes are up: `bpstat`"),
        ("unrecognized option", "see `man beomap` for the options that there are"),
        ("ermission denied", "ask who may run programs on the node: `bpstat`"),
        ("No such file or directory", "have the program at that path on the nodes, or give executable"),
        ("not found", "have the program at that path on the nodes, or give executable"),
        ("can't read the join file", "give a directory that this host and the nodes share (directory)"),
        (
            "can't join the driver",
            "see whether the nodes reach this host; give the interface that they reach (address)"
        ),
    ]

    /// Nothing is refused for a while only.
    public func mayPass(_ refusal: String) -> Bool { false }
}

extension ClusterManager where Self == JobQueueManager<ScyldQueue> {
    /// Workers on the nodes of a Scyld cluster, from its master.
    ///
    /// ```swift
    /// let more = try await cluster.addWorkers(.scyld(8))
    /// ```
    ///
    /// - Parameters:
    ///   - count: Number of processes that `beomap` finds nodes for, each ``JobOptions/workersPerJob`` workers; those of one node have
    ///     one agent.
    ///   - flags: More options of `beomap`, word by word.
    ///   - address: Where this process listens for agents; this host's private address unless told.
    ///   - options: How workers are started.
    public static func scyld(
        _ count: Int, flags: [String] = [], address: NetworkAddress = .automatic, options: JobOptions = JobOptions()
    ) -> JobQueueManager<ScyldQueue> {
        JobQueueManager(ScyldQueue(flags: flags), count: count, address: address, options: options)
    }
}
