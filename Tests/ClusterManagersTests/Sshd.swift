import Agent
import Foundation
import Testing

@testable import ClusterManagers

/// A real sshd for each connection, see Tests/Sshd/make; nothing of it is left when this is gone.
final class Sshd {
    let directory: URL
    var flags: [String] { ["-F", directory.appending(path: "ssh_config").path] }

    /// - Parameter lines: Lines of its configuration.
    /// - Returns: `nil` where there is no sshd, which is said.
    init?(_ lines: String...) async throws {
        directory = URL(filePath: "/tmp/sshd-\(UInt32.random(in: 0...UInt32.max))")
        let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Sshd/make")
        let made = try await run([script.path, directory.path] + lines)
        if made.end.program == .exited(status: 77) {
            skip("no sshd")
            return nil
        }
        try #require(made.end.program == .exited(status: 0), "\(made.end)")
    }

    deinit { try? FileManager.default.removeItem(at: directory) }

    /// What its server has noted.
    var log: String { (try? String(contentsOf: directory.appending(path: "log"), encoding: .utf8)) ?? "" }
}
