import Foundation
import Testing

/// The manager of WriteYourOwnManager.md, which is none of the library's, and the transport of its own.
@Suite("A manager of one's own", .serialized)
struct OwnManagerTests {
    @Test("stands in the documentation as it is compiled")
    func documentation() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let page = try String(
            contentsOf: root.appending(path: "Sources/Muster/Muster.docc/WriteYourOwnManager.md"), encoding: .utf8)
        let source = try String(contentsOf: root.appending(path: "Tests/Program/OwnManager.swift"), encoding: .utf8)
        let blocks = page.components(separatedBy: "```swift\n").dropFirst().map { $0.components(separatedBy: "```")[0] }
        #expect(!blocks.isEmpty && blocks.joined(separator: "\n") == source)
    }

    @Test("brings workers that can do what all can, and is told of them")
    func works() async throws {
        let run = try await drive("own-manager")
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
        #expect(run.value("workers") == "[2, 3]" && run.value("squares") == "true", "\(run)")
        #expect(run.value("sums") == "[1000000.0, 1000001.0, 1000002.0, 1000003.0]", "\(run)")
        #expect(run.value("elsewhere") == "true", "\(run)")
        #expect(run.lines.filter { $0.hasPrefix("number ") } == ["number 2", "number 3"], "\(run)")
        #expect(run.value("death")?.contains("WorkerExited worker=2") == true, "\(run)")
        #expect(run.value("left") == "[1, 2, 3] [3]" && run.value("more") == "[4]", "\(run)")
        for line in ["worker 2 has joined", "worker 2 has left", "worker 3 has left", "worker 4 has left"] {
            #expect(run.lines.filter { $0 == line }.count == 1, "\(run)")
        }
    }

    @Test("leaves nothing behind, however its driver ends", arguments: [SIGINT, SIGKILL])
    func ends(signal: Int32) async throws {
        let driver = try Driver(["own-manager-wait"])
        try await driver.line(startingWith: "ready")
        driver.signal(signal)
        let run = try await driver.end()
        try await driver.poll { driver.descendants().isEmpty }
        #expect(driver.descendants() == [], "\(run)")
    }
}
