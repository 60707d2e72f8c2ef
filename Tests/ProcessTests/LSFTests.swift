import Foundation
import Testing

extension QueueUnderTest {
    /// A stand-in for LSF, or the real one that is there for tests: then `MUSTER_TEST_LSF` names a queue of it in which nothing starts,
    /// and `ssh login` is where jobs may be submitted too.
    static func lsf() throws -> QueueUnderTest {
        let real = ProcessInfo.processInfo.environment["MUSTER_TEST_LSF"]
        let standIn = real == nil ? try StandIn("lsf") : nil
        let environment = standIn.map { $0.environment("LSF_ENVDIR", $0.state.path) } ?? [:]
        func path(_ command: String) -> String { standIn?.path(of: command) ?? QueueUnderTest.path(of: command) ?? "" }
        let (bjobs, bkill) = (path("bjobs"), path("bkill"))
        return QueueUnderTest(
            kind: "lsf", missing: "no bsub", isThere: { standIn != nil || !bjobs.isEmpty },
            jobs: {
                // Its status tells of no jobs, as of an error.
                let lines = try await run(bjobs, "-w", environment: environment).lines
                return lines.compactMap { line -> Job? in
                    let words = line.split(separator: " ").map(String.init)
                    guard words.count > 6, words[0] != "JOBID" else { return nil }
                    return Job(name: words[6], number: words[0], isRunning: words[2] == "RUN")
                }
            },
            cancel: { _ = try await run(bkill, $0, environment: environment) },
            submitCommand: path("bsub"), waiting: ["queue=\(real ?? "inactive")"], ending: (["W=1"], 60),
            environment: environment)
    }
}

/// Over stand-ins unless `MUSTER_TEST_LSF` is set. They know the options of volclava 2.2, and refuse others with its texts and exit
/// status, as they do unknown, closed and private queues, and too many slots: IBM's `-cwd` is taken for `-c wd`. A job has all of the
/// environment of its `bsub`, and starts in its directory; 8 slots are there; output comes at the end; what is killed gets TERM, and KILL
/// later. `bjobs` shows a line for each member of an array, and the reasons of those that wait. Other than the real one it takes jobs
/// from root. An interactive `bsub` has
/// the job's streams, and hears nothing but KILL while it waits, upon which its job stays in the queue. Missing: other hosts and users, suspension, mail, terminals, and what comes with load.
@Suite("Workers through LSF", .serialized)
struct LSFTests {
    @Test(
        "a map with a capture over one array job, or one job with several workers, or submitted on another host",
        arguments: [([], 4, []), (["per=4"], 1, []), (["per=2"], 2, ["W=0:10", "n=2"]), ([], 4, ["ssh=login"])]
            as [([String], Int, [String])])
    func map(choices: [String], count: Int, options: [String]) async throws {
        try await QueueSuite(.lsf())?.map(
            choices + ["show=LSB_QUEUE"], count: count, options, shown: "normal,normal,normal,normal")
    }

    @Test("a job that is cancelled in the middle of a map is told of, and the map goes on elsewhere")
    func cancelled() async throws { try await QueueSuite(.lsf())?.cancelledInMidMap() }

    @Test(
        "an interrupt, or the driver's death, cancels a job that waits and one that runs",
        arguments: [SIGINT, SIGKILL], [false, true])
    func ends(signal: Int32, running: Bool) async throws {
        try await QueueSuite(.lsf())?.driverEnds(by: signal, running: running)
    }

    @Test("a job that waits is cancelled with the task that waits for its workers")
    func launchIsCancelled() async throws { try await QueueSuite(.lsf())?.launchIsCancelled() }

    @Test("interactive jobs, one for each worker, need no directory in common, and are cancelled by their name")
    func interactive() async throws {
        try await QueueSuite(.lsf())?.map(["show=LSB_JOBINDEX"], ["I="], shown: "0,0,0,0")
        try await QueueSuite(.lsf())?.map(
            ["show=LSB_QUEUE"], ["I=", "throttle=1"], shown: "normal,normal,normal,normal")
    }

