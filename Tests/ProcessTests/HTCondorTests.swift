import Foundation
import Testing

extension QueueUnderTest {
    /// A real HTCondor; see Tools/schedulers/htcondor. It takes no jobs from root, so drivers are of the user that it has for them.
    static let htcondor = QueueUnderTest(
        kind: "htcondor", missing: "no condor_schedd",
        isThere: {
            guard let owner, let command = path(of: "condor_config_val") else { return false }
            let domain = try await run(command, "UID_DOMAIN")
            let program = builtProducts?.appending(path: "muster-test-program").path ?? ""
            let access = try await Driver(
                Array(owner.words.dropFirst()) + ["test", "-x", program], limit: 30,
                executable: URL(filePath: owner.words[0])
            ).end()
            if access.status != 0 { print("\(owner.name) can't run \(program)") }
            return domain.lines == ["muster-tests.local"] && access.status == 0
        },
        jobs: {
            let answer = try await run(
                path(of: "condor_q") ?? "", "-allusers", "-af:t", "JobBatchName", "ClusterId", "JobStatus")
            try #require(answer.status == 0, "\(answer)")
            return answer.lines.map { $0.split(separator: "\t").map(String.init) }
                .map { Job(name: $0[0], number: $0[1], isRunning: $0[2] == "2") }
        },
        cancel: { _ = try await run(path(of: "condor_rm") ?? "", $0) },
        submitCommand: path(of: "condor_submit") ?? "", running: [place],
        waiting: [place, "requirements=Machine==\"nowhere\""],
        ending: ([place, "allowed_job_duration=30"], 30),
        environment: ["HOME": home, "XDG_RUNTIME_DIR": home], owner: owner)

    private static let home = "/var/tmp/muster-htcondor/home"
    private static let place = "initialdir=\(home)"
    private static let owner = Owner(name: "muster-htcondor")
}

@Suite("Workers through HTCondor", .serialized)
struct HTCondorTests {
    private static let shared = "should_transfer_files=NO"

    @Test(
        "a map with a capture over one cluster of jobs, with files brought along or shared, with several workers of a job",
        arguments: [
            ([], 4, [], "HTCondor"), ([], 4, [shared], "HTCondor"),
            (["per=2"], 2, ["transfer_executable=False"], "HTCondor"),
        ] as [([String], Int, [String], String)])
    func map(choices: [String], count: Int, options: [String], system: String) async throws {
        let shown = [String](repeating: system, count: 4).joined(separator: ",")
        try await QueueSuite(.htcondor)?
            .map(choices + ["show=BATCH_SYSTEM"], count: count, options, shown: shown)
    }

    @Test("jobs that have the program brought along run it where HTCondor put it, and each has its own")
    func brought() async throws {
        guard let suite = try await QueueSuite(.htcondor) else { return }
        let driver = try suite.driver("queue", QueueUnderTest.htcondor.running, choices: ["show=PWD"], count: 2)
        let run = try await driver.end()
        let places = Set(run.value("shown")?.split(separator: ",") ?? [])
        #expect(places.count == 2 && places.allSatisfy { $0.contains("/execute/dir_") }, "\(run)")
        try await suite.expectNothing(of: driver, run)
    }

    @Test("a cluster that is removed in the middle of a map is told of, and the map goes on elsewhere")
    func cancelled() async throws { try await QueueSuite(.htcondor)?.cancelledInMidMap() }

    @Test("jobs that lose their machine are not started again, and the map goes on elsewhere")
    func vacated() async throws {
        guard let suite = try await QueueSuite(.htcondor) else { return }
        let driver = try suite.driver("queue-mixed", QueueUnderTest.htcondor.running)
        try await driver.line(startingWith: "ready")
        let job = try await suite.job(of: driver, running: true)
        _ = try await QueueUnderTest.run(QueueUnderTest.path(of: "condor_vacate_job") ?? "", "-fast", job)
        let run = try await driver.end()
        #expect(run.status == 0 && run.value("squares") == "true", "\(run)")
        try await suite.expectNothing(of: driver, run)
    }

    @Test(
        "an interrupt, or the driver's death, removes jobs that wait and jobs that run",
        arguments: [SIGINT, SIGKILL], [false, true])
    func ends(signal: Int32, running: Bool) async throws {
        try await QueueSuite(.htcondor)?.driverEnds(by: signal, running: running)
    }

    @Test("jobs that wait are removed with the task that waits for their workers")
    func launchIsCancelled() async throws { try await QueueSuite(.htcondor)?.launchIsCancelled() }

    @Test("at the end of its time a job has nothing under way, and the map goes on elsewhere")
    func wallTime() async throws { try await QueueSuite(.htcondor)?.wallTime() }

    @Test("no command line, environment, description or output has the key")
    func keyIsNowhere() async throws {
        try await QueueSuite(.htcondor)?.keyIsNowhere { job in
            let ad = try await QueueUnderTest.run(QueueUnderTest.path(of: "condor_q") ?? "", "-allusers", "-long", job)
            #expect(ad.output.contains("MUSTER_ROLE=agent:file:"), "\(ad)")
            return [ad]
        }
    }

    @Test("jobs that the queue takes when their driver is dead already are removed")
    func submitting() async throws { try await QueueSuite(.htcondor)?.driverDiesWhileSubmitting() }

    @Test("without driver and guardian, HTCondor removes jobs by itself that have not started in time")
    func expires() async throws {
        guard let suite = try await QueueSuite(.htcondor) else { return }
        let driver = try suite.driver("queue-wait", QueueUnderTest.htcondor.waiting, choices: ["limit=5"])
        _ = try await suite.job(of: driver, running: false)
        driver.signal(SIGSTOP)
        for process in driver.descendants() { kill(process, SIGKILL) }
        driver.signal(SIGKILL)
        _ = try await driver.end()
        // A minute after the time in which they had to start, and it is looked every few seconds.
        let last = ContinuousClock.now + .seconds(100)
        while ContinuousClock.now < last, try await !suite.jobs(of: driver).isEmpty {}
        #expect(try await suite.jobs(of: driver) == [])
    }

    @Test(
        "jobs that bring no workers say what was run, why, and what helps",
        arguments: [
            QueueFailure(options: ["universe=nosuch"], said: "'nosuch' universe", cure: "man condor_submit"),
            QueueFailure(options: ["requirements=(x"], said: "Parse error in expression", cure: "double quotes"),
            QueueFailure(options: ["queue=7"], said: "not for you to set", cure: "number of workers"),
            QueueFailure(
                options: ["requirements=Machine==\"nowhere\""], choices: ["limit=8"],
                said: "0 of 2 workers up after 8 s",
                cure: "condor_status"),
            QueueFailure(
                options: [], choices: ["limit=8", "per=100"], said: "no machine meets TARGET.Cpus >= RequestCpus",
                cure: "ask for fewer CPUs"),
            QueueFailure(
                options: [], choices: ["executable=/nowhere/program"], said: "Held (Transfer input files failure",
                cure: "give the path of a program"),
            QueueFailure(
                options: [shared], choices: ["executable=/nowhere/program"], said: "/nowhere/program: not found",
                cure: "executable"),
            QueueFailure(options: ["hold=True"], choices: ["limit=30"], said: "Held (", cure: "condor_release"),
        ])
    func failures(_ failure: QueueFailure) async throws {
        var failure = failure
        failure.options += QueueUnderTest.htcondor.running
        try await QueueSuite(.htcondor)?.failure(failure)
    }

    @Test("with no minimum the launch returns at once, and a map has the workers when they come")
    func late() async throws { try await QueueSuite(.htcondor)?.lateWorkers() }
}
