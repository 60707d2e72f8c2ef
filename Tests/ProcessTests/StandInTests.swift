import Foundation
import Testing

/// What the tests of queues that can't be had here rest on.
@Suite("Stand-ins")
struct StandInTests {
    @Test("jobs end with the directory of their state, and with the process that owns it", arguments: [false, true])
    func end(byOwner: Bool) async throws {
        let place = try PrivateDirectory()
        let standIn = try StandIn("pbs")
        let owner = try Driver(["1000"], executable: URL(filePath: "/usr/bin/sleep"))
        try Data("\(owner.process)\n".utf8).write(to: standIn.state.appending(path: "owner"))
        let environment = standIn.environment("PBS_CONF_FILE", standIn.state.appending(path: "pbs.conf").path)
        let submission = try Driver(
            [], environment: environment,
            input:
                "echo $$ >\(place.file("job.new")); mv \(place.file("job.new")) \(place.file("job")); exec sleep 1000\n",
            executable: URL(filePath: standIn.path(of: "qsub")))
        #expect(try await submission.end().output == "0.stand-in\n")
        var job: pid_t?
        try await owner.poll {
            job = (try? String(contentsOfFile: place.file("job"), encoding: .utf8)).flatMap { pid_t($0.dropLast()) }
            return job != nil
        }
        let process = try #require(job)
        #expect(kill(process, 0) == 0)
        if byOwner {
            owner.signal(SIGKILL)
            _ = try await owner.end()
        } else {
            try FileManager.default.removeItem(at: standIn.state)
        }
        try await submission.poll { kill(process, 0) != 0 }
        #expect(kill(process, 0) != 0)
        if !byOwner {
            owner.signal(SIGKILL)
            _ = try await owner.end()
        }
    }
}