    @Test("an interactive job that waits is not left in the queue by a driver that dies", arguments: [SIGINT, SIGKILL])
    func interactiveEnds(signal: Int32) async throws {
        var queue = try QueueUnderTest.lsf()
        queue.waiting.append("I=")
        try await QueueSuite(queue)?.driverEnds(by: signal, running: false)
    }

    @Test("of an interactive job that ends at once, what it printed is told")
    func interactiveFails() async throws {
        try await QueueSuite(.lsf())?.failure(
            QueueFailure(
                options: ["I="], choices: ["executable=/nowhere/program"], said: "/nowhere/program: not found",
                cure: "executable"))
    }

    @Test("at the end of its time a job has nothing under way, and the map goes on elsewhere")
    func wallTime() async throws { try await QueueSuite(.lsf())?.wallTime() }

    @Test("no command line, environment, script or output has the key")
    func keyIsNowhere() async throws {
        let queue = try QueueUnderTest.lsf()
        let directory = URL(filePath: queue.submitCommand).deletingLastPathComponent()
        try await QueueSuite(queue)?.keyIsNowhere { job in
            [
                try await QueueUnderTest.run(
                    directory.appending(path: "bjobs").path, "-l", job, environment: queue.environment),
                try await QueueUnderTest.run(
                    directory.appending(path: "bpeek").path, job + "[1]", environment: queue.environment),
            ]
        }
    }

    @Test("a job that the queue takes when its driver is dead already is cancelled")
    func submitting() async throws { try await QueueSuite(.lsf())?.driverDiesWhileSubmitting() }

    @Test(
        "a job that brings no workers says what was run, why, and what helps",
        arguments: [
            QueueFailure(options: ["queue=nosuch"], said: "nosuch: No such queue.", cure: "`bqueues` shows"),
            QueueFailure(options: ["n=1000"], said: "Too many processors requested.", cure: "`bqueues -l`"),
            QueueFailure(options: ["cwd=/tmp"], said: "wd: Bad CPULIMIT specification.", cure: "man bsub"),
            QueueFailure(options: ["J=mine"], said: "not for you to set", cure: "number of workers"),
            QueueFailure(
                options: [], choices: ["executable=/nowhere/program"], said: "/nowhere/program: not found",
                cure: "executable"),
        ])
    func failures(_ failure: QueueFailure) async throws { try await QueueSuite(.lsf())?.failure(failure) }

    @Test("where no job starts, the time-out says why")
    func waiting() async throws {
        let queue = try QueueUnderTest.lsf()
        try await QueueSuite(queue)?.failure(
            QueueFailure(
                options: queue.waiting, choices: ["limit=4"],
                said: "PEND (The queue is inactivated by the administrator)",
                cure: "a queue that is active"))
    }

    @Test("a bsub that waits for its daemons is given up, and a job that they take later is cancelled")
    func noAnswer() async throws {
        // Real ones are not taken down.
        guard ProcessInfo.processInfo.environment["MUSTER_TEST_LSF"] == nil else { return }
        let queue = try QueueUnderTest.lsf()
        guard let suite = try await QueueSuite(queue) else { return }
        let state = URL(filePath: try #require(queue.environment["LSF_ENVDIR"]))
        try Data().write(to: state.appending(path: "down"))
        let driver = try suite.driver("queue-failure", [], choices: ["limit=3"])
        let run = try await driver.end()
        #expect(run.status == 0 && run.output.contains("bsub did not answer within 3 s"), "\(run)")
        #expect(run.output.contains("`lsid`"), "\(run)")
        try FileManager.default.removeItem(at: state.appending(path: "down"))
        try await driver.poll { FileManager.default.fileExists(atPath: state.appending(path: "jobs").path) }
        try await suite.expectNothing(of: driver, run)
    }

    @Test("with no minimum the launch returns at once, and a map has the workers when they come")
    func late() async throws { try await QueueSuite(.lsf())?.lateWorkers() }
}
