import Agent
import Testing

@testable import ClusterManagers

@Suite("GridEngineQueue")
struct GridEngineQueueTests {
    private func request(_ tasks: Int, isInput: Bool = false) -> JobRequest {
        JobRequest(
            name: "muster-1-a", tasks: tasks, workersPerTask: 1, outputFile: "/home/me/.muster/join-1.out",
            exports: ["HOME", "PATH"], program: ["/opt/my program", "it's", "$(x)"],
            environment: [
                .init(name: "MUSTER_ROLE", value: isInput ? "agent:3" : "agent:file:/home/me/.muster/join-1")
            ],
            joinsByInput: isInput)
    }

    @Test("an array job whose script has no secret, with the user's options behind ours")
    func array() throws {
        let queue = GridEngineQueue(
            qsubFlags: ["-P", "physics", "-V"], queue: "short.q,long.q", resources: "h_vmem=4G,tmem=4G",
            workingDirectory: "/scratch")
        let submission = try queue.submission(for: request(4))
        #expect(
            submission.command == [
                "qsub", "-terse", "-t", "1-4", "-r", "n", "-b", "n", "-S", "/bin/sh", "-j", "y", "-o",
                "/home/me/.muster/join-1.out", "-N", "muster-1-a", "-wd", "/scratch", "-v", "HOME,PATH", "-q",
                "short.q,long.q", "-l", "h_vmem=4G,tmem=4G", "-P", "physics", "-V",
            ])
        #expect(!submission.isAttached && submission.script.hasPrefix("#!/bin/sh\n"))
        #expect(
            submission.script.hasSuffix(
                "\nexport MUSTER_ROLE=agent:file:/home/me/.muster/join-1; exec '/opt/my program' 'it'\\''s' '$(x)'\n"))
    }

    @Test("the working directory is the home directory unless told, and the user's options are theirs")
    func defaults() throws {
        let options = GridEngineOptions(queue: nil, resources: nil, workingDirectory: nil, flags: ["-cwd", "-o", "/x"])
        let words = try GridEngineQueue(options).submission(for: request(1)).command
        #expect(!words.contains("-wd") && words.filter { $0 == "-o" }.count == 1 && !words.contains("-q"))
        // Set in every environment that tests run in.
        #expect(GridEngineOptions([]).workingDirectory?.hasPrefix("/") == true)
        for flag in ["-t", "-N"] {
            #expect(throws: (any Error).self) {
                try GridEngineQueue(qsubFlags: [flag, "1-3"]).submission(for: request(1))
            }
        }
    }

    @Test("keys that are known at run time")
    func keys() throws {
        let options = GridEngineOptions([
            ("P", "physics"), ("queue", "a.q"), ("V", ""), ("resources", "h_rt=60"), ("working_directory", "/scratch"),
            ("pe", "smp 4"),
        ])
        #expect(
            options
                == GridEngineOptions(
                    queue: "a.q", resources: "h_rt=60", workingDirectory: "/scratch",
                    flags: ["-P", "physics", "-V", "-pe", "smp", "4"]))
    }

    @Test("interactive jobs are commands that stay, whose agents read from standard input")
    func interactive() throws {
        let queue = GridEngineInteractiveQueue(
            qrshFlags: ["-P", "physics"], resources: "h_rt=60", workingDirectory: "/scratch")
        #expect(queue.hasJobPerTask && queue.joinsByInput)
        let submission = try queue.submission(for: request(1, isInput: true))
        #expect(submission.isAttached && submission.jobName == "muster-1-a" && submission.script == "")
        #expect(
            submission.command.dropLast() == [
                "qrsh", "-noshell", "-now", "n", "-N", "muster-1-a", "-wd", "/scratch", "-v", "HOME,PATH", "-l",
                "h_rt=60",
                "-P", "physics", "/bin/sh", "-c",
            ])
        #expect(
            submission.command.last?.hasSuffix(
                "\nexport MUSTER_ROLE=agent:3; exec '/opt/my program' 'it'\\''s' '$(x)' 3<&0 </dev/null") == true)
        let hasty = GridEngineInteractiveQueue(qrshFlags: ["-now", "y"])
        #expect(try hasty.submission(for: request(1)).command.filter { $0 == "-now" }.count == 1)
        let refusal = #"Your "qrsh" request could not be scheduled, try again later."#
        #expect(hasty.mayPass(refusal) && !queue.mayPass(refusal))
    }

    @Test(
        "the array's number is found among what wrappers print",
        arguments: [
            ("3.1-4:1\n", "3"), ("8.1-1:1\n", "8"), ("Welcome to node 4711!\n19.1-20:1\r\nbye\n", "19"), ("", nil),
            ("18\n", nil), ("3.1-4:1; rm -rf /\n", nil), ("version 3.1-4:1\n", nil), ("7.1-2:1\n8.1-2:1\n", "8"),
        ])
    func number(output: String, expected: String?) {
        #expect(GridEngineQueue().job(fromSubmitOutput: output) == expected)
    }

    private static func listing(_ jobs: [(number: Int, state: String)]) -> String {
        "<?xml version='1.0'?>\n<job_info  xmlns:xsd=\"http://arc.liv.ac.uk/qstat.xsd\">\n  <queue_info>\n"
            + jobs.map {
                """
                    <job_list state="running">
                      <JB_job_number>\($0.number)</JB_job_number>
                      <JB_name>muster-1-a</JB_name>
                      <state>\($0.state)</state>
                    </job_list>

                """
            }.joined() + "  </queue_info>\n</job_info>\n"
    }

    /// As `qstat -j` prints it, shortened.
    private static func description(
        _ number: Int, queues: String, scheduling: [String], errors: [String] = [], tasks: String? = nil
    ) -> String {
        let indent = "\n" + String(repeating: " ", count: 28)
        return """
            ==============================================================
            job_number:                 \(number)
            submission_time:            Sun Nov 22 03:19:09 2026
            hard_queue_list:            \(queues)

            """ + (tasks.map { "job-array tasks:            \($0)\n" } ?? "")
                + errors.enumerated().map { "error reason \($0 + 1):          \($1)\n" }.joined()
                + "scheduling info:            \(scheduling.joined(separator: indent))\n"
    }

    private static let others = [
        #"cannot run in queue "short.q" because it is not contained in its hard queue list (-q)"#,
        #"queue instance "off.q@localhost" dropped because it is disabled"#,
    ]

    @Test("a job that waits says what it waits for, and not why it is not in queues that nobody wants")
    func waiting() {
        let listing = Self.listing([(3, "r"), (4, "qw")])
        let full = #"queue instance "all.q@localhost" dropped because it is full"#
        let seen = GridEngineState.state(
            from: listing + Self.description(4, queues: "all.q", scheduling: Self.others + [full]))
        #expect(seen == JobState(.waiting, "qw", reason: full))
        let off = GridEngineState.state(
            from: listing + Self.description(4, queues: "off.q", scheduling: Self.others))
        #expect(off == JobState(.waiting, "qw", reason: Self.others[1]))
        let unknown = GridEngineState.state(
            from: listing
                + Self.description(
                    4, queues: "all.q", scheduling: ["(Collecting of scheduler job information is turned off)"]))
        #expect(unknown == JobState(.waiting, "qw"))
    }

    @Test("tasks that can't start say why, and are not waited for")
    func error() {
        let said = "11/22/2026 03:19:09 [0:26161]: error: can't chdir to /nonexistent: No such file or directory"
        let seen = GridEngineState.state(
            from: Self.listing([(10, "Eqw")]).replacing("</state>", with: "</state>\n<tasks>1,3-7:2</tasks>")
                + Self.description(
                    10, queues: "all.q", scheduling: Self.others + ["Job is in error state"], errors: [said, said]))
        #expect(seen?.phase == .waiting && seen?.word == "Eqw" && seen?.lostTasks == 4)
        #expect(
            seen?.reason
                == "error: can't chdir to /nonexistent: No such file or directory; Job is in error state")
        #expect(GridEngineState.cure(for: seen?.reason ?? "")?.contains("workingDirectory") == true)
    }

    @Test("the states of an array's tasks, and of all jobs of a name")
    func several() {
        let array = Self.listing([(3, "r"), (3, "r"), (3, "qw"), (4, "hqw")])
        let one = Self.description(3, queues: "all.q", scheduling: [])
        #expect(GridEngineState.state(from: array + one) == JobState(.waiting, "qw,r"))
        let two = Self.description(4, queues: "all.q", scheduling: ["Job is in hold state"])
        #expect(
            GridEngineState.state(from: array + one + two)
                == JobState(.waiting, "hqw,qw,r", reason: "Job is in hold state"))
        // Of six tasks three are over.
        #expect(
            GridEngineState.state(
                from: array + Self.description(3, queues: "all.q", scheduling: [], tasks: "1-6:1")
            )?.lostTasks == 3)
        let running = Self.listing([(3, "r"), (3, "t")])
        #expect(
            GridEngineState.state(from: running + Self.description(3, queues: "all.q", scheduling: Self.others))
                == JobState(.running, "r,t"))
    }

    @Test("a job that is gone has ended; no answer is none")
    func gone() {
        let none = Self.listing([])
        #expect(
            GridEngineState.state(from: none + "Following jobs do not exist: \n99999\n") == JobState(.ended, "ended"))
        let ends =
            "failed       37  : qmaster enforced h_rt, h_cpu, or h_vmem limit\nexit_status  137                  (Killed)\n"
        let ended = GridEngineState.state(
            from: none + "Following jobs do not exist: \n27\n" + ends + ends + "failed       0    \nexit_status  0\n")
        #expect(
            ended == JobState(.ended, "ended", reason: "exit status 137; qmaster enforced h_rt, h_cpu, or h_vmem limit")
        )
        #expect(GridEngineState.cure(for: ended?.reason ?? "")?.contains("h_rt") == true)
        #expect(GridEngineState.state(from: "error: commlib error: got select error (Connection refused)\n") == nil)
        #expect(GridEngineState.state(from: "") == nil)
    }

    @Test(
        "to cancel a job that has ended is no failure",
        arguments: [("echo denied: job 3 does not exist; exit 1", 0), ("exit 1", 1), ("exit 0", 0)])
    func cancels(answer: String, status: Int32) async throws {
        // A function in place of qdel.
        let shell = "qdel() ( \(answer.replacing("3", with: "\"$1\"")) ); \(GridEngineState.cancelCommand[2])"
        let got = try await run(["/bin/sh", "-c", shell, "qdel", "3"])
        #expect(got.end.program == .exited(status: status))
    }

    @Test(
        "times as Grid Engine reads them",
        arguments: [
            ("90", 90), ("1:30", 90), ("1:00:00", 3600), ("::5", 5), ("INFINITY", nil), ("1:2:3:4", nil), ("-1", nil),
        ])
    func times(text: String, expected: Int?) {
        #expect(GridEngineOptions.seconds(text[...]) == expected)
    }

    @Test("the job knows its end from what was asked for, the site's default, or its queue, whichever is first")
    func end() async throws {
        func end(_ options: GridEngineOptions, job: String, queue: String) async throws -> String {
            let stand = """
                date() { echo 2000000000; }
                qstat() { printf '%s\\n' 'hard resource_list:         \(job)'; }
                qconf() { printf '%s\\n' 'h_rt                  \(queue)' 's_rt                  INFINITY'; }

                """
            let shell = stand + options.endScript + "\necho \"end=${MUSTER_JOB_END-}\"; env | grep -c ^MUSTER_JOB_END="
            return try await run(["/bin/sh", "-c", shell]).text.replacing("\n", with: " ")
        }
        let none = GridEngineOptions([])
        #expect(try await end(none, job: "h_vmem=4G", queue: "INFINITY") == "end= 0")
        #expect(try await end(none, job: "h_vmem=4G,h_rt=3600", queue: "00:10:08") == "end=2000000608 1")
        #expect(try await end(none, job: "h_rt=60,s_rt=50", queue: "24:00:00") == "end=2000000050 1")
        let asked = GridEngineOptions([("resources", "h_vmem=4G,h_rt=0:1:30"), ("l", "s_rt=2:00")])
        #expect(try await end(asked, job: "", queue: "00:00:01") == "end=2000000090 1")
    }

    @Test("refusals that pass are told from those that don't, and have cures")
    func refusals() {
        let down = """
            error: commlib error: got select error (Connection refused)
            Unable to run job: unable to send message to qmaster using port 6444 on host "head": got send error
            """
        #expect(GridEngineState.mayPass(down))
        let refused = #"Unable to run job: Job was rejected because job requests unknown queue "nosuch.q""#
        #expect(!GridEngineState.mayPass(refused))
        #expect(GridEngineState.cure(for: refused)?.contains("qconf -sql") == true)
        #expect(GridEngineState.cure(for: "something else") == nil)
    }
}
