import Foundation
import Testing

extension QueueUnderTest {
    /// A real Slurm; see Tools/schedulers/slurm.
    static let slurm = QueueUnderTest(
        kind: "slurm", missing: "no slurmctld",
        isThere: {
            let answer = try await run("/usr/bin/scontrol", "show", "config")
            return answer.status == 0
                && answer.lines.contains { $0.hasPrefix("ClusterName ") && $0.hasSuffix("= muster-tests") }
        },
        jobs: {
            let answer = try await run("/usr/bin/squeue", "--noheader", "--format=%j|%i|%T")
            try #require(answer.status == 0, "\(answer)")
            return answer.lines.map { $0.split(separator: "|").map(String.init) }
                .map { Job(name: $0[0], number: $0[1], isRunning: $0[2] == "RUNNING") }
        },
        cancel: { _ = try await run("/usr/bin/scancel", $0) },
        submitCommand: "/usr/bin/sbatch", waiting: ["partition=down"], ending: (["partition=short"], 60))
}

@Suite("Workers through Slurm", .serialized)
struct SlurmTests {
    @Test(
        "a map with a capture over one job, on one node or two, with several workers for a task",
        arguments: [
            ([], 4, [], "n1,n1,n1,n1"), ([], 4, ["ntasks_per_node=2"], "n1,n1,n2,n2"),
            (["per=2"], 2, ["N=2", "exclusive="], "n1,n1,n2,n2"),
        ] as [([String], Int, [String], String)])
    func map(choices: [String], count: Int, options: [String], nodes: String) async throws {
        try await QueueSuite(.slurm)?
            .map(choices + ["show=SLURMD_NODENAME"], count: count, options, shown: nodes)
    }

    @Test("inside an allocation, a step of it")
    func step() async throws {
        guard let suite = try await QueueSuite(.slurm) else { return }
        let driver = try suite.driver(
            "queue", [], choices: ["show=SLURMD_NODENAME"], count: 4,
            in: ("/usr/bin/salloc", ["-n", "4", "--ntasks-per-node=2"]))
        let run = try await driver.end()
        #expect(run.status == 0 && run.value("sums") == "true", "\(run)")
        #expect(run.value("shown") == "n1,n1,n2,n2" && run.value("exported") == "false", "\(run)")
        try await suite.expectNothing(of: driver, run)
    }

    @Test("a job that is cancelled in the middle of a map is told of, and the map goes on elsewhere")
    func cancelled() async throws { try await QueueSuite(.slurm)?.cancelledInMidMap() }

    @Test("a node that dies takes its workers with it, and the map goes on")
    func nodeDies() async throws {
        let script = URL(filePath: #filePath).appending(path: "../../../Tools/schedulers/slurm").standardizedFileURL
            .path
        func node(_ words: String...) async throws {
            let run = try await Driver(words, limit: 60, executable: URL(filePath: script)).end()
            #expect(run.status == 0, "\(run)")
        }
        try await QueueSuite(.slurm)?.hostDies(
            ["N=2", "ntasks_per_node=1"], where: "SLURMD_NODENAME=n2",
            death: { try await node("kill-node", "n2") }, birth: { try await node("start-node", "n2") })
    }

    @Test(
        "an interrupt, or the driver's death, cancels a job that waits and one that runs",
        arguments: [SIGINT, SIGKILL], [false, true])
    func ends(signal: Int32, running: Bool) async throws {
        try await QueueSuite(.slurm)?.driverEnds(by: signal, running: running)
    }

    @Test("a job that waits is cancelled with the task that waits for its workers")
    func launchIsCancelled() async throws { try await QueueSuite(.slurm)?.launchIsCancelled() }

    @Test("at the end of its time a job has nothing under way, and the map goes on elsewhere")
    func wallTime() async throws { try await QueueSuite(.slurm)?.wallTime() }

    @Test("commands over a job that is cancelled end, and it is said that nobody is left")
    func commands() async throws { try await QueueSuite(.slurm)?.mapOfCommandsEnds() }

    @Test("a job that the queue took, though sbatch says otherwise, does not stay there")
    func answerIsLost() async throws { try await QueueSuite(.slurm)?.answerIsLost() }

    @Test("no command line, environment, script or output has the key")
    func keyIsNowhere() async throws {
        try await QueueSuite(.slurm)?.keyIsNowhere { job in
            let script = try await QueueUnderTest.run("/usr/bin/scontrol", "write", "batch_script", job, "-")
            #expect(script.output.contains("MUSTER_ROLE=agent:file:"), "\(script)")
            return [script]
        }
    }

    @Test("a job that the queue takes when its driver is dead already is cancelled")
    func submitting() async throws { try await QueueSuite(.slurm)?.driverDiesWhileSubmitting() }

    @Test(
        "a job that brings no workers says what was run, why, and what helps",
        arguments: [
            QueueFailure(options: ["partition=nosuch"], said: "Invalid partition name", cure: "`sinfo` shows"),
            QueueFailure(options: ["partition=inactive"], said: "inactive or drain", cure: "partition that is up"),
            QueueFailure(options: ["bogus=1"], said: "unrecognized option", cure: "man sbatch"),
            QueueFailure(options: ["n=1"], said: "not for you to set", cure: "number of workers"),
            QueueFailure(options: ["parsable="], said: "not for you to set", cure: "dryRun"),
            QueueFailure(options: ["clusters=other"], said: "other clusters", cure: "on a host of that cluster"),
            QueueFailure(options: [], count: .max, choices: ["per=2"], said: "are more than", cure: "1000000"),
            QueueFailure(
                options: ["partition=down"], choices: ["limit=4"], said: "0 of 2 workers up after 4 s",
                cure: "partition that is up"),
            QueueFailure(
                options: [], count: 100, choices: ["limit=4"], said: "PENDING (PartitionConfig)", cure: "ask for fewer"),
            QueueFailure(
                options: [], choices: ["executable=/nowhere/program"], said: "/nowhere/program: not found",
                cure: "executable"),
        ])
    func failures(_ failure: QueueFailure) async throws { try await QueueSuite(.slurm)?.failure(failure) }

    @Test("with no minimum the launch returns at once, and a map has the workers when they come")
    func late() async throws { try await QueueSuite(.slurm)?.lateWorkers() }
}
