import Foundation
import Testing

@Suite("muster is ended", .serialized)
struct EndTests {
    /// Runs `map` or `exec` of a command that never ends, with a process in its background; both have `time` in their
    /// command lines, as have the workers.
    private func start(_ subcommand: String, _ time: String) async throws -> RunningTool {
        let command = "sleep \(time) & sleep \(time)"
        let words =
            subcommand == "map"
            ? ["map", "--workers", "2", "\(command) #", ":::", "1", "2", "3"]
            : ["exec", "--workers", "2", "--", "sh", "-c", command]
        let tool = try RunningTool(words)
        // Two copies of the two sleeps; each shell and the tool's own processes hold the time in a longer word.
        #expect(await eventually { processes(with: "sleep\0\(time)").count == 4 })
        return tool
    }

    @Test(
        "by a signal: it ends by that signal, and nothing is left",
        arguments: [("map", SIGINT), ("map", SIGTERM), ("exec", SIGINT), ("exec", SIGTERM), ("exec", SIGHUP)])
    func signal(subcommand: String, signal: Int32) async throws {
        let time = uniqueTime()
        let tool = try await start(subcommand, time)
        tool.signal(signal)
        let run = try await tool.end()
        #expect(run.signal == signal && run.output.isEmpty)
        #expect(await eventually { processes(with: time).isEmpty })
        withExtendedLifetime(tool) {}
    }

    @Test("by SIGKILL: nothing is left", arguments: ["map", "exec"])
    func kill(subcommand: String) async throws {
        let time = uniqueTime()
        let tool = try await start(subcommand, time)
        tool.signal(SIGKILL)
        #expect(try await tool.end().signal == SIGKILL)
        #expect(await eventually { processes(with: time).isEmpty })
        withExtendedLifetime(tool) {}
    }

    @Test("copies that ignore the signal are ended after a while")
    func stubborn() async throws {
        let time = uniqueTime()
        let tool = try RunningTool(
            ["exec", "--workers", "1", "--", "sh", "-c", "trap '' TERM; sleep \(time) & while :; do wait; done"])
        #expect(await eventually { processes(with: "sleep\0\(time)").count == 1 })
        tool.signal(SIGTERM)
        #expect(try await tool.end().signal == SIGTERM)
        #expect(await eventually { processes(with: time).isEmpty })
        withExtendedLifetime(tool) {}
    }
}
