import Agent
import Testing

@testable import ClusterManagers

@Suite("HTCondorQueue")
struct HTCondorQueueTests {
    private func request(_ tasks: Int, workersPerTask: Int = 1) -> JobRequest {
        JobRequest(
            name: "muster-1-a", tasks: tasks, workersPerTask: workersPerTask,
            outputFile: "/home/me/.muster/join-muster-1-a.out", exports: ["HOME", "PATH"],
            program: ["/opt/my program", "it's"],
            environment: [.init(name: "MUSTER_ROLE", value: "agent:file:/home/me/.muster/join-muster-1-a")],
            startLimit: .seconds(90))
    }

    private func lines(_ commands: HTCondorCommands, _ request: JobRequest) throws -> [Substring] {
        try HTCondorQueue(commands).submission(for: request).script.split(separator: "\n")
    }

    @Test("brings the program and the join file along, and removes jobs that are of no use")
    func description() throws {
        let submission = try HTCondorQueue(["request_memory": "4G", "+Group": "\"physics\"", "request_gpus": 1])
            .submission(for: request(4))
        #expect(submission.command == ["condor_submit"] && !submission.isAttached)
        let lines = submission.script.split(separator: "\n")
        let removal =
            "(JobStatus == 1 && (NumJobStarts > 0 || time() - QDate > 150)) || "
            + "(JobStatus == 5 && time() - EnteredCurrentStatus > 600)"
        #expect(
            lines.filter { !$0.hasPrefix("arguments") } == [
                "executable = /bin/sh", "transfer_executable = False", "batch_name = muster-1-a", "request_cpus = 1",
                "output = /home/me/.muster/join-muster-1-a.out", "should_transfer_files = YES",
                "periodic_remove = \(removal)"[...], "getenv = HOME, PATH",
                "transfer_input_files = /home/me/.muster/join-muster-1-a, /opt/my program",
                "encrypt_input_files = join-muster-1-a", "transfer_output_files = \"\"", "stream_output = True",
                "request_memory = 4G", "+Group = \"physics\"", "request_gpus = 1", "queue 4",
            ])
        let arguments = try #require(lines.first { $0.hasPrefix("arguments = \"-c '") })
        #expect(arguments.contains("export MUSTER_ROLE=agent:file:join-muster-1-a; exec ''./my program'' "))
        #expect(arguments.hasSuffix("''it''\\''''s'''\""))
    }

    @Test("says in HTCondor's own words what is on the machines already")
    func files() throws {
        let shared = try lines(["should_transfer_files": "no"], request(1))
        #expect(
            shared.contains("should_transfer_files = NO") && !shared.contains { $0.hasPrefix("transfer_input_files") })
        #expect(
            shared.contains { $0.contains("agent:file:/home/me/.muster/join-muster-1-a; exec ''/opt/my program''") })
        let here = try lines(
            ["Transfer_Executable": "False", "transfer_input_files": "$(DIR)/data"], request(1))
        #expect(here.contains("transfer_input_files = /home/me/.muster/join-muster-1-a, $(DIR)/data"))
        #expect(here.contains { $0.contains("agent:file:join-muster-1-a; exec ''/opt/my program''") })
        #expect(here.filter { $0.lowercased().hasPrefix("transfer_executable") } == ["transfer_executable = False"])
    }

    @Test("several workers of a job have that many CPUs, and no library takes all of them for itself")
    func workers() throws {
        let lines = try lines([:], request(1, workersPerTask: 3))
        #expect(lines.contains("request_cpus = 3") && lines.contains { $0.contains("unset OMP_NUM_THREADS ") })
        var request = request(1, workersPerTask: 3)
        request.exports = ["OMP_NUM_THREADS"]
        #expect(try self.lines([:], request).allSatisfy { !$0.contains("OMP_NUM_THREADS ") })
        request.exports = []
        #expect(try self.lines([:], request).allSatisfy { !$0.hasPrefix("getenv") })
    }

    @Test(
        "what would not be a job of agents is refused",
        arguments: [
            ["queue": 3], ["Arguments": "x"], ["executable": "/bin/true"], ["should_transfer_files": "IF_NEEDED"],
            ["request_memory": "1\nqueue 100"], ["output": "x"],
        ] as [HTCondorCommands])
    func refusals(commands: HTCondorCommands) {
        #expect(throws: (any Error).self) { try HTCondorQueue(commands).submission(for: request(1)) }
    }

    @Test("a path that can't stand in a list of files is refused, and one with a dollar sign is not expanded")
    func paths() throws {
        var request = request(1)
        request.program[0] = "/opt/$(x)/program"
        #expect(try lines([:], request).contains { $0.hasSuffix(", /opt/$(DOLLAR)(x)/program") })
        request.program[0] = "/opt/a,b"
        #expect(throws: (any Error).self) { try HTCondorQueue().submission(for: request) }
        _ = try HTCondorQueue(["should_transfer_files": "NO"]).submission(for: request)
    }

    @Test(
        "a job's shell passes arguments on as they are, though HTCondor expands dollar signs and knows no line breaks")
    func arguments() async throws {
        var request = request(1)
        request.program = [
            "/usr/bin/printf", "%s|", "it's", "$(x)", "$$(y)", "$ENV(HOME)", "a  b", "two\nlines\n", "\"q\"",
        ]
        let script = HTCondorQueue.shielded(request.agentCommand)
        #expect(!script.contains("\n"))
        #expect(try Regex(#"\$[$A-Za-z]*\("#).firstMatch(in: script) == nil)
        let got = try await run(["/bin/sh", "-c", script])
        #expect(got.end.output == "it's|$(x)|$$(y)|$ENV(HOME)|a  b|two\nlines\n|\"q\"|")
        #expect(HTCondorQueue.arguments("echo 'a' \"b\"") == #""-c 'echo ''a'' ""b""'""#)
    }

    @Test(
        "the cluster's number is found among other lines",
        arguments: [
            ("Submitting job(s)....\n4 job(s) submitted to cluster 2.\n", "2"),
            ("motd 7\nSubmitting job(s).\n1 job(s) submitted to cluster 18.\r\n", "18"), ("", nil),
            ("Submitting job(s)\n", nil), ("4 job(s) submitted to cluster x.\n", nil),
            ("well, 4 job(s) submitted to cluster 2.\n", nil), ("4 job(s) submitted to cluster 2.; rm\n", nil),
        ])
    func number(output: String, expected: String?) {
        #expect(HTCondorQueue().job(fromSubmitOutput: output) == expected)
    }

    @Test(
        "the jobs of a cluster have one state together",
        arguments: [
            (
                "6\t0\t2\tundefined\tno match found \t2\n6\t1\t2\tundefined\tundefined\t2\n",
                JobState(.running, "Running")
            ),
            ("6\t0\t1\tundefined\tundefined\n", JobState(.waiting, "Idle")),
            (
                "a\tb\n6\t0\t2\tundefined\tundefined\n6\t1\t1\tundefined\tundefined\n",
                JobState(.waiting, "1 Idle, 1 Running")
            ),
            (
                "6\t0\t1\tundefined\tinsufficient priority \n",
                JobState(.waiting, "Idle", reason: "insufficient priority")
            ),
            (
                "6\t0\t5\tError from slot1@vm: Failed to open '/x' as standard output\tundefined\n",
                JobState(.ended, "Held", reason: "Error from slot1@vm: Failed to open '/x' as standard output")
            ),
            (
                "6\t0\t5\tvia condor_hold (by user me)\tundefined\n6\t1\t2\tundefined\tundefined\n",
                JobState(.waiting, "1 Running, 1 Held", reason: "via condor_hold (by user me)", lostTasks: 1)
            ),
            ("6\t0\t2\tundefined\tundefined\t4\n", JobState(.running, "Running", lostTasks: 3)),
            (
                "6\t0\t3\tvia condor_rm (by user me)\n",
                JobState(.ended, "Removed", reason: "via condor_rm (by user me)")
            ),
            ("6\t0\t4\texit code 127\n", JobState(.ended, "Completed", reason: "exit code 127")),
            ("gone\n", JobState(.ended, "gone")), ("", nil), ("-- Failed to fetch ads\n", nil), ("6\t0\t9\tx\n", nil),
        ])
    func state(output: String, expected: JobState?) {
        #expect(HTCondorQueue().state(from: output) == expected)
    }

    @Test("a job that no machine takes says which condition none meets")
    func analysis() {
        // From condor_q -better-analyze of HTCondor 23.9, shortened.
        let text = """
            8\t0\t1\tundefined\tno match found\u{20}
            -- Schedd: vm : <127.0.0.1:19618?...
            The Requirements expression for job 8.000 reduces to these conditions:

                     Slots
            Step    Matched  Condition
            -----  --------  ---------
            [5]           3  TARGET.Memory >= RequestMemory
            [7]           0  TARGET.Cpus >= RequestCpus

            No successful match recorded.

            008.000:  Run analysis summary ignoring user priority.  Of 1 machines,
                  1 are rejected by your job's requirements
                  0 reject your job because of their own requirements
                  0 match but are serving other users
                  0 are able to run your job

            """
        let queue = HTCondorQueue()
        let state = queue.state(from: text)
        #expect(state == JobState(.waiting, "Idle", reason: "no machine meets TARGET.Cpus >= RequestCpus"))
        #expect(state?.reason.flatMap(queue.cure)?.contains("request_cpus") == true)
        let met = text.replacing("         0  TARGET", with: "         3  TARGET")
            .replacing("0 reject your job because", with: "2 reject your job because")
        #expect(
            queue.state(from: met)?.reason
                == "of the machines, 1 are rejected by your job's requirements, "
                + "2 reject your job because of their own requirements")
        let joint = text.replacing(
            "[7]           0  TARGET.Cpus >= RequestCpus",
            with: "[7]           1  TARGET.Cpus >= RequestCpus\n[8]           0  [5] && [7]")
        #expect(
            queue.state(from: joint)?.reason
                == "no machine meets TARGET.Memory >= RequestMemory && TARGET.Cpus >= RequestCpus")
    }

    @Test("cancelling succeeds for a cluster that is gone, and for no other that can't be cancelled")
    func cancelling() async throws {
        // Stand-ins: condor_rm as it answers for a cluster that is gone; condor_q without it, with it, and without a schedd.
        for (left, status) in [(":", 0), ("echo 3", 1), ("false", 1)] as [(String, Int32)] {
            let words = HTCondorQueue().cancelCommand
            let script = "condor_rm() { [ \"$1\" = 3 ] && false; }; condor_q() { \(left); }; \(words[2])"
            let got = try await run(words.prefix(2) + [script] + words.dropFirst(3) + ["3"])
            #expect(got.end.program == .exited(status: status))
        }
    }

    @Test("the time of a job's end is told where HTCondor limits it", arguments: ["Job", "Execute", nil])
    func wallTime(limit: String?) async throws {
        var request = request(1)
        request.program = ["/bin/sh", "-c", "echo \"${MUSTER_JOB_END-none}\""]
        let text = try HTCondorQueue(["should_transfer_files": "NO"]).submission(for: request).script
        // What HTCondor makes of the arguments: its own quotes are taken off.
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("arguments = \"-c '") })
        let script = line.dropFirst("arguments = \"-c '".count).dropLast(2)
            .replacing("\"\"", with: "\"").replacing("''", with: "'")
        let ad = limit.map { "Allowed\($0)Duration = 600\nArguments = \"x\"" } ?? "ClusterId = 3"
        let got = try await run(
            [
                "/bin/sh", "-c",
                "f=`mktemp`; printf '%s\\n' \"$1\" >\"$f\"; export _CONDOR_JOB_AD=\"$f\"; date +%s; /bin/sh -c \"$2\"; rm \"$f\"",
                "job", ad, String(script),
            ])
        let words = got.end.output.split(separator: "\n")
        if limit == nil {
            #expect(words.last == "none")
        } else {
            let (now, end) = try (#require(words.first.flatMap { Int($0) }), #require(words.last.flatMap { Int($0) }))
            #expect((now + 600...now + 605).contains(end))
        }
    }

    @Test("refusals that pass are told from those that don't")
    func refusal() {
        let queue = HTCondorQueue()
        #expect(queue.mayPass("ERROR: Can't find address of local schedd"))
        #expect(!queue.mayPass("ERROR: Cannot allocate a cluster id"))
        #expect(queue.cure(for: "ERROR: Cannot allocate a cluster id")?.contains("root") == true)
        #expect(queue.cure(for: "something else") == nil)
    }
}
