import Foundation
import Testing

@Suite("Segments of shared memory, from their making to their end", .serialized)
struct SharedSegmentTests {
    private func expect(_ scenario: [String], _ expected: [String: String]) async throws {
        let driver = try Driver(scenario, limit: 60)
        let run = try await driver.end()
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
        for (name, value) in expected { #expect(run.value(name) == value, "\(name): \(run)") }
    }

    @Test("those of elements, captures and results are free when the map is over, here and in the workers")
    func freed() async throws {
        try await expect(
            ["segments-return"],
            [
                "maps": "true true", "call": "4999999", "calls": "true true", "asynchronous": "5000001 true true",
            ])
    }

    @Test("what was sent last is let go of as all else is")
    func lastMessage() async throws {
        try await expect(
            ["last-message"],
            ["echoed": "true", "echoed later": "true", "passed on": "true true", "dropped": "true"])
    }

    @Test("fifty maps take no more memory than ten")
    func rounds() async throws {
        let run = try await drive("rounds", "50", limit: 60)
        #expect(run.value("free") == "true true", "\(run)")
        #expect(run.value("grown")?.hasPrefix("true") == true, "\(run)")
        #expect(run.value("grown")?.hasSuffix("true") == true, "\(run)")
    }

    @Test("a worker that is killed gives back those it had, and keeps those it gave for as long as they are used")
    func killedWorker() async throws {
        try await expect(
            ["killed-with-segments"],
            [
                "killed": "true", "ours": "true", "given back": "true [3]", "theirs": "true", "let go": "true",
                "goes on": "[1, 2, 3]",
            ])
    }

    @Test("a driver that is killed leaves neither processes nor files")
    func killedDriver() async throws {
        func files() -> Set<String> {
            Set(
                (try? FileManager.default.contentsOfDirectory(atPath: "/dev/shm"))?.filter { $0.contains("muster") }
                    ?? [])
        }
        let before = files()
        let driver = try Driver(["lingers-with-segments"])
        try await driver.line(startingWith: "ready")
        driver.signal(SIGKILL)
        let run = try await driver.end()
        #expect(run.signal == SIGKILL && run.leftovers.isEmpty && files().subtracting(before).isEmpty, "\(run)")
    }

    @Test("a shared array is one copy on the host, whichever way it goes")
    func oneCopy() async throws {
        let run = try await drive("one-copy", limit: 60)
        #expect(run.value("megabytes")?.hasPrefix("true") == true, "\(run)")
        let expected = [
            "capture": "true", "element": "true", "argument": "true", "echo": "true", "part of it": "true 40",
            "result": "true true true", "sent back": "true true 40", "to another": "true true",
            "and that copy goes": "true", "left": "true",
        ]
        for (name, value) in expected { #expect(run.value(name) == value, "\(name): \(run)") }
    }
}
