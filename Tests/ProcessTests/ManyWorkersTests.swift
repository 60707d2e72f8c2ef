import Foundation
import Testing

@Suite("256 workers on one host", .serialized)
struct ManyWorkersTests {
    @Test(
        "they answer, map and end without a trace, also where the soft limit on open files is far too low",
        arguments: [("1024", "anywhere"), ("256", "affinity")])
    func answer(limit: String, manager: String) async throws {
        let run = try await drive("many", "256", manager, limit: 60, shell: "ulimit -Sn \(limit); exec \"$@\"")
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
        #expect(run.value("answers") == "256 of 256 processes", "\(run)")
        #expect(run.value("squares") == "true", "\(run)")
        #expect(run.value("each takes")?.hasSuffix("limit raised true") == true, "\(run)")
        #expect(run.value("limits of workers as before") == "true", "\(run)")
        #expect(run.value("the program's next descriptor below its limit") == "true", "\(run)")
        #expect(run.value("processes") == "0" && run.value("descriptors") == "as before", "\(run)")
        #expect(run.errors.contains("256 workers on ") == (manager == "affinity"), "\(run)")
    }

    @Test("where the hard limit is too low, the error says what helps, and nothing was started")
    func hardLimit() async throws {
        let run = try await drive("many", "256", limit: 60, shell: "ulimit -n 200; exec \"$@\"")
        #expect(run.status == 1 && run.leftovers.isEmpty, "\(run)")
        let pattern = /cannot start 256 workers: .* no more than 200 .* ask for at most [0-9]+ here, .*ulimit -Hn/
        #expect(try pattern.firstMatch(in: run.output) != nil, "\(run)")
    }

    @Test("a signal ends them all, and the driver by that signal", arguments: [SIGINT, SIGKILL])
    func signalled(signal: Int32) async throws {
        let driver = try Driver(["many", "256", "lingers"], limit: 60)
        try await driver.line(startingWith: "ready")
        #expect(driver.descendants().count == 256)
        driver.signal(signal)
        let run = try await driver.end()
        #expect(run.signal == signal && run.leftovers.isEmpty, "\(run)")
    }
}
