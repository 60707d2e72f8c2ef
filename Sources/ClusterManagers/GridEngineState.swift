/// What Grid Engine's commands say of jobs, by number or name.
enum GridEngineState {
    /// `qdel`, which fails for a job that has ended: that is as good.
    static let cancelCommand = [
        "/bin/sh", "-c",
        #"said=$(qdel "$1" 2>&1) && exit 0; case $said in *"does not exist"*) exit 0 ;; esac; exit 1"#, "qdel",
    ]

    /// The user's jobs with their states, and then the one with what keeps it from starting; of one that has ended what the accounting
    /// has, which may be a long file.
    static func command(for job: String) -> [String] {
        ["/bin/sh", "-c", #"qstat -xml; qstat -j "$1" 2>&1 || timeout 10 qacct -j "$1" 2>/dev/null"#, "qstat", job]
    }

    /// The states of all jobs of that number or name, and what keeps those from starting that wait, or how they ended.
    static func state(from output: String) -> JobState? {
        /// Jobs and how many tasks their arrays had from the start; none where a job is no array.
        var described: [Substring: Int] = [:]
        var listed: [Substring: [Entry]] = [:]
        var (number, latest): (Substring?, Substring?)
        for line in output.split(whereSeparator: \.isNewline) {
            let words = line.split(separator: " ")
            if words.count == 2, words[0] == "job_number:" {
                described[words[1]] = 0
                latest = words[1]
            } else if words.count == 3, words[0] == "job-array", words[1] == "tasks:", let latest {
                described[latest] = count(words[2])
            } else if let text = element("JB_job_number", line) {
                number = text
            } else if let text = element("state", line), let number {
                listed[number, default: []].append(Entry(state: String(text)))
            } else if let text = element("tasks", line), let number, let last = listed[number]?.indices.last {
                listed[number]?[last].tasks = count(text)
            } else if line.hasPrefix("Following jobs do not exist") {
                let ends = ends(output)
                return JobState(.ended, "ended", reason: ends.isEmpty ? nil : ends.joined(separator: "; "))
            }
        }
        var entries: [Entry] = []
        var lost = 0
        for (number, count) in described {
            guard let present = listed[number] else { continue }
            entries += present
            // Those that are over are not listed any more.
            lost += max(0, count - present.reduce(0) { $0 + $1.tasks })
            lost += present.reduce(0) { $0 + ($1.state.hasPrefix("E") ? $1.tasks : 0) }
        }
        guard !entries.isEmpty else { return nil }
        let isWaiting = entries.contains { $0.state.contains("q") }
        let reasons = reasons(output)
        return JobState(
            isWaiting ? .waiting : .running, Set(entries.map(\.state)).sorted().joined(separator: ","),
            reason: isWaiting && !reasons.isEmpty ? reasons.joined(separator: "; ") : nil,
            lostTasks: lost)
    }

    /// A job, or those tasks of it that have the same state; `E` stands before that of such as could not be started, and are not tried
    /// again.
    private struct Entry {
        var state: String
        var tasks = 1
    }

    /// How many tasks `1,4` or `1-7:2,9` are.
    private static func count(_ tasks: Substring) -> Int {
        tasks.split(separator: ",").reduce(0) { sum, part in
            let numbers = part.split { "-:".contains($0) }.compactMap { Int($0) }
            guard numbers.count > 1, numbers[1] >= numbers[0], numbers[1] < 1 << 30 else { return sum + 1 }
            return sum + (numbers[1] - numbers[0]) / max(1, numbers.count > 2 ? numbers[2] : 1) + 1
        }
    }

    /// The text of an element of XML that has a line for itself.
    private static func element(_ name: String, _ line: Substring) -> Substring? {
        let text = line.drop { $0 == " " }
        guard text.hasPrefix("<\(name)>"), text.hasSuffix("</\(name)>") else { return nil }
        return text.dropFirst(name.count + 2).dropLast(name.count + 3)
    }

    /// The first few lines of why a job has failed to start, or is not started.
    private static func reasons(_ output: String) -> [String] {
        var errors: [String] = []
        var obstacles: [String] = []
        var queues: Substring?
        var isScheduling = false
        for line in output.split(whereSeparator: \.isNewline) {
            var text = line[...]
            if !line.hasPrefix(" ") {
                guard let colon = line.firstIndex(of: ":") else { continue }
                let key = line[..<colon]
                text = line[line.index(after: colon)...]
                isScheduling = key == "scheduling info"
                if key == "hard_queue_list" { queues = text.drop { $0 == " " } }
                // `11/22/2026 03:19:09 [0:26161]: error: can't chdir to …`
                if key.hasPrefix("error reason") {
                    errors.append(String(text.firstRange(of: "]: ").map { text[$0.upperBound...] } ?? text))
                }
            }
            guard isScheduling else { continue }
            let reason = String(text.drop { $0 == " " })
            if isAbout(queues, reason) { obstacles.append(reason) }
        }
        var found: [String] = []
        for reason in errors + obstacles where !found.contains(reason) && found.count < 3 { found.append(reason) }
        return found
    }

    /// How the tasks of a job ended that did not end well, as the accounting has it: by its words, or their exit statuses.
    private static func ends(_ output: String) -> [String] {
        var found: Set<String> = []
        for line in output.split(whereSeparator: \.isNewline) {
            let words = line.split(separator: " ")
            guard words.count >= 2, words[1] != "0" else { continue }
            if words[0] == "failed", words.count > 3, words[2] == ":" {
                found.insert(words[3...].joined(separator: " "))
            } else if words[0] == "exit_status" {
                found.insert("exit status \(words[1])")
            }
        }
        return Array(found.sorted().prefix(3))
    }

    /// Whether a reason has to do with a job that may go to these queues: Grid Engine tells of the others as well.
    private static func isAbout(_ queues: Substring?, _ reason: String) -> Bool {
        if reason.isEmpty || reason.hasPrefix("(Collecting of scheduler") { return false }
        if reason.contains("not contained in its hard queue list") { return false }
        guard let queues, reason.hasPrefix("queue instance \"") else { return true }
        let name = reason.dropFirst(16).prefix { $0 != "@" && $0 != "\"" }
        return queues.contains { "*@?![".contains($0) } || queues.split(separator: ",").contains(name)
    }

    static func mayPass(_ refusal: String) -> Bool {
        [
            "commlib error", "unable to send message to qmaster", "unable to contact qmaster",
            "failed receiving gdi request", "Cannot get configuration from qmaster", "jobs are allowed per user",
            "maximum number of jobs",
        ].contains { refusal.contains($0) }
    }
}
