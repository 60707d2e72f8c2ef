import Foundation
import Testing

@Suite("muster exec", .serialized)
struct ExecCommandTests {
    @Test(
        "each copy runs on the CPUs that the plan shows", arguments: [["--mode", "compact"], ["--mode", "balanced"]])
    func masks(mode: [String]) async throws {
        let plan = try await muster(["plan", "--workers", "2", "--json"] + mode)
        let workers = try #require(plan.json?["workers"] as? [[String: Any]])
        let expected = Set(
            workers.compactMap { worker in
                (worker["cpus"] as? [Int]).map {
                    "\(worker["worker"] ?? "") \($0.map(String.init).joined(separator: ","))"
                }
            })
        let script = "echo $MUSTER_WORKER $(sed -n 's/^Cpus_allowed_list:.//p' /proc/self/status)"
        let run = try await muster(["exec", "--workers", "2"] + mode + ["--", "sh", "-c", script])
        #expect(run.status == 0)
        #expect(Set(run.lines.filter { !$0.isEmpty }.map(String.init)) == expected)
    }

    @Test("--report tells plan and reality of each copy")
    func report() async throws {
        let plan = try await muster("plan", "--workers", "2", "--json")
        let workers = try #require(plan.json?["workers"] as? [[String: Any]])
        let run = try await muster("exec", "--workers", "2", "--memory", "local", "--report", "--", "true")
        #expect(run.status == 0 && run.output.isEmpty)
        // With one CPU it is said first that they share it.
        let lines = run.errors.split(separator: "\n").filter { !$0.hasPrefix("muster: ") }
            .map { $0.split(separator: " ", omittingEmptySubsequences: true) }
        #expect(lines.first?.joined(separator: " ") == "worker process planned cpus planned memory verdict")
        for (line, worker) in zip(lines.dropFirst(), workers) {
            let cpu = try #require((worker["cpus"] as? [Int])?.first)
            #expect(line[0] == "\(worker["worker"] ?? "")" && line[2] == "\(cpu)" && line[3] == "\(cpu)")
            // A container may forbid the policy, which is said then; the CPUs it can't forbid.
            #expect(line.contains("ok") || line.contains("ok,"))
        }
        #expect(lines.count == 3)
        let none = try await muster("exec", "--workers", "1", "--memory", "none", "--report", "--", "true")
        #expect(none.errors.contains("as is    default  ok\n"))
    }

    @Test("CPUs of a process with the same number, in another container, are another's, and stay reserved")
    func sameNumber() async throws {
        let cpus = try #require(try await muster("plan", "--json").json?["usable"] as? [Int])
        guard cpus.count > 1 else { return print("skipped: one CPU") }
        let runtime = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        let directory = runtime.appending(path: "muster")
        try FileManager.default.createDirectory(
            at: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(at: runtime) }
        // The shell becomes the tool, with its number; what it has locked stays so.
        let run = try await shell(
            """
            export XDG_RUNTIME_DIR=\(runtime.path); file=\(directory.path)/cpus-$$-1
            exec 9> $file; echo \(cpus[0]) >&9; flock 9 && echo $file
            exec muster exec --workers 1 --mode compact -- sed -n 's/^Cpus_allowed_list:.//p' /proc/self/status
            """)
        #expect(run.lines.count == 3 && run.lines[1] == "\(cpus[1])" && run.errors.isEmpty, "\(run)")
        let file = try #require(run.lines.first.map(String.init))
        #expect(try String(contentsOfFile: file, encoding: .utf8) == "\(cpus[0])\n")
    }

    @Test("where CPUs can't be noted because the disk is full, that is said, and nothing is left")
    func fullDisk() async throws {
        let runtime = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: runtime, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: runtime) }
        let run = try await shell(
            """
            export XDG_RUNTIME_DIR=\(runtime.path)
            (trap '' XFSZ; ulimit -f 0; muster exec --workers 1 -- echo 2>&1; echo $?) | cat
            """)
        let problem = "muster: CPUs can't be reserved in \(runtime.path)/muster/cpus-"
        #expect(run.lines.count == 4 && run.lines[0].hasPrefix(problem) && run.lines[2] == "0", "\(run)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(runtime.path)/muster") == ["lock"])
    }

    @Test("copies know their number, how many there are, and their threads")
    func environment() async throws {
        let script = "echo $MUSTER_WORKER/$MUSTER_WORKERS $OMP_NUM_THREADS $MKL_NUM_THREADS"
        let run = try await muster(
            "exec", "--workers", "2", "--", "sh", "-c", script, environment: ["MKL_NUM_THREADS": "7"])
        #expect(run.lines.sorted() == ["", "1/2 1 7", "2/2 1 7"])
    }

    @Test("several copies have no input, a single one has the tool's")
    func input() async throws {
        #expect(try await muster("exec", "--workers", "2", "cat", input: "text").output.isEmpty)
        #expect(try await muster("exec", "--workers", "1", "cat", input: "text").output == "text")
    }

    @Test("words go to the program as they are, options and ':::' too")
    func words() async throws {
        let run = try await muster(
            "exec", "--workers", "1", "--", "printf", "<%s>", "a b", "$HOME", ":::", "--workers", "--")
        #expect(run.output == "<a b><$HOME><:::><--workers><-->")
        let bytes = try await shell(#"muster exec --workers 1 printf %s "$(printf 'a\377b')" | od -An -tx1"#)
        #expect(bytes.output == " 61 ff 62\n")
    }

    @Test("copies that fail are named in one line, and the exit code is 1")
    func failures() async throws {
        let run = try await muster("exec", "--workers", "3", "--", "sh", "-c", "exit $((MUSTER_WORKER - 1))")
        #expect(run.status == 1)
        #expect(run.errors.hasSuffix("muster: 2 of 3 copies failed: worker 2 exited with 1, worker 3 exited with 2\n"))
        let signalled = try await muster("exec", "--workers", "1", "--", "sh", "-c", "kill -9 $$")
        #expect(signalled.errors == "muster: 1 of 1 copy failed: worker 1 was ended by signal 9 (Killed)\n")
    }

    @Test("a program that is not there is one line, and exit code 1", arguments: ["no-such-program", "/no/such", "/"])
    func missing(program: String) async throws {
        let run = try await muster("exec", "--workers", "2", "--", program)
        #expect(run.status == 1 && run.output.isEmpty)
        #expect(run.errors == "muster: there is no program '\(program)'; write its path, or see PATH\n")
    }

    @Test(
        "a mistake in the command line is one line, and exit code 64",
        arguments: [
            ([], "no command"), (["--workers", "2", "--"], "no command"), (["--workers", "0", "true"], "ask for 1 to"),
            (["--threads", "0", "true"], "threads"), (["--cpus", "0,0", "true"], "listed twice"),
            (["--worker", "2", "true"], "Unknown option"),
        ])
    func badInput(arguments: [String], cure: String) async throws {
        let run = try await muster(["exec"] + arguments)
        #expect(run.status == 64 && run.output.isEmpty)
        #expect(run.errors.hasPrefix("muster: ") && run.errors.contains(cure))
        #expect(run.errors.split(separator: "\n").count == 1)
    }
}
