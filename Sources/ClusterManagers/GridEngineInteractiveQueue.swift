import Agent
public import ClusterRuntime

/// Grid Engine's interactive jobs: a `qrsh` for each worker, which stays as long as its job.
///
/// The key goes through the standard input of `qrsh`, so that nothing is written to a file system, and none has to be shared but for
/// the program.
public struct GridEngineInteractiveQueue: JobQueue {
    let options: GridEngineOptions

    /// What `qrsh` is asked for.
    ///
    /// - Parameters:
    ///   - qrshFlags: Options of `qrsh`, word by word: `["-P", "physics"]`.
    ///   - queue: Queues that jobs may go to, with commas between; the site's choice unless told.
    ///   - resources: What each job needs: `h_vmem=4G,tmem=4G`.
    ///   - workingDirectory: The directory in which agents start; the home directory unless told.
    public init(
        qrshFlags: [String] = [], queue: String? = nil, resources: String? = nil, workingDirectory: String? = nil
    ) {
        self.init(
            GridEngineOptions(
                queue: queue, resources: resources, workingDirectory: workingDirectory, flags: qrshFlags))
    }

    init(_ options: GridEngineOptions) { self.options = options }

    /// Grid Engine (qrsh).
    public var name: String { "Grid Engine (qrsh)" }
    /// A job is a `qrsh` here.
    public var hasJobPerTask: Bool { true }
    /// What `qrsh` reads goes to its command.
    public var joinsByInput: Bool { true }

    /// All jobs have one name, by which they are cancelled: a `qrsh` that waits takes its job along only if it is not killed.
    public func submission(for request: JobRequest) throws -> JobSubmission {
        // Without the login shell, which would take the words apart.
        var words = ["qrsh", "-noshell"]
        if !options.has("-now") { words += ["-now", "n"] }
        words += try options.words(for: request)
        words += ["/bin/sh", "-c", "\(options.endScript)\n\(request.agentCommand)"]
        return JobSubmission(command: words, isAttached: true, jobName: request.name)
    }

    /// It tells no number.
    public var identifierPattern: String { "()" }

    /// See ``GridEngineState``.
    public var cancelCommand: [String] { GridEngineState.cancelCommand }
    /// See ``GridEngineState``.
    public func stateCommand(for job: String) -> [String] { GridEngineState.command(for: job) }
    /// See ``GridEngineState``.
    public func state(from output: String) -> JobState? { GridEngineState.state(from: output) }
    /// By what Grid Engine's commands or a host wrote.
    public func cure(for words: String) -> String? { GridEngineState.cure(for: words) }

    /// As with `qsub`, and where a job is not to wait (`-now y`) and nothing is free. One that waits ends with these words when somebody
    /// cancels it.
    public func mayPass(_ refusal: String) -> Bool {
        GridEngineState.mayPass(refusal) || (options.has("-now") && refusal.contains("could not be scheduled"))
    }
}

extension ClusterManager where Self == JobQueueManager<GridEngineInteractiveQueue> {
    /// Workers through Grid Engine's interactive jobs, one `qrsh` for each, past the file system.
    ///
    /// - Parameters:
    ///   - count: Number of jobs, each with ``JobOptions/workersPerJob`` workers.
    ///   - qrshFlags: Options of `qrsh`, word by word; with `["-now", "y"]` what can't start at once is tried again.
    ///   - queue: Queues that jobs may go to, with commas between; the site's choice unless told.
    ///   - resources: What each job needs, as for `-l`.
    ///   - workingDirectory: The directory in which agents start; the home directory unless told.
    ///   - address: Where this process listens for agents; this host's private address unless told.
    ///   - options: How workers are started; ``JobOptions/directory`` is of no use here.
    public static func qrsh(
        _ count: Int, qrshFlags: [String] = [], queue: String? = nil, resources: String? = nil,
        workingDirectory: String? = nil, address: NetworkAddress = .automatic, options: JobOptions = JobOptions()
    ) -> JobQueueManager<GridEngineInteractiveQueue> {
        let queue = GridEngineInteractiveQueue(
            qrshFlags: qrshFlags, queue: queue, resources: resources, workingDirectory: workingDirectory)
        return JobQueueManager(queue, count: count, address: address, options: options)
    }
}
