import Agent
import Foundation
import Testing

@testable import ClusterManagers

@Suite("LSFQueue")
struct LSFQueueTests {
    private func request(_ tasks: Int, _ program: [String] = ["/opt/my program", "it's"]) -> JobRequest {
        JobRequest(
            name: "muster-1-a", tasks: tasks, workersPerTask: 1, outputFile: "/home/me/.muster/1.out",
            exports: ["HOME", "LANG"], program: program,
            environment: [.init(name: "MUSTER_ROLE", value: "agent:file:/home/me/.muster/join-1")])
    }

    @Test("bsub gets the script, an array for more than one, and of the environment only what the job may have")
    func submission() async throws {
        let commands = try FakeCommands([
            "bsub": "for word; do echo \"$word\"; done; /usr/bin/env | /usr/bin/sort; /bin/cat"
        ])
        let queue = LSFQueue(bsubFlags: ["-q", "short", "-R", "select[mem > 10]"])
        let variables = ["HOME=/home/me", "LSF_ENVDIR=/etc/lsf", "SECRET=two\nlines=1", "NAME=x", "name=y"]
        let command = ["/usr/bin/env"] + variables + (try queue.submission(for: request(4))).command
        let got = try await run(commands.finding(command), input: Array("the script".utf8))
        let lines = got.text.split(separator: "\n").filter { !$0.hasPrefix("PWD=") && !$0.hasPrefix("_=") }
        #expect(
            lines == [
                "-J", "muster-1-a[1-4]", "-o", "/dev/null", "-q", "short", "-R", "select[mem > 10]", "HOME=/home/me",
                "LSB_NTRIES=1", "LSF_ENVDIR=/etc/lsf", "the script",
            ], "\(got)")
        #expect(try queue.submission(for: request(1)).command[2].contains(" -J muster-1-a -o"))
    }

    @Test("where bsub is missing, that is said")
    func missing() async throws {
        let commands = try FakeCommands([:])
        let got = try await run(commands.finding(try LSFQueue().submission(for: request(1)).command))
        #expect(got.end.program == .exited(status: 127) && got.end.error == "bsub: not found\n")
    }

    @Test("through another host all commands go as one line that its shell takes apart again")
    func otherHost() async throws {
        let commands = try FakeCommands([
            "ssh": "[ \"$1\" = login ] || exit 9; shift; exec sh -c \"$*\"", "bkill": "echo \"bkill $*\"",
            "bsub": "echo \"$*\"; /bin/cat", "bjobs": "echo \"4 me PEND short a - muster-1-a[1] Nov 20\"",
        ])
        let queue = LSFQueue(bsubFlags: ["-R", "it's \"$x\""], sshCommand: ["ssh", "login"])
        let submission = try queue.submission(for: request(2))
        #expect(submission.program == "ssh")
        let got = try await run(commands.finding(submission.command), input: Array("the script".utf8))
        #expect(got.text == "-J muster-1-a[1-2] -o /dev/null -R it's \"$x\"\nthe script")
        #expect(try await run(commands.finding(queue.cancelCommand + ["4"])).end.program == .exited(status: 0))
        let state = try await run(commands.finding(queue.stateCommand(for: "4"))).text
        #expect(queue.state(from: state) == JobState(.waiting, "PEND"))
    }

    @Test("what would change the number of agents is refused, and the user's output file is theirs")
    func refusals() throws {
        for flag in ["-J", "-Jmine", "-Ip", "-Is", "-K"] {
            #expect(throws: (any Error).self) { try LSFQueue(bsubFlags: [flag]).submission(for: request(1)) }
        }
        let submission = try LSFQueue(bsubFlags: ["-oo", "mine"]).submission(for: request(1))
        #expect(!submission.command[2].contains("/dev/null") && !submission.script.contains("1.out"))
    }

    @Test("an interactive job is one command with a word for the shell, and hands its input to the agent")
    func interactive() async throws {
        let queue = LSFQueue(bsubFlags: ["-I", "-q", "short"])
        var request = request(1, ["/bin/sh", "-c", "cat <&3; cat; echo over"])
        request.joinsByInput = true
        let submission = try queue.submission(for: request)
        #expect(queue.hasJobPerTask && queue.joinsByInput && submission.isAttached && submission.script.isEmpty)
        #expect(submission.jobName == "muster-1-a")
        // What stands for bsub runs its last word.
        let commands = try FakeCommands([
            "bsub": "echo $1 $2 $3 $4 $5 $#; for word; do :; done; eval \"$word\"", "bjobs": "cat; exit 1",
            "cat": "exec /bin/cat",
        ])
        let got = try await run(commands.finding(submission.command), input: Array("the key\n".utf8))
        #expect(got.text == "-J muster-1-a -I -q short 6\nthe key\nover", "\(got)")
    }

    @Test("jobs of a name are cancelled and asked for by it")
    func names() async throws {
        let commands = try FakeCommands([
            "bkill": "echo $* >&2; exit 255", "bjobs": "[ \"$*\" = '-w -J muster-1-a' ] && echo 4 me PEND short",
        ])
        let cancelled = try await run(commands.finding(LSFQueue().cancelCommand + ["muster-1-a"]))
        #expect(cancelled.end.error == "-J muster-1-a 0\n")
        let state = try await run(commands.finding(LSFQueue().stateCommand(for: "muster-1-a"))).text
        #expect(LSFQueue().state(from: state) == JobState(.waiting, "PEND"))
    }

    @Test("keys are the queue, the host to submit at, or options")
    func keys() throws {
        let queue = try LSFQueue([
            ("queue", "short"), ("ssh", "me@login"), ("W", "0:10"), ("x", ""), ("throttle", "3"),
        ])
        #expect(queue.bsubFlags == ["-q", "short", "-W", "0:10", "-x"] && queue.sshCommand == ["ssh", "me@login"])
        #expect(queue.throttle == 3 && queue.jobsAtOnce == 3)
        #expect(throws: (any Error).self) { try LSFQueue([("throttle", "many")]) }
        #expect(throws: (any Error).self) { try LSFQueue(throttle: 0).submission(for: request(1)) }
    }

    @Test(
        "a job knows when it ends: from what was asked for, from bjobs, or not at all",
        arguments: [
            (["-W", "0:10"], "exit 1", 600), (["-W2"], "exit 1", 120),
            (["-W", "10/fast"], "echo; echo ' RUNLIMIT'; echo ' 5.0 min of vm'", 300),
            ([], "echo ' RUNLIMIT                '; echo ' 1.5 min of vm'", 90), ([], "echo Job is here", nil),
        ] as [([String], String, Int?)])
    func end(flags: [String], bjobs: String, seconds: Int?) async throws {
        let commands = try FakeCommands(["bjobs": "[ \"$*\" = '-l 4[2]' ] || exit 2; \(bjobs)"])
        let program = ["/bin/sh", "-c", "date +%s; echo \"${MUSTER_JOB_END-none}\""]
        let script = try LSFQueue(bsubFlags: flags + ["-o", "x"]).submission(for: request(2, program)).script
        let command = ["/usr/bin/env", "LSB_JOBID=4", "LSB_JOBINDEX=2", "/bin/sh", "-c", script]
        let lines = try await run(commands.finding(command)).text.split(separator: "\n")
        try #require(lines.count == 2)
        let now = try #require(Int(lines[0]))
        if let seconds, let end = Int(lines[1]) {
            // Between the two looks at the clock a second may begin, or some on a busy machine.
            #expect((now + seconds - 10...now + seconds).contains(end))
        } else {
            #expect(lines[1] == "none" && seconds == nil)
        }
    }

    @Test(
        "the job's number is found among what login shells print",
        arguments: [
            ("Job <4> is submitted to default queue <normal>.\n", "4"),
            ("Job <5> is submitted to queue <short>.\r\n", "5"),
            ("Welcome to Job <3>\nJob <12> is submitted to queue <a>.\nbye\n", "12"), ("", nil),
            ("Job <x> is submitted to queue <short>.\n", nil), ("nosuch: No such queue. Job not submitted.\n", nil),
        ])
    func number(output: String, expected: String?) {
        #expect(LSFQueue().job(fromSubmitOutput: output) == expected)
    }

    @Test(
        "the states of an array's members are counted, and the reasons of those that wait are told once each",
        arguments: [
            (["RUN", "RUN"], JobState(.running, "RUN")),
            (["DONE", "EXIT"], JobState(.ended, "1 DONE, 1 EXIT", lostTasks: 2)),
            (["RUN", "EXIT", "RUN"], JobState(.running, "1 EXIT, 2 RUN", lostTasks: 1)),
            (
                ["PEND", "RUN", "PEND"],
                JobState(.waiting, "2 PEND, 1 RUN", reason: "Job slot limit reached: 1 host; Not enough job slot(s)")
            ),
            ([], JobState(.ended, "not found")),
        ] as [([String], JobState)])
    func state(members: [String], expected: JobState) async throws {
        let lines = members.enumerated().map { index, word in
            "echo '4       me      \(word)  short      vm          vm          muster-1-a[\(index + 1)] Nov 20 16:45'"
                + (word == "PEND"
                    ? "; [ $2 = 4 ] || printf ' Not enough job slot(s);\\n Job slot limit reached: 1 host;\\n'" : "")
        }
        let header = "echo 'JOBID   USER    STAT  QUEUE      FROM_HOST   EXEC_HOST   JOB_NAME   SUBMIT_TIME'"
        let script =
            members.isEmpty ? "echo 'Job <4> is not found' >&2; exit 255" : ([header] + lines).joined(separator: "\n")
        let commands = try FakeCommands(["bjobs": script])
        let got = try await run(commands.finding(LSFQueue().stateCommand(for: "4")))
        #expect(LSFQueue().state(from: got.text) == expected, "\(got)")
    }

    @Test("nothing is known of a job where LSF does not answer")
    func noState() { #expect(LSFQueue().state(from: "LSF daemon (LIM) not responding ... still trying\n") == nil) }

    @Test(
        "who is asked to cancel a job that is over has done so",
        arguments: [
            (0, "Job <4> is being terminated", 0), (255, "Job <4>: No matching job found", 0),
            (255, "Job <4>: Job has already finished", 0), (255, "LIM is down; try later", 255),
        ])
    func cancel(status: Int32, said: String, expected: Int32) async throws {
        let commands = try FakeCommands(["bkill": "[ \"$*\" = 4 ] || exit 9; echo '\(said)' >&2; exit \(status)"])
        let got = try await run(commands.finding(LSFQueue().cancelCommand + ["4"]))
        #expect(got.end.program == .exited(status: expected))
    }

    @Test("refusals that pass are told from those that don't, and have cures")
    func refusal() {
        let queue = LSFQueue()
        #expect(queue.mayPass("User <me>: Pending job threshold reached. Job not submitted."))
        #expect(!queue.mayPass("nosuch: No such queue. Job not submitted."))
        #expect(queue.cure(for: "nosuch: No such queue. Job not submitted.")?.contains("bqueues") == true)
        #expect(queue.cure(for: "something else") == nil)
    }

    @Test("what would be submitted can be seen beforehand, by the name of the kind too")
    func dryRun() throws {
        let text = try JobQueueKind.lsf.manager(count: 4, flags: [("queue", "short"), ("W", "10")]).dryRun()
        #expect(text.contains("-q short -W 10") && text.contains("MUSTER_ROLE=agent:"))
    }
}
