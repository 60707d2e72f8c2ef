import Agent
public import ClusterRuntime
import Glibc
import Placement
import Remote

/// Workers through a job queue: one job whose tasks are agents, which join this driver.
///
/// The job gets a path, never a secret: a join file that only this user can read, in a directory that the job's hosts share; or
/// its agents read from their standard input, where a queue has commands that hand it to them. This
/// process listens for the agents, so their hosts have to reach it. The job is cancelled when the cluster ends, and when this
/// process does, in whatever way: a small shell, which has submitted it, sees to that.
public struct JobQueueManager<Queue: JobQueue>: SubmittingManager {
    /// The queue.
    public let queue: Queue
    /// Number of the job's tasks.
    public let count: Int
    /// Where this process listens for agents.
    public let address: NetworkAddress
    /// How workers are started.
    public let options: JobOptions

    /// Names the queue, and what is wanted there.
    ///
    /// - Parameters:
    ///   - count: Number of the job's tasks, each with ``JobOptions/workersPerJob`` workers.
    ///   - address: Where this process listens for agents; this host's private address unless told.
    ///   - options: How workers are started.
    public init(
        _ queue: Queue, count: Int, address: NetworkAddress = .automatic, options: JobOptions = JobOptions()
    ) {
        (self.queue, self.count, self.address, self.options) = (queue, count, address, options)
    }

    /// Submits one job, and waits for its workers.
    ///
    /// - Throws: ``JobFailure`` with the job's state and reason, the end of its output, and the likely cure; `LaunchError` for what
    ///   can't be had; what keeps this process from listening. Then the job is cancelled.
    public func launch(_ site: LaunchSite) async throws {
        let (request, submission) = try prepare()
        let port: any DriverPort =
            if let dialled { dialled.port(for: request, on: try site.network) } else {
                try await site.network.listen(at: address, port: 0)
            }
        let launch = JobLaunch(
            queue: queue, request: request, submission: submission, options: options,
            workerStartLimit: try StartLimit.seconds(), site: site)
        try await launch.run(port)
    }

    /// The submission as one would type it; nothing is submitted. Only the job's name is another each time.
    ///
    /// - Throws: What can't be asked of the queue.
    public func dryRun() throws -> String {
        let submission = try prepare().submission.description
        return queue.hasJobPerTask && count > 1 ? "# \(count) times:\n\(submission)" : submission
    }

    /// The queue, if this process dials its agents.
    private var dialled: (any DialledQueue)? {
        guard let queue = queue as? any DialledQueue, queue.isDialled else { return nil }
        return queue
    }

    private func prepare() throws -> (request: JobRequest, submission: JobSubmission) {
        guard count >= 1 else { throw LaunchError("\(count) tasks were asked for; ask for at least one") }
        guard options.workersPerJob >= 1 else {
            throw LaunchError("workersPerJob is \(options.workersPerJob); each task has at least one worker")
        }
        let (workers, isTooMany) = count.multipliedReportingOverflow(by: options.workersPerJob)
        guard !isTooMany, workers <= JobOptions.mostWorkers else {
            throw LaunchError(
                "\(count) tasks of \(options.workersPerJob) workers are more than \(JobOptions.mostWorkers)")
        }
        guard options.startLimit <= .seconds(JobOptions.longestStartLimit) else {
            throw LaunchError("a startLimit of more than a year: give up to \(JobOptions.longestStartLimit) s")
        }
        guard options.startLimit > .zero, options.submissionsPerMinute >= 1 else {
            throw LaunchError("a startLimit of no time, or no submission in a minute, leaves no way to start")
        }
        guard options.directory.hasPrefix("/") else {
            throw LaunchError(
                "the directory \"\(options.directory)\" has to be absolute, since jobs start elsewhere: give one that hosts share"
            )
        }
        guard let program = options.executable ?? ProgramPath.current else {
            throw LaunchError("this program's file is gone or can't be found: give executable")
        }
        let name = "muster-\(getpid())-\(String(UInt32.random(in: 0 ... .max), radix: 16))"
        let base = options.directory + "/join-" + name
        let own = OwnProcess.arguments
        let arguments = options.arguments ?? own.map { String(decoding: $0, as: UTF8.self) }
        guard options.arguments != nil || arguments.map({ Array($0.utf8) }) == own else {
            throw LaunchError("an argument of this process is not UTF-8, so it can't stand in a job's script")
        }
        var environment = options.environment.sorted { $0.key < $1.key }
            .map { JobRequest.Variable(name: $0.key, value: $0.value) }
        for variable in environment where !RemoteCommand.Variable(variable.name, "").hasValidName {
            throw LaunchError("\"\(variable.name)\" is no name of a variable")
        }
        let source: JoinSource =
            queue.joinsByInput ? .descriptor(CInt(JobRequest.inputDescriptor)) : .file(base)
        environment.append(.init(name: Role.variable, value: Role.value(join: source)))
        var request = JobRequest(
            name: name, tasks: count, workersPerTask: options.workersPerJob, outputFile: base + ".out",
            exports: options.exports, program: [program] + arguments + options.executableFlags,
            environment: environment, joinsByInput: queue.joinsByInput,
            startLimit: options.startLimit)
        request.joinFiles = dialled == nil ? [base] : (0..<count).map { "\(base)-\($0)" }
        var part = request
        if queue.hasJobPerTask { part.tasks = 1 }
        return (request, try queue.submission(for: part))
    }
}
