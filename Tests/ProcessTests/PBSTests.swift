import Foundation
import Testing

extension QueueUnderTest {
    /// What is told apart of PBS.
    enum PBS: String, CaseIterable {
        case openPBS, torque
    }

    /// A stand-in for PBS, or the real one that is there for tests: then `MUSTER_TEST_PBS` names a queue of it in which nothing starts.
    static func pbs(_ kind: PBS = .openPBS) throws -> QueueUnderTest {
        let real = ProcessInfo.processInfo.environment["MUSTER_TEST_PBS"]
        let standIn = real == nil ? try StandIn("pbs") : nil
        if let standIn, kind == .torque { try Data().write(to: standIn.state.appending(path: "torque")) }
        let environment =
            standIn.map { $0.environment("PBS_CONF_FILE", $0.state.appending(path: "pbs.conf").path) } ?? [:]
        func path(_ command: String) -> String { standIn?.path(of: command) ?? QueueUnderTest.path(of: command) ?? "" }
        let (qstat, qdel) = (path("qstat"), path("qdel"))
        return QueueUnderTest(
            kind: "pbs", missing: "no PBS that is Torque",
            isThere: { standIn != nil || kind == .openPBS },
            jobs: {
                let answer = try await run(qstat, "-f", environment: environment)
                try #require(answer.status == 0, "\(answer)")
                var jobs: [Job] = []
                for line in answer.lines {
                    let words = line.split(separator: " ")
                    if line.hasPrefix("Job Id: ") {
                        jobs.append(Job(name: "", number: String(words[2]), isRunning: false))
                    } else if words.prefix(2) == ["Job_Name", "="] {
                        jobs[jobs.count - 1].name = String(words[2])
                    } else if words.prefix(2) == ["job_state", "="] {
                        jobs[jobs.count - 1].isRunning = ["R", "B"].contains(words[2])
                    }
                }
                return jobs
            },
            cancel: { _ = try await run(qdel, $0, environment: environment) },
            submitCommand: path("qsub"), waiting: ["queue=\(real ?? "stopped")"], ending: (["walltime=30"], 30),
            environment: environment)
    }
}

/// Over stand-ins unless `MUSTER_TEST_PBS` is set. They know the options of OpenPBS 23.06, or of Torque, and refuse others; arrays
/// that the real ones refuse (`-t`, or `-J 1-1`, with OpenPBS; `-J` with Torque); variables to be exported that are not set; unknown,
/// disabled and private queues, with the real texts and exit statuses. Jobs get 8 CPUs, an environment of their own, and start at home;
/// output comes at the end; what is deleted gets TERM, and KILL later. `qstat -f` shows arrays as one job with `array_state_count`,
/// folds long lines, and gives the comments of jobs that wait. What is Torque's is by its documentation, never compared with it. Missing:
/// other hosts, users and limits, holds, prologues, `qstat` in lines, and what comes with load.
@Suite("Workers through PBS", .serialized)
struct PBSTests {
    @Test(
        "a map with a capture over one array job, or one job with several workers",
        arguments: [([], 4, []), (["per=4"], 1, []), (["per=2"], 2, ["walltime=00:10:00", "l=ncpus=2"])]
            as [([String], Int, [String])])
    func map(choices: [String], count: Int, options: [String]) async throws {
        try await QueueSuite(.pbs())?.map(
            choices + ["show=PBS_QUEUE"], count: count, options, shown: "workq,workq,workq,workq")
    }

    @Test("a map over Torque's arrays")
    func torque() async throws {
        try await QueueSuite(.pbs(.torque))?.map(["show=PBS_QUEUE"], shown: "workq,workq,workq,workq")
    }

    @Test(
        "a job that is cancelled in the middle of a map is told of, and the map goes on elsewhere",
        arguments: QueueUnderTest.PBS.allCases)
    func cancelled(kind: QueueUnderTest.PBS) async throws { try await QueueSuite(.pbs(kind))?.cancelledInMidMap() }

    @Test("a member of an array that is deleted in the middle of a map takes nobody along")
    func member() async throws {
        guard let suite = try await QueueSuite(.pbs()) else { return }
        let driver = try suite.driver("queue-mixed", [])
        try await driver.line(startingWith: "ready")
        let job = try await suite.job(of: driver, running: true)
        try await suite.queue.cancel(job.replacing("[]", with: "[1]"))
        let run = try await driver.end()
        #expect(run.status == 0 && run.value("squares") == "true", "\(run)")
        try await suite.expectNothing(of: driver, run)
    }

