extension LSFQueue {
    /// `Job <4> is submitted to queue <normal>.`, or to the default one.
    public var identifierPattern: String { "Job <([0-9]+)> is submitted to (default )?queue <[^<>]*>\\." }

    /// By its number, or all interactive jobs of a name. Succeeds for a job that has ended, or of which LSF knows nothing any more.
    public var cancelCommand: [String] {
        let shell = """
            case $1 in *[!0-9]*) set -- -J "$1" 0 ;; esac
            said=$(bkill "$@" 2>&1)
            status=$?
            case $said in *'No matching job found'* | *'already finished'*) exit 0 ;; esac
            [ -z "$said" ] || printf '%s\\n' "$said" >&2
            exit "$status"
            """
        return words(shell, "bkill")
    }

    /// By its number, or the name of interactive jobs. How many members are in which state, and why some wait: not a line for each, of which there may be thousands.
    public func stateCommand(for job: String) -> [String] {
        let shell = """
            case $1 in *[!0-9]*) set -- -J "$1" ;; esac
            bjobs -w "$@" 2>&1 | awk '
                $1 ~ /^[0-9]+$/ { count[$3]++; next }
                $1 != "JOBID" { print }
                END { for (state in count) print count[state], "in state", state }'
            bjobs -w -p "$@" 2>/dev/null | sed -n 's/^  *\\(.*[^; ]\\)[; ]*$/reason: \\1/p' | sort -u | head -n 5
            """
        return words(shell, "bjobs") + [job]
    }

    private func words(_ shell: String, _ name: String) -> [String] {
        // Nothing in these can't be quoted.
        (try? command(shell, name)) ?? []
    }

    /// An array waits while one of its members does, and has ended when all have.
    public func state(from output: String) -> JobState? {
        var counts: [(count: Int, word: String)] = []
        var reasons: [String] = []
        for line in output.split(whereSeparator: \.isNewline) {
            if let match = line.wholeMatch(of: /(\d+) in state ([A-Z]+)/), let count = Int(match.1) {
                counts.append((count, String(match.2)))
            } else if line.hasPrefix("reason: ") {
                reasons.append(String(line.dropFirst("reason: ".count)))
            }
        }
        counts.sort { $0.word < $1.word }
        let word =
            counts.count == 1 ? counts[0].word : counts.map { "\($0.count) \($0.word)" }.joined(separator: ", ")
        let lost = counts.filter { LSFQueue.phases[$0.word] == .ended }.reduce(0) { $0 + $1.count }
        for phase in [JobState.Phase.waiting, .running, .ended]
        where counts.contains(where: { LSFQueue.phases[$0.word] == phase }) {
            let reason = phase == .waiting && !reasons.isEmpty ? reasons.joined(separator: "; ") : nil
            return JobState(phase, word, reason: reason, lostTasks: lost)
        }
        return output.contains("> is not found") ? JobState(.ended, "not found") : nil
    }

    private static let phases: [String: JobState.Phase] = [
        "PEND": .waiting, "PSUSP": .waiting, "WAIT": .waiting, "PROV": .waiting, "RUN": .running, "USUSP": .running,
        "SSUSP": .running, "UNKWN": .running, "ZOMBI": .running, "DONE": .ended, "EXIT": .ended,
    ]

    /// By the reasons that `bjobs -p` shows, or what `bsub` or a host wrote.
    public func cure(for words: String) -> String? {
        (LSFQueue.cures + AgentCures.all).first { words.contains($0.words) }?.cure
    }

    private static let cures: [(words: String, cure: String)] = [
        ("No such queue", "name a queue that `bqueues` shows"),
        ("User cannot use the queue", "ask who may use the queue: `bqueues -l`"),
        ("Queue has been closed", "name a queue that is open: `bqueues`"),
        ("queue has been closed", "name a queue that is open: `bqueues`"),
        ("inactivated", "name a queue that is active: `bqueues`"),
        ("Too many processors requested", "ask for no more than the queue allows: `bqueues -l`"),
        ("Cannot exceed queue's hard limit", "ask for no more than the queue allows: `bqueues -l`"),
        ("Job array size exceeds", "ask for fewer workers, with more for each job (workersPerJob)"),
        ("User permission denied", "submit as a user whom LSF takes jobs from; it takes none from root"),
        ("Bad resource requirement", "see `man bsub` for what may be asked for"),
        ("Bad ", "see `man bsub` for the options that there are"),
        ("Usage: bsub", "see `man bsub` for the options that there are"),
        ("Illegal option", "see `man bsub` for the options that there are"),
        ("(LIM)", "see whether LSF is up: `lsid`"),
        ("LIM is down", "see whether LSF is up: `lsid`"),
        ("did not answer", "see whether LSF is up: `lsid`"),
        ("ending job threshold", "you are at a limit: wait, or ask for less"),
        ("esource requirements not satisfied", "ask for what some host has: `lshosts`, or wait longer (startLimit)"),
        ("Not enough", "others have what was asked for: wait longer (startLimit), or ask for less"),
        ("ob slot limit reached", "others have what was asked for: wait longer (startLimit), or ask for less"),
    ]

    /// Where LSF is not there just now, or a limit of jobs that wait is reached.
    public func mayPass(_ refusal: String) -> Bool {
        ["ending job threshold", "LIM is down", "Failed in an LSF library call", "mbatchd", "Connection refused"]
            .contains { refusal.contains($0) }
    }
}
