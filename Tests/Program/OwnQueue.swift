import Muster

/// Jobs in the background of this host: the shell is the queue, and a job's number is that of its process group.
struct BackgroundQueue: JobQueue {
    var name: String { "Background" }

    func submission(for request: JobRequest) -> JobSubmission {
        let exports = request.exports.map { "${\($0)+\($0)=\"$\($0)\"}" }.joined(separator: " ")
        let command = """
            script=$(cat)
            setsid env -i \(exports) /bin/sh -c "$script" </dev/null >"$1" 2>&1 &
            echo "background job $!"
            """
        let agents = [String](repeating: "(\(request.agentCommand)) &", count: request.tasks)
        return JobSubmission(
            command: ["/bin/sh", "-c", command, "submit", request.outputFile],
            script: agents.joined(separator: "\n") + "\nwait\n")
    }

    var identifierPattern: String { "background job ([0-9]+)" }

    var cancelCommand: [String] {
        ["/bin/sh", "-c", "kill -TERM -- \"-$1\" || ! kill -0 -- \"-$1\"", "cancel"]
    }

    func stateCommand(for job: String) -> [String] {
        ["/bin/sh", "-c", "kill -0 -- \"-$1\" && echo running || echo ended", "state", job]
    }

    func state(from output: String) -> JobState? {
        switch output.split(separator: "\n").last {
        case "running": JobState(.running, "running")
        case "ended": JobState(.ended, "ended")
        default: nil
        }
    }

    func cure(for words: String) -> String? {
        words.contains("not found") ? "give the program's path (executable)" : nil
    }

    func mayPass(_ refusal: String) -> Bool { false }
}

extension ClusterManager where Self == JobQueueManager<BackgroundQueue> {
    /// Workers in the background of this host.
    static func background(_ count: Int, options: JobOptions = JobOptions()) -> Self {
        JobQueueManager(BackgroundQueue(), count: count, address: .loopback, options: options)
    }
}
