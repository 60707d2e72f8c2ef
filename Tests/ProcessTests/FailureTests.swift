import Foundation
import Testing

@Suite("Failures of bodies and workers", .serialized)
struct FailureTests {
    @Test("an error arrives with worker, host, element, type and description, and whole if it is Codable")
    func thrown() async throws {
        let run = try await drive("throws")
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
        let codable = run.value("codable") ?? ""
        #expect(
            codable.wholeMatch(
                of:
                    /MapError \[42\] of 100: RemoteError worker=[23] host=true index=42 type=muster_test_program.OutOfInk message=OutOfInk\(colour: "red"\) underlying=OutOfInk OutOfInk\(colour: "red"\)/
            ) != nil, "\(run)")
        let plain = run.value("plain") ?? ""
        #expect(
            plain.wholeMatch(
                of:
                    /MapError \[5\] of 8: RemoteError worker=[23] host=true index=5 type=muster_test_program.NoPaper message=the tray is empty underlying=none/
            ) != nil, "\(run)")
        #expect(run.value("async")?.contains("index=1 type=muster_test_program.OutOfInk") == true, "\(run)")
        #expect(
            run.value("call")?.contains("worker=2 host=true index=none type=muster_test_program.OutOfInk") == true,
            "\(run)")
        #expect(run.value("afterwards") == "[1, 2, 3]", "\(run)")
    }

    @Test("a trap arrives with the signal and the last lines; the other worker goes on", arguments: ["enable=no", ""])
    func trap(backtrace: String) async throws {
        let run = try await drive("trap", limit: 60, environment: ["SWIFT_BACKTRACE": backtrace])
        let text = run.value("trapped") ?? ""
        #expect(text.hasPrefix("MapError [1] of 2: WorkerExited worker=3 host=true cause=signalled("), "\(run)")
        #expect(text.contains("signal=\(SIGILL) ") || text.contains("signal=\(SIGTRAP) "), "\(run)")
        #expect(text.contains("Fatal error: the disk is upside down"), "\(run)")
        #expect(run.value("left") == "true [2]" && run.value("goes on") == "[1, 2, 3]", "\(run)")
        #expect(run.value("gone")?.contains("there is no worker 3") == true, "\(run)")
        #expect(run.errors.contains("From worker 3: "), "\(run)")
    }

    @Test("a body that exits arrives with the status")
    func exits() async throws {
        let run = try await drive("exits")
        #expect(
            run.value("exited")?.hasPrefix(
                "ClusterError no worker is left for 1 of 1 elements; the last of them: worker 2")
                == true && run.value("exited")?.hasSuffix("exited with status 3") == true, "\(run)")
    }

    @Test("a body that closes all descriptors is a lost worker, soon")
    func closesDescriptors() async throws {
        let run = try await drive("closes-descriptors")
        // Lost, unless the runtime, whose own descriptors are closed as well, traps before the driver has ended it.
        let causes = ["lost(", "signalled("].map { "WorkerExited worker=2 host=true cause=\($0)" }
        let closed = try #require(run.value("closed"), "\(run)")
        #expect(causes.contains { closed.hasPrefix($0) }, "\(run)")
        #expect(run.leftovers.isEmpty, "\(run)")
    }

    @Test("a stopped worker is silent: it is ended after the limit, the others go on")
    func stopped() async throws {
        let run = try await drive("stops-itself")
        let cause = try #require(run.value("stopped"), "\(run)")
        #expect(cause.hasPrefix("WorkerExited worker=2 host=true cause=silent("), "\(run)")
        // The limit counts from when it was last heard, which is up to a heartbeat before it stopped.
        let silence = cause.split(separator: "silent(seconds: ").last.flatMap { Double($0.prefix { $0 != ")" }) }
        #expect(try #require(silence, "\(run)") > 1, "\(run)")
        #expect(run.value("in time") == "true" && run.value("goes on") == "[1, 2, 3]", "\(run)")
    }

    @Test("a driver that is stopped for longer than the limit finds its workers alive")
    func driverStopped() async throws {
        let driver = try Driver(["waits", "3"])
        try await driver.line(startingWith: "ready")
        driver.signal(SIGSTOP)
        try await Task.sleep(for: .seconds(2.5))  // what is tested is the time that passes
        driver.signal(SIGCONT)
        let run = try await driver.end()
        #expect(run.value("results") == "[0, 1] [2, 3]" && run.status == 0, "\(run)")
    }

    @Test("a body that keeps its only CPU busy for far longer than the limit is not taken for hung")
    func busy() async throws {
        let isFull = ProcessInfo.processInfo.environment["MUSTER_TEST_FULL"] == "1"
        let run = try await drive("busy", isFull ? "60" : "8", isFull ? "15" : "2", limit: isFull ? 240 : 60)
        #expect(run.value("pinned") == "true" && run.value("results") == "[0, 1]", "\(run)")
    }
}
