import Foundation
import Testing

extension QueueUnderTest {
    /// A stand-in for Scyld, whose jobs are the `bpsh` that run.
    static func scyld() throws -> QueueUnderTest {
        let standIn = try StandIn("scyld")
        return QueueUnderTest(
            kind: "scyld", missing: "", isThere: { !standIn.commands.path.isEmpty },
            jobs: {
                try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { Int($0) != nil }
                    .compactMap { process in
                        guard let bytes = try? Data(contentsOf: URL(filePath: "/proc/\(process)/cmdline")) else {
                            return nil
                        }
                        let words = String(decoding: bytes, as: UTF8.self).split(separator: "\0")
                        guard words.contains(where: { $0.hasSuffix("/bpsh") }),
                            let name = words.compactMap({ $0.firstMatch(of: /\/join-(muster-\d+-[0-9a-z]+)/)?.1 }).first
                        else { return nil }
                        return Job(name: String(name), number: process, isRunning: true)
                    }
            },
            cancel: { number in
                if let process = pid_t(number) { kill(process, SIGTERM) }
            },
            submitCommand: standIn.path(of: "beomap"), waiting: [],
            environment: standIn.environment("BEOWULF_STAND_IN", standIn.state.path))
    }
}

/// Over stand-ins for `beomap` and `bpsh`, from their documentation: nothing of a real Scyld was ever seen. There are two nodes of two
/// CPUs, on which nothing waits; a command of a node runs here with all of the environment of its `bpsh`, and ends with it. Missing:
/// nodes that are down, the way of programs to a node, and what `bpsh` says when something goes wrong there.
@Suite("Workers through Scyld", .serialized)
struct ScyldTests {
    @Test(
        "a map with a capture over four workers, with one agent for each node",
        arguments: [([], 4, "0,0,1,1"), (["per=2"], 2, "0,0,0,0")] as [([String], Int, String)])
    func map(choices: [String], count: Int, nodes: String) async throws {
        try await QueueSuite(.scyld())?.map(choices + ["show=BEOWULF_NODE"], count: count, shown: nodes)
    }

    @Test("options are beomap's own")
    func options() async throws {
        try await QueueSuite(.scyld())?.map(["show=BEOWULF_NODE"], count: 4, ["exclude=0"], shown: "1,1,1,1")
    }

    @Test("a node that is lost in the middle of a map does no harm to it")
    func cancelled() async throws {
        guard let suite = try await QueueSuite(.scyld()) else { return }
        let driver = try suite.driver("queue-mixed", [], count: 4)
        try await driver.line(startingWith: "ready")
        try await suite.queue.cancel(try await suite.job(of: driver, running: true))
        let run = try await driver.end()
        #expect(run.status == 0 && run.value("squares") == "true", "\(run)")
        try await suite.expectNothing(of: driver, run)
    }

    @Test("an interrupt, or the driver's death, ends all agents", arguments: [SIGINT, SIGKILL])
    func ends(signal: Int32) async throws { try await QueueSuite(.scyld())?.driverEnds(by: signal, running: true) }

    @Test("no command line, environment or output has the key")
    func keyIsNowhere() async throws { try await QueueSuite(.scyld())?.keyIsNowhere { _ in [] } }

    @Test(
        "agents that bring no workers say what was run, why, and what helps",
        arguments: [
            QueueFailure(options: ["bogus"], said: "unrecognized option '--bogus'", cure: "man beomap"),
            QueueFailure(options: ["np=3"], said: "not for you to set", cure: "number of workers"),
            QueueFailure(
                options: [], choices: ["executable=/nowhere/program"], said: "/nowhere/program: not found",
                cure: "executable"),
        ])
    func failures(_ failure: QueueFailure) async throws { try await QueueSuite(.scyld())?.failure(failure) }

    @Test("with no minimum the launch returns at once, and a map has the workers when they come")
    func late() async throws { try await QueueSuite(.scyld())?.lateWorkers() }
}
