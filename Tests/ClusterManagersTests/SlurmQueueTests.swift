import Testing

@testable import ClusterManagers

@Suite("SlurmQueue")
struct SlurmQueueTests {
    private func request(_ tasks: Int, workersPerTask: Int = 1) -> JobRequest {
        JobRequest(
            name: "muster-1-a", tasks: tasks, workersPerTask: workersPerTask, outputFile: "/home/me/.muster/100%.out",
            exports: ["HOME", "PATH"], program: ["/opt/my program", "it's", "$(x)"],
            environment: [.init(name: "MUSTER_ROLE", value: "agent:file:/home/me/.muster/join-1")])
    }

    @Test(
        "the time of a step is read as Slurm reads it",
        arguments: [
            ("5", 300), ("5:30", 360), ("1:00:00", 3600), ("1-2", 93_600), ("1-2:30", 95_400), ("1-0:0:1", 86_460),
            ("0", nil), ("UNLIMITED", nil), ("-5", nil), ("1:2:3:4", nil), ("", nil), ("99999999999999999999", nil),
        ] as [(String, Int?)])
    func timeLimit(text: String, seconds: Int?) {
        #expect(SlurmFlags(["t": text]).timeLimit == seconds)
        #expect(SlurmFlags(["time": text, "n": "5"]).timeLimit == seconds && SlurmFlags(["n": "5"]).timeLimit == nil)
    }

    @Test("keywords become flags, in the order in which they are written")
    func flags() {
        let flags: SlurmFlags = [
            "partition": "debug", "t": "00:05:00", "exclusive": "", "mem_per_cpu": 100, "Q": "", "x": "n1 n2",
        ]
        #expect(
            flags.words == [
                "--partition=debug", "-t", "00:05:00", "--exclusive", "--mem-per-cpu=100", "-Q", "-x", "n1 n2",
            ])
        #expect(SlurmFlags(["t": "1", "partition": "a", "N": "2"]).words == ["-N", "2", "--partition=a", "-t", "1"])
    }

    @Test("outside an allocation, a batch job whose script has no secret and nothing that a shell would change")
    func batch() throws {
        let queue = SlurmQueue(["partition": "debug"], nil)
        let submission = try queue.submission(for: request(4))
        #expect(
            submission.command == [
                "sbatch", "--job-name=muster-1-a", "--ntasks=4", "--no-requeue", "--no-kill", "--export=HOME,PATH",
                "--output=/home/me/.muster/100%%.out", "--partition=debug",
            ])
        #expect(!submission.isAttached && submission.script.hasPrefix("#!/bin/sh\n"))
        #expect(submission.script.contains("exec srun --export=ALL --nodes=\"$SLURM_JOB_NUM_NODES\""))
        #expect(submission.description.contains("<<'END'\n#!/bin/sh\n"))
    }

    @Test("the user's output file is theirs, and what would change the number of agents is refused")
    func refusals() throws {
        let words = try SlurmQueue(["output": "mine"], nil).submission(for: request(1)).command
        #expect(words.filter { $0.hasPrefix("--output") } == ["--output=mine"])
        for flags in [["n": 3], ["ntasks": 3], ["a": "1-3"], ["array": "1-3"]] as [SlurmFlags] {
            #expect(throws: (any Error).self) { try SlurmQueue(flags, nil).submission(for: request(1)) }
        }
    }

    @Test("inside an allocation, a step with as many agents as nodes are needed")
    func step() throws {
        let queue = SlurmQueue(["mem": 0], SlurmQueue.Allocation(tasksPerNode: "2(x2),1"))
        let submission = try queue.submission(for: request(3, workersPerTask: 2))
        #expect(
            submission.command.prefix(7) == [
                "srun", "--job-name=muster-1-a", "--overlap", "--export=HOME,PATH", "--mem=0", "--nodes=2",
                "--ntasks=2",
            ])
        #expect(submission.isAttached && submission.command.last == "4 2")
    }

    @Test(
        "tasks go to the nodes that have room, and evenly beyond that",
        arguments: [
            ("2(x2),1", 5, [2, 2, 1]), ("2(x2),1", 3, [2, 1]), ("4", 2, [2]), ("1,1", 5, [3, 2]), ("", 2, [2]),
            ("x(", 1, [1]), ("0", 1, [1]),
        ])
    func shares(list: String, count: Int, expected: [Int]) {
        #expect(SlurmQueue.Allocation(tasksPerNode: list).shares(of: count) == expected)
    }

    @Test("the batch script gives each node's agent as many workers as the node has tasks")
    func script() async throws {
        let submission = try SlurmQueue([:], nil).submission(for: request(5, workersPerTask: 3))
        // What stands for srun prints its last word.
        let prelude = "srun() { for word; do :; done; echo \"$word\"; }; SLURM_TASKS_PER_NODE='2(x3),1'\n"
        let got = try await run(
            ["/bin/sh", "-c", prelude + submission.script.replacing("exec srun", with: "srun")])
        #expect(got.text == " 6 6 6 3")
    }

    @Test("an agent's shell picks its node's number, and leaves the arguments as they are")
    func agent() async throws {
        var request = request(1)
        request.program = ["/usr/bin/printf", "%s|", "it's", "$(x)", "a  b"]
        let words = try SlurmQueue([:], SlurmQueue.Allocation(tasksPerNode: "1"))
            .submission(for: request).command.suffix(5)
        let shell = words.prefix(4).map(ShellWord.quoted).joined(separator: " ")
        let got = try await run(["/bin/sh", "-c", "SLURM_NODEID=1 \(shell) ' 6 7'"])
        #expect(got.text == "it's|$(x)|a  b|")
        let line = request.agentCommand
        #expect(line.hasPrefix("export MUSTER_ROLE=agent:file:/home/me/.muster/join-1; exec /usr/bin/printf "))
    }

    @Test(
        "the job's number is found among what login shells and plugins print",
        arguments: [
            ("Submitted batch job 18\n", "18"), ("Submitted batch job 18 on cluster west\n", "18"),
            ("Welcome to node 4711!\nSubmitted batch job 18\r\nbye\n", "18"), ("", nil), ("18\n", nil),
            ("Submitted batch job x\n", nil), ("not Submitted batch job 18\n", nil),
            ("Submitted batch job 18; rm -rf /\n", nil), ("Submitted batch job 7\nSubmitted batch job 8\n", "8"),
        ])
    func number(output: String, expected: String?) {
        #expect(SlurmQueue([:], nil).job(fromSubmitOutput: output) == expected)
    }

    @Test(
        "the state is found among noise",
        arguments: [
            ("PENDING|Resources\n", JobState(.waiting, "PENDING", reason: "Resources")),
            ("motd | of | today\nRUNNING|None\n", JobState(.running, "RUNNING")),
            ("a|b\nCANCELLED|\n", JobState(.ended, "CANCELLED")),
            ("slurm_load_jobs error: Invalid job id specified\n", nil), ("", nil), ("RUNNING\n", nil),
        ])
    func state(output: String, expected: JobState?) {
        #expect(SlurmQueue([:], nil).state(from: output) == expected)
    }

    @Test("refusals that pass are told from those that don't")
    func refusal() {
        let queue = SlurmQueue([:], nil)
        #expect(
            queue.mayPass(
                "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)"))
        #expect(!queue.mayPass("sbatch: error: Batch job submission failed: Invalid partition name specified"))
        #expect(queue.cure(for: "PartitionTimeLimit")?.contains("less time") == true)
        #expect(queue.cure(for: "something else") == nil)
    }
}
