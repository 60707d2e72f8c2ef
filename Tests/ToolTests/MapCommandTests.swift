import Foundation
import Testing

@Suite("muster map", .serialized)
struct MapCommandTests {
    @Test("output comes in the order of the arguments, though later commands end earlier")
    func order() async throws {
        // Every other command waits for its successor to be done, which the other worker has.
        let marks = FileManager.default.temporaryDirectory.appending(path: "muster-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: marks, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: marks) }
        let command = """
            n={}; if [ $((n % 2)) = 1 ]; then while [ ! -e \(marks.path)/$((n + 1)) ]; do sleep 0.01; done; fi
            touch \(marks.path)/$n; echo line $n; echo error $n >&2
            """
        let run = try await muster(["map", "--workers", "2", command, ":::"] + (1...30).map(String.init))
        #expect(run.status == 0)
        #expect(run.output == (1...30).map { "line \($0)\n" }.joined())
        #expect(run.errors.hasSuffix((1...30).map { "error \($0)\n" }.joined()))
        #expect(!run.errors.contains("\r"), "no progress where there is no terminal")
    }

    @Test("output comes as early as the order allows")
    func streaming() async throws {
        // The second command goes on only when what the first wrote has come through.
        let pipe = FileManager.default.temporaryDirectory.appending(path: "muster-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: pipe) }
        let run = try await shell(
            "mkfifo \(pipe) && muster map --workers 1 'test {} = 1 || cat \(pipe); echo {}' ::: 1 2 | "
                + "{ read first; echo through > \(pipe); echo $first; cat; }")
        #expect(run.output == "1\nthrough\n2\n")
    }

    @Test("failed commands are named in one line, and the exit code is 1")
    func failures() async throws {
        let run = try await muster("map", "--workers", "2", "exit {}", ":::", "0", "3", "0", "4", "5", "6")
        #expect(run.status == 1 && run.output.isEmpty)
        #expect(
            run.errors.hasSuffix(
                """
                muster: 4 of 6 commands failed: 'exit {}' exited with 3 (argument 2: 3), 'exit {}' exited with 4 \
                (argument 4: 4), 'exit {}' exited with 5 (argument 5: 5), …

                """))
        let signalled = try await muster("map", "--workers", "1", "kill -9 $$", ":::", "x\ny")
        #expect(signalled.errors.contains("was ended by signal 9 (Killed) (argument 1: x?y)"))
        #expect(signalled.errors.hasSuffix("\n") && signalled.status == 1)
    }

    @Test(
        "the shell gets an argument as it was given",
        arguments: ["a b", "  ", "", "it's", "\"", "$HOME `id` \\ * ~ # ; &", "a\nb\n", "-n", "{}", "ä🐟"])
    func quoting(argument: String) async throws {
        #expect(
            try await muster("map", "--workers", "1", "printf '<%s>' {} {}", ":::", argument).output
                == "<\(argument)><\(argument)>")
        #expect(try await muster("map", "--workers", "1", "printf '<%s>'", ":::", argument).output == "<\(argument)>")
        #expect(
            try await muster("map", "--workers", "1", "printf", "<%s> $HOME", "a'{}'", ":::", argument).output
                == "<a'\(argument)'> $HOME")
    }

    @Test("bytes that are no text arrive as they are")
    func bytes() async throws {
        let run = try await shell(#"muster map --workers 1 printf %s ::: "$(printf 'a\377\376b')" | od -An -tx1"#)
        #expect(run.output == " 61 ff fe 62\n")
        let lines = try await shell(#"printf 'a\377\376b' | muster map --workers 1 printf %s | od -An -tx1"#)
        #expect(lines.output == " 61 ff fe 62\n")
        let command = try await shell(#"muster map --workers 1 "printf '\377'; echo" ::: x | od -An -tx1"#)
        #expect(command.output == " ff 78 0a\n" || command.output == " ff 20 78 0a\n")
    }

    @Test("arguments come from standard input, one per line, if there is no ':::'")
    func standardInput() async throws {
        let run = try await muster("map", "--workers", "2", "echo [{}]", input: "a b\n\nc'd\n  e")
        #expect(run.status == 0 && run.output == "[a b]\n[c'd]\n[  e]\n")
        let none = try await muster("map", "--workers", "2", "echo [{}]", input: "")
        #expect(none.status == 0 && none.output.isEmpty)
        let zero = try await muster("map", "echo [{}]", input: "a\nb\0c\n")
        #expect(zero.status == 64 && zero.errors.contains("argument 2 on standard input holds a zero byte"))
    }

    @Test("commands know their worker and argument, and have no input")
    func environment() async throws {
        let run = try await muster(
            "map", "--workers", "1", "echo $MUSTER_WORKER $MUSTER_INDEX {}; cat", ":::", "a", "b")
        #expect(run.output == "1 1 a\n1 2 b\n")
        let variables = try await muster("map", "--workers", "1", "env", ":::", "-0").output
        #expect(!variables.contains("MUSTER_ROLE") && !variables.contains("GLIBC_TUNABLES"))
    }

    @Test("commands run where the plan puts their worker")
    func pinned() async throws {
        let plan = try await muster("plan", "--workers", "2", "--json")
        let workers = try #require(plan.json?["workers"] as? [[String: Any]])
        let command = "echo $MUSTER_WORKER $(sed -n 's/^Cpus_allowed_list:.//p' /proc/self/status) #"
        let run = try await muster(["map", "--workers", "2", command, ":::"] + (1...10).map(String.init))
        for line in run.lines where !line.isEmpty {
            let words = line.split(separator: " ")
            let worker = try #require(words.first.flatMap { Int($0) })
            #expect((workers[worker - 1]["cpus"] as? [Int])?.map(String.init) == words.dropFirst().map(String.init))
        }
    }

    @Test("much output on both streams is collected whole")
    func muchOutput() async throws {
        let run = try await shell(
            "muster map --workers 2 'head -c 3000000 /dev/zero; head -c 2000000 /dev/zero >&2 #' ::: 1 2 2>/dev/null | wc -c"
        )
        #expect(run.output.trimmingCharacters(in: .whitespacesAndNewlines) == "6000000")
    }

    @Test("a process left in the background holds nothing up, and ends with the worker")
    func background() async throws {
        let time = uniqueTime()
        let run = try await muster("map", "--workers", "1", "sleep \(time) & echo {}", ":::", "a", "b")
        #expect(run.status == 0 && run.output == "a\nb\n" && run.leftovers.isEmpty)
    }

    @Test("a command that takes its worker down fails, and the others run")
    func lostWorker() async throws {
        let run = try await muster("map", "--workers", "1", "test {} = 2 && kill -9 0; echo {}", ":::", "1", "2", "3")
        #expect(run.status == 1 && run.output == "1\n3\n")
        #expect(run.errors.contains("1 of 3 commands failed") && run.errors.contains("took its worker down"))
    }

    @Test(
        "a mistake in the command line is one line, and exit code 64",
        arguments: [
            ([], "no command"), (["--workers", "1"], "no command"), (["", ":::", "x"], "no command"),
            ([":::", "x"], "no command"), (["--workers", "0", "true", ":::", "x"], "ask for 1 to"),
            (["--workers", "two", "true", ":::", "x"], "'two' is invalid"),
            (["--cpus", "0", "--mode", "compact", "true", ":::", "x"], "leave --mode out"),
            (["--cpus", "0,0", "true", ":::", "x"], "listed twice"), (["--wrokers", "2", "true"], "Unknown option"),
        ])
    func badInput(arguments: [String], cure: String) async throws {
        let run = try await muster(["map"] + arguments)
        #expect(run.status == 64 && run.output.isEmpty)
        #expect(run.errors.hasPrefix("muster: ") && run.errors.contains(cure))
        #expect(run.errors.split(separator: "\n").count == 1)
    }

    @Test("a full disk is an error, a reader that has enough is not")
    func brokenOutput() async throws {
        let full = try await shell("muster map --workers 1 echo ::: 1 2 3 > /dev/full")
        #expect(full.status == 1 && full.errors.contains("No space left on device"))
        let enough = try await shell("seq 100 | muster map --workers 1 echo | head -1")
        #expect(enough.output == "1\n" && enough.errors.isEmpty)
    }
}
