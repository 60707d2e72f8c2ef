import Glibc

/// How workers on other hosts are started over SSH.
public struct SSHOptions: Hashable, Sendable {
    /// The workers' directory there; one that begins with `~/`, or with no slash, is in the user's home directory. `nil` for
    /// this process's, where the host has it, else for the home directory.
    public var directory: String?
    /// Environment variables to set there, besides those that the host gives.
    ///
    /// They are in the command lines of ssh here and of the shell there, which every user of the host can read, as this
    /// process's arguments are: no secrets in them.
    public var environment: [String: String]
    /// Path of the program on the hosts; it must be the same build. `nil` for a copy of this one, or with ``stage`` off for
    /// its own path.
    public var executable: String?
    /// Arguments added behind those of this process.
    public var executableFlags: [String]
    /// OpenSSH's client: its path, or its name for PATH to find. Its own configuration, agent and jump hosts apply.
    public var sshCommand: String
    /// Arguments for it, such as `["-i", "key"]`. What they set goes before what Muster would set itself.
    public var sshFlags: [String]
    /// The login shell on the hosts.
    public var shell: RemoteShell
    /// Whether workers reach this process through the SSH connection, for hosts from which it can't be reached otherwise.
    public var tunnel: Bool
    /// Whether the connections to a host share one, which is kept for a minute.
    public var multiplex: Bool
    /// Hosts that are started on at the same time.
    public var maxParallel: Int
    /// Whether this program is copied to hosts that don't have this build of it, to `~/.cache/muster`.
    public var stage: Bool
    /// How long a host may take until its workers can be started, and a worker to reach its first `withCluster`.
    ///
    /// The variable `MUSTER_WORKER_TIMEOUT`, in seconds, changes the default.
    public var startLimit: Duration

    /// Collects options.
    public init(
        directory: String? = nil, environment: [String: String] = [:], executable: String? = nil,
        executableFlags: [String] = [], sshCommand: String = "ssh", sshFlags: [String] = [],
        shell: RemoteShell = .posix, tunnel: Bool = false, multiplex: Bool = false, maxParallel: Int = 10,
        stage: Bool = true, startLimit: Duration = SSHOptions.defaultStartLimit
    ) {
        self.directory = directory
        self.environment = environment
        self.executable = executable
        self.executableFlags = executableFlags
        self.sshCommand = sshCommand
        self.sshFlags = sshFlags
        self.shell = shell
        self.tunnel = tunnel
        self.multiplex = multiplex
        self.maxParallel = maxParallel
        self.stage = stage
        self.startLimit = startLimit
    }

    /// What `MUSTER_WORKER_TIMEOUT` says in seconds, or 60 s.
    public static var defaultStartLimit: Duration {
        startLimit(fromVariable: unsafe getenv("MUSTER_WORKER_TIMEOUT").map { unsafe String(cString: $0) })
    }

    /// Numbers up to a week; others are taken for none.
    static func startLimit(fromVariable text: String?) -> Duration {
        guard let seconds = text.flatMap(Double.init), seconds > 0, seconds <= 604_800 else { return .seconds(60) }
        return .seconds(seconds)
    }
}
