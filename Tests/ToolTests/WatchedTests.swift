import Foundation
import Testing

/// `Tools/watched`, through which the tests themselves run.
@Suite("a run that is watched", .serialized)
struct WatchedTests {
    private let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Tools/watched")

    @Test("if it ends in time, its status and output are all there is", arguments: [0, 3, 124])
    func ends(status: Int32) async throws {
        let run = try await RunningTool(["50", "sh", "-c", "echo \"$1\"; exit \(status)", "", "a b"], of: script).end()
        #expect(run.status == status && run.output == "a b\n" && run.errors.isEmpty)
    }

    @Test("if not, it is said where all of it stands, and all of it is ended, what it started first")
    func hangs() async throws {
        let time = uniqueTime()
        // The second sleep has lost its parent, and the shell prints something when the third has ended.
        let command = "echo begun; sh -c 'sleep \(time) &'; sleep \(time); echo \"then $?\""
        let run = try await RunningTool(["1", "sh", "-c", command], of: script).end()
        #expect(run.status == 124 && run.leftovers.isEmpty)
        #expect(run.output.hasPrefix("begun\n\nwatched: not ended after 1 s: sh -c"))
        #expect(run.output.split(separator: "-- process").count { $0.contains(": sleep \(time)") } == 2)
        #expect(run.output.contains("nanosleep") && run.output.hasSuffix("then 137\n"))
    }
}
