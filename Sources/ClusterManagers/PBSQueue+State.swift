extension PBSQueue {
    /// `4.server`, or of an array `4[].server`.
    public var identifierPattern: String { #"([0-9]+(\[\])?\.[A-Za-z0-9_.-]+)"# }

    /// Succeeds for a job that has ended, or of which the server knows nothing any more.
    public var cancelCommand: [String] {
        let shell = """
            said=$(qdel "$1" 2>&1)
            status=$?
            case $status:$said in 35:* | 153:* | *COMPLETE*) exit 0 ;; esac
            [ -z "$said" ] || printf '%s\\n' "$said" >&2
            exit "$status"
            """
        return ["/bin/sh", "-c", shell, "qdel"]
    }

    /// Where the server keeps a history, of an ended job what that says.
    public func stateCommand(for job: String) -> [String] {
        let shell = """
            qstat -f "$1" 2>&1
            [ $? = 35 ] && qstat -x -f "$1"
            """
        return ["/bin/sh", "-c", shell, "qstat", job]
    }

    /// An array has one record, whose `array_state_count` tells of its members, or with Torque as many as members.
    public func state(from output: String) -> JobState? {
        let states = PBSQueue.attributes(in: output).compactMap(PBSQueue.state)
        for phase in [JobState.Phase.waiting, .running, .ended] {
            guard var state = states.first(where: { $0.phase == phase }) else { continue }
            if states.count > 1 { state.lostTasks = states.count { $0.phase == .ended } }
            return state
        }
        if output.contains("Unknown Job Id") { return JobState(.ended, "unknown job") }
        return output.contains("Job has finished") ? JobState(.ended, "F") : nil
    }

    private static func state(of attributes: [String: String]) -> JobState? {
        guard let word = attributes["job_state"], var phase = phases[word] else { return nil }
        var reason = attributes["comment"]
        var lost = 0
        if phase == .running, let counts = attributes["array_state_count"]?.split(separator: " ") {
            reason = counts.joined(separator: " ")
            if !counts.contains("Queued:0") { phase = .waiting }
            lost = counts.compactMap { $0.wholeMatch(of: /Expired:(\d+)/).flatMap { Int($0.1) } }.first ?? 0
        } else if word == "H", let holds = attributes["Hold_Types"] {
            reason = "Hold_Types = \(holds)" + (reason.map { ", \($0)" } ?? "")
        } else if phase == .ended, let status = attributes["Exit_status"] {
            reason = (reason.map { "\($0), " } ?? "") + "Exit_status = \(status)"
        }
        return JobState(phase, word, reason: reason, lostTasks: lost)
    }

    private static let phases: [String: JobState.Phase] = [
        "Q": .waiting, "H": .waiting, "W": .waiting, "T": .waiting, "R": .running, "B": .running, "E": .running,
        "S": .running, "U": .running, "F": .ended, "X": .ended, "C": .ended, "M": .ended,
    ]

    /// The lines `name = value` of each job that is shown; a long value goes on in lines that begin with a tab.
    private static func attributes(in output: String) -> [[String: String]] {
        var records: [[String: String]] = []
        let unfolded = output.replacing("\r\n", with: "\n").replacing("\n\t", with: "")
        for line in unfolded.split(separator: "\n") {
            if line.hasPrefix("Job Id: ") { records.append([:]) }
            guard !records.isEmpty, line.hasPrefix("    "), let sign = line.firstRange(of: " = ") else { continue }
            let name = line[..<sign.lowerBound].drop { $0 == " " }
            records[records.count - 1][String(name)] = String(line[sign.upperBound...])
        }
        return records
    }

    /// By the comment that `qstat` shows, or what `qsub` or a host wrote.
    public func cure(for words: String) -> String? {
        (PBSQueue.cures + AgentCures.all).first { words.contains($0.words) }?.cure
    }

    private static let cures: [(words: String, cure: String)] = [
        ("Unknown queue", "name a queue that `qstat -Q` shows"),
        ("Queue is not enabled", "name a queue that takes jobs: `qstat -Q`"),
        ("Queue not started", "name a queue that is started: `qstat -Q`"),
        ("Unauthorized Request", "ask who may use the queue: `qstat -Qf`"),
        ("Bad UID", "submit as a user whose jobs the server runs; it may run none of root"),
        ("Can Never Run", "ask for what some host has: `pbsnodes -a`"),
        ("exceeds queue resource limits", "ask for less than the queue allows: `qstat -Qf`"),
        ("violates queue and/or server resource limits", "ask for less than the queue allows: `qstat -Qf`"),
        ("Unknown resource", "see `man pbs_resources` for what may be asked for"),
        ("illegal -", "see `man qsub` for the options that there are"),
        ("invalid option", "see `man qsub` for the options that there are"),
        ("cannot connect to server", "see whether the server is up: `qstat -B`"),
        ("did not answer", "see whether the server is up: `qstat -B`"),
        ("would exceed", "you are at a limit: wait, or ask for less"),
        ("Maximum number of jobs", "you are at a limit: wait, or ask for less"),
        ("Hold_Types", "the job is held: `qrls`, or ask who holds it"),
        (
            "Insufficient amount of resource",
            "others have what was asked for: wait longer (startLimit), or ask for less"
        ),
        ("exceeded resource walltime", "ask for more walltime (resources)"),
        ("Exit_status = 271", "the job was deleted, or was at the end of its walltime: ask for more (resources)"),
    ]

    /// Where the server is not there just now, or a limit of jobs in the queue is reached.
    public func mayPass(_ refusal: String) -> Bool {
        ["cannot connect to server", "Connection refused", "would exceed", "Maximum number of jobs"]
            .contains { refusal.contains($0) }
    }
}
