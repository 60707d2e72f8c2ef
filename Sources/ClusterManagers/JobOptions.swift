import Glibc

/// How workers are started through a job queue.
public struct JobOptions: Hashable, Sendable {
    /// A directory that this host and those of the job share, for the join file and the job's output; it has to be this
    /// user's, closed to others, and is made if there is none. `~/.muster` unless told.
    public var directory: String
    /// Path of the program on the hosts of the job; it must be the same build. `nil` for this one's own path.
    public var executable: String?
    /// Arguments of agents in place of this process's; they have to bring the program to its first `withCluster` as well. `nil` for
    /// the same, of which scripts and command lines take some 100 KB.
    public var arguments: [String]?
    /// Arguments added behind those.
    public var executableFlags: [String]
    /// Variables to set for agents and workers.
    public var environment: [String: String]
    /// Names of this process's variables that the job has too; nothing else of the environment goes along.
    public var exports: [String]
    /// Workers for each task of the job; one unless told.
    public var workersPerJob: Int
    /// Workers with which the launch is content: it returns when they are up, others join as they come. All unless told; with 0
    /// it returns when the queue has the job.
    public var minimum: Int?
    /// How long the job may take, from its submission on, until its workers are up: what is not there by then is not waited
    /// for any more. 10 minutes unless told.
    public var startLimit: Duration
    /// Whether workers are spared what they can't finish before the queue ends their job, where its end is known: maps give them
    /// no element that would take longer, by the mean of those measured, and shortly before the end they leave, and others do what they
    /// had not done. Otherwise they work until the queue ends them. True unless told.
    public var mindsWallTime: Bool
    /// Most submissions of this process in a minute.
    public var submissionsPerMinute: Int

    /// Collects options.
    public init(
        directory: String = JobOptions.defaultDirectory, executable: String? = nil, arguments: [String]? = nil,
        executableFlags: [String] = [],
        environment: [String: String] = [:], exports: [String] = JobOptions.defaultExports, workersPerJob: Int = 1,
        minimum: Int? = nil, startLimit: Duration = .seconds(600), mindsWallTime: Bool = true,
        submissionsPerMinute: Int = 30
    ) {
        self.directory = directory
        self.executable = executable
        self.arguments = arguments
        self.executableFlags = executableFlags
        self.environment = environment
        self.exports = exports
        self.workersPerJob = workersPerJob
        self.minimum = minimum
        self.startLimit = startLimit
        self.mindsWallTime = mindsWallTime
        self.submissionsPerMinute = submissionsPerMinute
    }

    /// `.muster` in the user's home directory.
    public static var defaultDirectory: String {
        let home = unsafe getenv("HOME") ?? getpwuid(getuid())?.pointee.pw_dir
        return (unsafe home.map { unsafe String(cString: $0) } ?? "/nonexistent") + "/.muster"
    }

    /// Most seconds that ``startLimit`` may be: a year.
    public static let longestStartLimit = 366 * 86_400
    /// Most workers of a launch.
    static let mostWorkers = 1_000_000

    /// What a program needs in order to be found and started.
    public static let defaultExports = ["HOME", "LANG", "LD_LIBRARY_PATH", "PATH", "USER"]
}
