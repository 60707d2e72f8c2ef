import Foundation

/// The commands of a queue that can't be had from packages, as programs of the shell: see Tests/StandIns. They print, refuse and
/// exit as what is measured and documented of the real ones, and run jobs as processes of this host, each in a session of its own.
///
/// Its jobs end with it, and with this process: who describes a queue keeps it.
final class StandIn: Sendable {
    /// Where its commands are.
    let commands: URL
    /// Where it keeps its jobs.
    let state = URL(filePath: "/tmp/muster-stand-in-\(UInt32.random(in: 0...UInt32.max))")

    init(_ name: String) throws {
        commands = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "StandIns/\(name)")
        try FileManager.default.createDirectory(at: state, withIntermediateDirectories: false)
        try Data("\(getpid())\n".utf8).write(to: state.appending(path: "owner"))
    }

    deinit { try? FileManager.default.removeItem(at: state) }

    /// The environment in which its commands are found, and know where their state is.
    ///
    /// - Parameter variable: The variable that tells them, as it tells the real ones where their configuration is.
    func environment(_ variable: String, _ value: String) -> [String: String] {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        return ["PATH": "\(commands.path):\(path)", variable: value]
    }

    /// The path of a command.
    func path(of command: String) -> String { commands.appending(path: command).path }
}
