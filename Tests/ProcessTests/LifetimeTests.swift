import Foundation
import Testing

@Suite("No process is left behind", .serialized)
struct LifetimeTests {
    @Test(
        "leaving withCluster ends the workers and what they started",
        arguments: [
            ("return", "no error"), ("throw", "Farewell"), ("cancel", "CancellationError"), ("busy", "no error"),
        ])
    func leaves(how: String, outcome: String) async throws {
        let run = try await drive("leaves", how)
        #expect(run.value("left by \(how)")?.hasPrefix(outcome) == true && run.status == 0, "\(run)")
        #expect(run.leftovers.isEmpty, "\(run)")
    }

    @Test(
        "SIGINT, SIGTERM and SIGHUP end the workers first, then the driver by the same signal",
        arguments: [SIGINT, SIGTERM, SIGHUP])
    func signalled(signal: Int32) async throws {
        let driver = try Driver(["lingers"])
        try await driver.line(startingWith: "ready")
        #expect(driver.descendants().count == 4, "two workers and their sleeps")
        driver.signal(signal)
        let run = try await driver.end()
        #expect(run.signal == signal && run.leftovers.isEmpty, "\(run)")
    }

    @Test("a signal that comes as withCluster is left is not lost", arguments: 1...5)
    func signalledAtItsEnd(round: Int) async throws {
        let run = try await drive("signalled-at-its-end")
        #expect(run.signal == SIGTERM, "\(run)")
    }

    @Test("a body that does not heed its cancellation has 5 s, then all is ended")
    func stubborn() async throws {
        let driver = try Driver(["lingers", "stubborn"])
        try await driver.line(startingWith: "ready")
        let start = ContinuousClock.now
        driver.signal(SIGTERM)
        let run = try await driver.end()
        #expect(run.signal == SIGTERM && run.leftovers.isEmpty, "\(run)")
        #expect(.now - start > .seconds(4))
    }

    @Test("a second SIGINT ends the driver at once, and its workers with it")
    func impatient() async throws {
        let driver = try Driver(["lingers", "stubborn"])
        try await driver.line(startingWith: "ready")
        driver.signal(SIGINT)
        driver.signal(SIGINT)
        try await Task.sleep(for: .milliseconds(50))  // two pending signals of one kind are one
        driver.signal(SIGINT)
        let run = try await driver.end()
        #expect(run.signal == SIGINT && run.leftovers.isEmpty, "\(run)")
    }

    @Test("stopped workers are ended too", arguments: [SIGINT, SIGKILL])
    func stopped(signal: Int32) async throws {
        let driver = try Driver(["lingers", "stopped"])
        try await driver.line(startingWith: "ready")
        driver.signal(signal)
        let run = try await driver.end()
        #expect(run.signal == signal && run.leftovers.isEmpty, "\(run)")
    }

    @Test("the workers of a driver that was killed, and what they started, are gone within a second")
    func killed() async throws {
        let driver = try Driver(["lingers"])
        try await driver.line(startingWith: "ready")
        driver.signal(SIGKILL)
        let run = try await driver.end()
        #expect(run.signal == SIGKILL && run.leftovers.isEmpty, "\(run)")
    }

    @Test("workers that are still starting end with a driver that was killed")
    func killedEarly() async throws {
        let driver = try Driver(["slow-start", "1000"])
        try await driver.poll { driver.descendants().count == 4 }
        driver.signal(SIGKILL)
        let run = try await driver.end()
        #expect(run.signal == SIGKILL && run.leftovers.isEmpty, "\(run)")
    }

    @Test("SIGINT while workers are starting ends them, and the driver by that signal")
    func interruptedEarly() async throws {
        let driver = try Driver(["slow-start", "1000"])
        try await driver.poll { driver.descendants().count == 4 }
        driver.signal(SIGINT)
        let run = try await driver.end()
        #expect(run.signal == SIGINT && run.leftovers.isEmpty, "\(run)")
    }

    @Test("100 clusters leave no descriptor, thread, zombie or memory")
    func hundredClusters() async throws {
        let run = try await drive("clusters", "100", limit: 120)
        #expect(run.value("descriptors") == "as before", "\(run)")
        #expect(run.value("zombies") == "0", "\(run)")
        #expect(run.value("threads") == "true", "\(run)")
        let grown = run.value("memory grown by")?.split(separator: " ").first.flatMap { Int($0) }
        #expect(try #require(grown, "\(run)") < 8192, "\(run)")
    }
}
