import Agent
import Glibc

/// What Grid Engine is asked for, whether by `qsub` or by `qrsh`.
struct GridEngineOptions: Hashable, Sendable {
    /// Queues that jobs may go to, with commas between; the site's choice if `nil`.
    var queue: String?
    /// Resources that a task needs, as for `-l`.
    var resources: String?
    /// The directory in which agents start.
    var workingDirectory: String?
    /// Other options, word by word.
    var flags: [String]

    /// The user's home directory is the working directory unless told.
    init(queue: String?, resources: String?, workingDirectory: String?, flags: [String]) {
        (self.queue, self.resources, self.flags) = (queue, resources, flags)
        let home = unsafe getenv("HOME").map { unsafe String(cString: $0) }
        self.workingDirectory = workingDirectory ?? home
    }

    /// Options from keys and values that are known at run time: `queue`, `resources`, `working_directory`, and Grid Engine's own, of which `P` and
    /// `physics` are `-P physics`.
    init(_ values: [(String, String)]) {
        self.init(queue: nil, resources: nil, workingDirectory: nil, flags: [])
        for (key, value) in values {
            switch key {
            case "queue": queue = value
            case "resources": resources = value
            case "working_directory": workingDirectory = value
            // Blanks part words, as where `pe` is `smp 4`.
            default: flags += ["-\(key)"] + value.split(separator: " ").map(String.init)
            }
        }
    }

    /// Whether an option is among the user's own.
    func has(_ names: String...) -> Bool { flags.contains { names.contains($0) } }

    /// The words behind the command that submits, for what can't be asked of it.
    ///
    /// - Throws: `LaunchError` for an option that is not for the user to set.
    func words(for request: JobRequest) throws(LaunchError) -> [String] {
        if let word = flags.first(where: { ["-t", "-N"].contains($0) }) {
            throw LaunchError(
                "Grid Engine's \(word) is not for you to set: the number of workers says how many tasks there are, and the "
                    + "job's name belongs to it")
        }
        var words = ["-N", request.name]
        if let workingDirectory, !has("-wd", "-cwd") { words += ["-wd", workingDirectory] }
        // A variable that this process does not have is empty there.
        if !request.exports.isEmpty { words += ["-v", request.exports.joined(separator: ",")] }
        if let queue { words += ["-q", queue] }
        if let resources { words += ["-l", resources] }
        return words + flags
    }

    // MARK: - When the job will be ended

    /// Shell commands that set `MUSTER_JOB_END` to the Unix time, in seconds, at which Grid Engine will end the job, if it will.
    ///
    /// What the user has asked for is the time, since only queues that allow it take the job. Else it is the least of what the
    /// job has by the site's default and what its queue allows, which Grid Engine's commands tell on hosts that have them. At the
    /// soft limit it sends USR1, which ends the agent.
    var endScript: String {
        let end = JobRequest.endVariable
        if let seconds = runTime { return "export \(end)=$(($(date +%s) + \(seconds)))" }
        return #"""
            \#(end)=$({ qstat -j "$JOB_ID"; qconf -sq "$QUEUE@$HOSTNAME"; } </dev/null 2>/dev/null | awk -v now="$(date +%s)" '
                function keep(time,    parts, count, seconds, i) {
                    if (time !~ /^[0-9:]+$/) return
                    count = split(time, parts, ":")
                    for (i = 1; i <= count; i++) seconds = seconds * 60 + parts[i]
                    if (!least || seconds < least) least = seconds
                }
                $1 ~ /^[hs]_rt$/ { keep($2) }
                $1 == "hard" && $2 == "resource_list:" {
                    count = split($3, items, ",")
                    for (item = 1; item <= count; item++) if (items[item] ~ /^[hs]_rt=/) keep(substr(items[item], 6))
                }
                END { if (least) printf "%.0f", now + least }')
            if [ "$\#(end)" ]; then export \#(end); fi
            """#
    }

    /// Seconds that the user has asked for; `nil` if nothing of that.
    private var runTime: Int? {
        ([resources ?? ""] + flags).flatMap { $0.split(separator: ",") }
            .filter { $0.hasPrefix("h_rt=") || $0.hasPrefix("s_rt=") }
            .compactMap { GridEngineOptions.seconds($0.dropFirst(5)) }.min()
    }

    /// `90`, `1:30` or `0:1:30` as seconds.
    static func seconds(_ text: Substring) -> Int? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 3 else { return nil }
        var seconds = 0
        for part in parts {
            // An empty place is none: `:1:30`.
            guard let number = part.isEmpty ? 0 : Int(part), (0...1_000_000_000).contains(number) else { return nil }
            seconds = seconds * 60 + number
        }
        return seconds
    }
}