    @Test(
        "an interrupt, or the driver's death, cancels a job that waits and one that runs",
        arguments: [SIGINT, SIGKILL], [false, true])
    func ends(signal: Int32, running: Bool) async throws {
        try await QueueSuite(.pbs())?.driverEnds(by: signal, running: running)
    }

    @Test("the driver's death does so with Torque", arguments: [false, true])
    func endsWithTorque(running: Bool) async throws {
        try await QueueSuite(.pbs(.torque))?.driverEnds(by: SIGKILL, running: running)
    }

    @Test("a job that waits is cancelled with the task that waits for its workers")
    func launchIsCancelled() async throws { try await QueueSuite(.pbs())?.launchIsCancelled() }

    @Test("at the end of its time a job has nothing under way, and the map goes on elsewhere")
    func wallTime() async throws { try await QueueSuite(.pbs())?.wallTime() }

    @Test("no command line, environment, script or output has the key")
    func keyIsNowhere() async throws {
        let queue = try QueueUnderTest.pbs()
        let qstat = URL(filePath: queue.submitCommand).deletingLastPathComponent().appending(path: "qstat").path
        try await QueueSuite(queue)?.keyIsNowhere { job in
            [try await QueueUnderTest.run(qstat, "-f", job, environment: queue.environment)]
        }
    }

    @Test("a job that the queue takes when its driver is dead already is cancelled")
    func submitting() async throws { try await QueueSuite(.pbs())?.driverDiesWhileSubmitting() }

    @Test(
        "a job that brings no workers says what was run, why, and what helps",
        arguments: [
            QueueFailure(options: ["queue=nosuch"], said: "qsub: Unknown queue", cure: "`qstat -Q` shows"),
            QueueFailure(options: ["bogus=1"], said: "bogus", cure: "pbs_resources"),
            QueueFailure(options: ["Y=1"], said: "invalid option -- 'Y'", cure: "man qsub"),
            QueueFailure(options: ["t=1-3"], said: "not for you to set", cure: "number of workers"),
            QueueFailure(
                options: ["ncpus=100"], choices: ["limit=4"],
                said: "Q (Can Never Run: Insufficient amount of resource: ncpus",
                cure: "`pbsnodes -a`"),
            QueueFailure(
                options: [], choices: ["executable=/nowhere/program"], said: "/nowhere/program: not found",
                cure: "executable"),
        ])
    func failures(_ failure: QueueFailure) async throws { try await QueueSuite(.pbs())?.failure(failure) }

    @Test("where no job starts, the time-out says why")
    func waiting() async throws {
        let queue = try QueueUnderTest.pbs()
        try await QueueSuite(queue)?.failure(
            QueueFailure(
                options: queue.waiting, choices: ["limit=4"], said: "0 of 2 workers up after 4 s, and was cancelled",
                cure: "a queue that is started"))
    }

    @Test("a server that can't be reached is asked again")
    func again() async throws {
        // A real one is not taken down.
        guard ProcessInfo.processInfo.environment["MUSTER_TEST_PBS"] == nil else { return }
        let queue = try QueueUnderTest.pbs()
        guard let suite = try await QueueSuite(queue) else { return }
        let configuration = try #require(queue.environment["PBS_CONF_FILE"])
        let down = URL(filePath: configuration).deletingLastPathComponent().appending(path: "down")
        try Data().write(to: down)
        let driver = try suite.driver("queue-mixed", [])
        try await driver.poll { driver.errors.contains("PBS did not take a job") || !driver.isRunning }
        try FileManager.default.removeItem(at: down)
        let run = try await driver.end()
        #expect(run.status == 0 && run.value("ready") == "3" && run.value("squares") == "true", "\(run)")
        #expect(run.errors.contains("cannot connect to server stand-in (errno=15010)"), "\(run)")
        try await suite.expectNothing(of: driver, run)
    }

    @Test("with no minimum the launch returns at once, and a map has the workers when they come")
    func late() async throws { try await QueueSuite(.pbs())?.lateWorkers() }
}
