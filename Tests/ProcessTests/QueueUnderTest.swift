import Foundation
import Testing

/// A job queue that tests run over: how a user asks for what a test needs, and how its jobs are seen and cancelled without Muster.
struct QueueUnderTest: Sendable {
    /// A job of the queue's as its own command shows it.
    struct Job: Hashable, Sendable {
        /// The name that it was given.
        var name: String
        /// What the command that cancels takes.
        var number: String
        var isRunning: Bool
    }

    /// Its name behind `--on`.
    var kind: String
    /// What a test prints where it can't run.
    var missing: String
    /// Whether what answers is the queue that Tools/schedulers brings up, or a stand-in: nobody's cluster gets jobs from tests.
    var isThere: @Sendable () async throws -> Bool
    /// Its jobs that are not over.
    var jobs: @Sendable () async throws -> [Job]
    /// Cancels a job as a user would.
    var cancel: @Sendable (_ number: String) async throws -> Void
    /// The command that submits, by its path.
    var submitCommand = ""
    /// Options of a job that starts at once.
    var running: [String] = []
    /// Options of a job that waits for ever.
    var waiting: [String]
    /// Options of a job that the queue ends after so many seconds.
    var ending: (options: [String], seconds: Int)?
    /// What else the driver's environment has.
    var environment: [String: String] = [:]
    /// The test program, where it is not the one beside the tests.
    var program: URL?
    /// Words that tell the test program how to start jobs, see `QueueArguments` there.
    var choices: [String] = []
    /// Whose jobs they are, where the queue takes none from whoever runs the tests.
    var owner: Owner?

    /// A user of this host's.
    struct Owner: Hashable, Sendable {
        let name: String
        let user: uid_t
        let group: gid_t

        /// - Returns: `nil` if there is no such user.
        init?(name: String) {
            guard let entry = unsafe getpwnam(name)?.pointee else { return nil }
            (self.name, user, group) = unsafe (name, entry.pw_uid, entry.pw_gid)
        }

        /// Words that run the command behind them as this user.
        var words: [String] {
            ["/usr/bin/setpriv", "--reuid", "\(user)", "--regid", "\(group)", "--clear-groups"]
        }
    }

    /// Runs a command of the queue's for a test.
    static func run(_ path: String, _ arguments: String..., environment: [String: String] = [:]) async throws
        -> DriverRun
    {
        guard FileManager.default.isExecutableFile(atPath: path) else { throw CocoaError(.fileNoSuchFile) }
        let driver = try Driver(arguments, limit: 30, environment: environment, executable: URL(filePath: path))
        return try await driver.end()
    }

    /// The path of a command that the environment's `PATH` finds; `nil` where there is none.
    static func path(of command: String) -> String? {
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(command)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }
}
