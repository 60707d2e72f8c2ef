import Foundation
import Machine
import Testing

@testable import Agent

@Suite("Spawner")
struct SpawnerTests {
    /// The memory policy of a program that is started with one, as Linux writes it; empty without NUMA.
    private func policy(_ memory: MemoryPolicy?) async throws -> (policy: String, warnings: [String]) {
        let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: file) }
        let script = "sed -n 's/^[^ ]* \\([^ ]*\\) stack .*/\\1/p' /proc/self/numa_maps > '\(file.path)'"
        var launch = ProgramLaunch(
            executable: Array("/bin/sh".utf8), arguments: ["sh", "-c", script].map { Array($0.utf8) })
        launch.memory = memory
        let program = try await launch.startInPlace()
        _ = try await program.end()
        return (try String(contentsOf: file, encoding: .utf8), program.warnings)
    }

    @Test("a memory policy that can't be had leaves the usual one, not that of the process before")
    func policyThatFails() async throws {
        let usual = try await policy(nil)
        // A system that forbids this one forbids them all, and says so.
        let (_, warnings) = try await policy(.interleave([0]))
        let failed = try await policy(.preferred(900))
        #expect(failed.warnings.count == 1 && failed.policy == usual.policy, "after \(warnings)")
    }
}
