import Foundation
import Testing

/// The queue of WriteYourOwnQueue.md, which is none of the library's, and can do what those can.
@Suite("A queue of one's own", .serialized)
struct OwnQueueTests {
    private func expectNothing(of driver: Driver, in directory: PrivateDirectory, _ run: DriverRun) async throws {
        try await driver.poll { driver.descendants().isEmpty }
        #expect(driver.descendants() == [], "\(run)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == [], "\(run)")
    }

    @Test("stands in the documentation as it is compiled")
    func documentation() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let page = try String(
            contentsOf: root.appending(path: "Sources/Muster/Muster.docc/WriteYourOwnQueue.md"), encoding: .utf8)
        let source = try String(contentsOf: root.appending(path: "Tests/Program/OwnQueue.swift"), encoding: .utf8)
        let blocks = page.components(separatedBy: "```swift\n").dropFirst().map { $0.components(separatedBy: "```")[0] }
        #expect(!blocks.isEmpty && blocks.joined(separator: "\n") == source)
    }

    @Test("brings workers, with nothing of the environment but what is said")
    func map() async throws {
        let directory = try PrivateDirectory()
        let driver = try Driver(
            ["own-queue", directory.path], environment: ["MUSTER_TEST_SECRET": "not for others"])
        let run = try await driver.end()
        #expect(run.status == 0 && run.value("squares") == "true" && run.value("exported") == "false", "\(run)")
        try await expectNothing(of: driver, in: directory, run)
    }

    @Test("has its jobs cancelled when the driver ends, in whatever way", arguments: [SIGINT, SIGKILL])
    func ends(signal: Int32) async throws {
        let directory = try PrivateDirectory()
        let driver = try Driver(["own-queue-wait", directory.path])
        try await driver.line(startingWith: "ready")
        driver.signal(signal)
        try await expectNothing(of: driver, in: directory, try await driver.end())
    }

    @Test("tells how a job ended that brought no workers")
    func failure() async throws {
        let directory = try PrivateDirectory()
        let driver = try Driver(["own-queue-failure", directory.path, "/nowhere/program"])
        let run = try await driver.end()
        #expect(
            run.output.contains("its state is ended") && run.output.contains("/nowhere/program: not found"), "\(run)")
        #expect(run.output.contains("give the program's path"), "\(run)")
        try await expectNothing(of: driver, in: directory, run)
    }
}
