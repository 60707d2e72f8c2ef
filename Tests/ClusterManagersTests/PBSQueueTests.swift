import Agent
import Foundation
import Testing

@testable import ClusterManagers

@Suite("PBSQueue")
struct PBSQueueTests {
    private func request(_ tasks: Int, _ program: [String] = ["/opt/my program", "it's"]) -> JobRequest {
        JobRequest(
            name: "muster-1-a", tasks: tasks, workersPerTask: 1, outputFile: "/home/me/.muster/it's.out",
            exports: ["HOME", "PATH", "NOT_SET"], program: program,
            environment: [.init(name: "MUSTER_ROLE", value: "agent:file:/home/me/.muster/join-1")])
    }

    @Test(
        "the option for arrays is that of the qsub that is there; an array of one is an ordinary job",
        arguments: [
            ("echo pbs_version = 23.06.06", 4, "-J 1-4 "), ("echo pbs_version = PBSPro_13.1.0", 4, "-J 1-4 "),
            ("echo Version: 6.1.3 >&2", 4, "-t 1-4 "), ("echo version: 2.5.7 >&2", 4, "-t 1-4 "), ("exit 2", 1, ""),
        ])
    func arrays(version: String, tasks: Int, array: String) async throws {
        let commands = try FakeCommands(["qsub": "case $1 in --version) \(version); exit ;; esac; echo \"$*\"; cat"])
        let queue = PBSQueue(
            queue: "long", resources: ["select=1:ncpus=4", "walltime=00:10:00"], flags: ["-A", "my account"])
        let submission = try queue.submission(for: request(tasks))
        #expect(submission.program == "qsub" && !submission.isAttached)
        let got = try await run(commands.finding(submission.command, "HOME=/home/me"), input: Array("the script".utf8))
        #expect(
            got.text == """
                -v HOME,PATH \(array)-N muster-1-a -S /bin/sh -j oe -o /dev/null -q long -l select=1:ncpus=4 \
                -l walltime=00:10:00 -A my account
                the script
                """)
    }

    @Test("the user's output file is theirs, and what would change the number of agents is refused")
    func refusals() throws {
        let submission = try PBSQueue(flags: ["-koed", "-o", "mine"]).submission(for: request(1))
        #expect(!submission.command[2].contains("-o /dev/null") && !submission.script.contains("it's.out"))
        #expect(
            try PBSQueue().submission(for: request(1)).script.contains(
                "[ -e '/home/me/.muster/it'\\''s' ] && exec >>'/home/me/.muster/it'\\''s.out' 2>&1\n"))
        for flag in ["-J", "-J1-3", "-t", "-I"] {
            #expect(throws: (any Error).self) { try PBSQueue(flags: [flag, "1-3"]).submission(for: request(1)) }
        }
    }

    @Test("keys are the queue, the directory, options of one letter, or resources")
    func keys() {
        let queue = PBSQueue([
            ("queue", "long"), ("working_directory", "/data"), ("A", "account"), ("V", ""), ("walltime", "1:00"),
            ("select", "1:ncpus=2"),
        ])
        #expect(queue.queue == "long" && queue.workingDirectory == "/data" && queue.flags == ["-A", "account", "-V"])
        #expect(queue.resources == ["walltime=1:00", "select=1:ncpus=2"])
    }

    @Test(
        "a job knows when it ends: from Torque's variable, from qstat, from what was asked for, or not at all",
        arguments: [
            (["PBS_WALLTIME=100"], "exit 1", [], 100), ([], "echo '    Resource_List.walltime = 00:01:40'", [], 100),
            ([], "echo '    Resource_List.walltime = 24:00:05'", ["mem=1gb,walltime=7"], 86_405),
            ([], "exit 1", ["mem=1gb,walltime=1:02:03:04"], 93_784), ([], "echo '    job_state = R'", [], nil),
        ] as [([String], String, [String], Int?)])
    func end(variables: [String], qstat: String, resources: [String], seconds: Int?) async throws {
        let commands = try FakeCommands(["qstat": "[ \"$*\" = '-f 15[0].vm' ] || exit 2; \(qstat)"])
        let program = ["/bin/sh", "-c", "date +%s; echo \"${MUSTER_JOB_END-none}\"; pwd"]
        let queue = PBSQueue(resources: resources, workingDirectory: "/usr", flags: ["-k", "oe"])
        let script = try queue.submission(for: request(1, program)).script
        let command = ["/usr/bin/env"] + variables + ["PBS_JOBID=15[0].vm", "/bin/sh", "-c", script]
        let lines = try await run(commands.finding(command)).text.split(separator: "\n")
        try #require(lines.count == 3 && lines[2] == "/usr")
        let now = try #require(Int(lines[0]))
        if let seconds, let end = Int(lines[1]) {
            // Between the two looks at the clock a second may begin, or some on a busy machine.
            #expect((now + seconds - 10...now + seconds).contains(end))
        } else {
            #expect(lines[1] == "none" && seconds == nil)
        }
    }

    @Test(
        "the agent starts where the driver is, or at home where that is not",
        arguments: [("/usr", "/usr"), ("/no", "/")])
    func directory(submitted: String, expected: String) async throws {
        let script = try PBSQueue(flags: ["-k", "oe"]).submission(for: request(1, ["/bin/pwd"])).script
        let got = try await run(["/bin/sh", "-c", "cd /; PBS_O_WORKDIR=\(submitted); PBS_WALLTIME=1\n" + script])
        #expect(got.text == expected)
    }

    @Test(
        "the job's number is found among what login shells print",
        arguments: [
            ("4.vm\n", "4.vm"), ("0[].vm\n", "0[].vm"),
            ("Welcome to 4711!\n12[].pbs-1.site.org\r\nbye\n", "12[].pbs-1.site.org"),
            ("", nil), ("18\n", nil), ("12[1].vm\n", nil), ("1.vm; rm -rf /\n", nil), ("x 4.vm\n", nil),
        ])
    func number(output: String, expected: String?) {
        #expect(PBSQueue().job(fromSubmitOutput: output) == expected)
    }

    @Test(
        "states are read of jobs and arrays, whose long lines are folded",
        arguments: [
            (
                "Job Id: 4.vm\n    job_state = R\n    comment = Job run at Fri\n",
                JobState(.running, "R", reason: "Job run at Fri")
            ),
            (
                "motd\nJob Id: 4.vm\n    Job_Name = x\n    job_state = Q\n    comment = Can Never Run: Insufficient amo\n\tunt of resource: ncpus (R: 100 A\n\t: 8 T: 8)\n",
                JobState(
                    .waiting, "Q", reason: "Can Never Run: Insufficient amount of resource: ncpus (R: 100 A: 8 T: 8)")
            ),
            (
                "Job Id: 0[].vm\n    job_state = B\n    comment = Job Array Began\n    array_state_count = Queued:1 Running:3 Exiting:0 Expired:0 \n",
                JobState(.waiting, "B", reason: "Queued:1 Running:3 Exiting:0 Expired:0")
            ),
            (
                "Job Id: 0[].vm\n    job_state = B\n    array_state_count = Queued:0 Running:3 Exiting:0 Expired:1 \n",
                JobState(.running, "B", reason: "Queued:0 Running:3 Exiting:0 Expired:1", lostTasks: 1)
            ),
            (
                "Job Id: 4.vm\n    job_state = H\n    Hold_Types = u\n",
                JobState(.waiting, "H", reason: "Hold_Types = u")
            ),
            (
                "qstat: 4.vm Job has finished, use -x or -H to obtain historical job information\nJob Id: 4.vm\n    job_state = F\n    Exit_status = 271\n",
                JobState(.ended, "F", reason: "Exit_status = 271")
            ),
            (
                "qstat: 4.vm Job has finished, use -x or -H to obtain historical job information\n",
                JobState(.ended, "F")
            ),
            ("qstat: Unknown Job Id 999.vm\n", JobState(.ended, "unknown job")),
            (
                "Job Id: 4[1].vm\n    job_state = C\n\nJob Id: 4[2].vm\n    job_state = R\n",
                JobState(.running, "R", lostTasks: 1)
            ),
            ("Connection refused\nqstat: cannot connect to server vm (errno=15010)\n", nil), ("", nil),
        ])
    func state(output: String, expected: JobState?) {
        #expect(PBSQueue().state(from: output) == expected)
    }

    @Test(
        "who is asked to cancel a job that is over has done so",
        arguments: [
            (0, "", 0), (153, "qdel: Unknown Job Id 4.vm", 0), (35, "qdel: Job has finished 4.vm", 0),
            (162, "qdel: cannot connect", 162),
        ])
    func cancel(status: Int32, said: String, expected: Int32) async throws {
        let commands = try FakeCommands(["qdel": "[ \"$*\" = 4.vm ] || exit 9; echo '\(said)' >&2; exit \(status)"])
        let got = try await run(commands.finding(PBSQueue().cancelCommand + ["4.vm"]))
        #expect(got.end.program == .exited(status: expected) && got.end.error == (expected == 0 ? "" : said + "\n"))
    }

    @Test("refusals that pass are told from those that don't, and have cures")
    func refusal() {
        let queue = PBSQueue()
        #expect(queue.mayPass("Connection refused\nqsub: cannot connect to server vm (errno=15010)"))
        #expect(
            !queue.mayPass("qsub: Unknown queue")
                && queue.cure(for: "qsub: Unknown queue")?.contains("qstat -Q") == true)
        #expect(queue.cure(for: "something else") == nil)
    }

    @Test("what would be submitted can be seen beforehand, by the name of the kind too")
    func dryRun() throws {
        let text = try JobQueueKind.pbs.manager(count: 4, flags: [("queue", "long"), ("walltime", "10")]).dryRun()
        #expect(text.contains("-q long -l walltime=10") && text.contains("MUSTER_ROLE=agent:"))
    }
}
