import Agent
public import ClusterRuntime

/// Grid Engine (Son of Grid Engine, Open Grid Scheduler, Univa's and Altair's): an array job by `qsub`, each of whose tasks is an agent.
public struct GridEngineQueue: JobQueue {
    let options: GridEngineOptions

    /// What `qsub` is asked for.
    ///
    /// - Parameters:
    ///   - qsubFlags: Options of `qsub`, word by word: `["-P", "physics"]`.
    ///   - queue: Queues that tasks may go to, with commas between; the site's choice unless told.
    ///   - resources: What each task needs: `h_vmem=4G,tmem=4G`.
    ///   - workingDirectory: The directory in which agents start; the home directory unless told.
    public init(
        qsubFlags: [String] = [], queue: String? = nil, resources: String? = nil, workingDirectory: String? = nil
    ) {
        self.init(
            GridEngineOptions(
                queue: queue, resources: resources, workingDirectory: workingDirectory, flags: qsubFlags))
    }

    init(_ options: GridEngineOptions) { self.options = options }

    /// Grid Engine.
    public var name: String { "Grid Engine" }

    /// All tasks write to one file, which Grid Engine opens for each of them to append.
    public func submission(for request: JobRequest) throws -> JobSubmission {
        var words = ["qsub", "-terse", "-t", "1-\(request.tasks)", "-r", "n", "-b", "n", "-S", "/bin/sh"]
        if !options.has("-o") { words += ["-j", "y", "-o", request.outputFile] }
        let script = """
            #!/bin/sh
            \(options.endScript)
            \(request.agentCommand)

            """
        return JobSubmission(
            command: words + (try options.words(for: request)), script: script, jobName: request.name)
    }

    /// `3.1-4:1`: the number, and the array's first and last task and step.
    public var identifierPattern: String { #"([0-9]+)\.[0-9]+-[0-9]+:[0-9]+"# }

    /// See ``GridEngineState``.
    public var cancelCommand: [String] { GridEngineState.cancelCommand }
    /// See ``GridEngineState``.
    public func stateCommand(for job: String) -> [String] { GridEngineState.command(for: job) }
    /// See ``GridEngineState``.
    public func state(from output: String) -> JobState? { GridEngineState.state(from: output) }
    /// By what Grid Engine's commands or a host wrote.
    public func cure(for words: String) -> String? { GridEngineState.cure(for: words) }
    /// Where its master has no time, or cannot be reached just now, or the limit of a user's jobs is reached.
    public func mayPass(_ refusal: String) -> Bool { GridEngineState.mayPass(refusal) }
}

extension ClusterManager where Self == JobQueueManager<GridEngineQueue> {
    /// Workers through Grid Engine: an array job.
    ///
    /// ```swift
    /// let more = try await cluster.addWorkers(.gridEngine(8, queue: "short.q", resources: "h_vmem=4G,tmem=4G"))
    /// ```
    ///
    /// - Parameters:
    ///   - count: Number of tasks, each with ``JobOptions/workersPerJob`` workers.
    ///   - qsubFlags: Options of `qsub`, word by word: `["-P", "physics"]`.
    ///   - queue: Queues that tasks may go to, with commas between; the site's choice unless told.
    ///   - resources: What each task needs, as for `-l`.
    ///   - workingDirectory: The directory in which agents start; the home directory unless told.
    ///   - address: Where this process listens for agents; this host's private address unless told.
    ///   - options: How workers are started.
    public static func gridEngine(
        _ count: Int, qsubFlags: [String] = [], queue: String? = nil, resources: String? = nil,
        workingDirectory: String? = nil, address: NetworkAddress = .automatic, options: JobOptions = JobOptions()
    ) -> JobQueueManager<GridEngineQueue> {
        let queue = GridEngineQueue(
            qsubFlags: qsubFlags, queue: queue, resources: resources, workingDirectory: workingDirectory)
        return JobQueueManager(queue, count: count, address: address, options: options)
    }
}
