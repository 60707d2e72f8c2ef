import ClusterManagers
import ClusterRuntime
import Foundation
import Synchronization
import Testing

@testable import MusterTool

@Suite("muster worker")
struct WorkerCommandTests {
    @Test("joins a map that listens: by its file, by its text, as a secret; commands run where it was started")
    func joins() async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "muster-\(UUID().uuidString)").path
        let isMade = unsafe mkdir(directory, 0o700) == 0
        #expect(isMade)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let join = "\(directory)/join"
        // Each worker's commands wait until all three have one.
        let command = """
            touch \(directory)/here-{}; until [ -e \(directory)/here-1 -a -e \(directory)/here-2 -a -e \(directory)/here-3 ]
            do sleep 0.01; done; echo {} in $(pwd) worker $MUSTER_WORKER; echo error {} >&2
            """
        let map = try RunningTool(
            ["map", "--on", "elastic:port=0", "--join-file", join, command, ":::", "1", "2", "3"])
        let waiting = "until [ -s \(join) ]; do sleep 0.01; done; cd /usr; "
        async let first = shell(waiting + "muster worker --join \(join) --workers 1")
        async let second = shell(waiting + "muster worker --join - --workers 1 < \(join)")
        async let third = shell(
            waiting + "ln -s join \(directory)/link; muster worker --join-secret \(directory)/link --workers 1")
        let run = try await map.end()
        #expect(run.status == 0, "\(run)")
        let lines = run.lines.dropLast().map { String($0.prefix { $0 != "w" }) }
        #expect(lines == (1...3).map { "\($0) in /usr " }, "\(run)")
        #expect(run.errors.contains("muster worker --join \(join)\n"), "\(run)")
        for end in [try await first, try await second, try await third] {
            let line = /muster: joined the driver at port \d+; Ctrl-C leaves\n/
            // Who was given the secret by other means has nobody who reads that.
            #expect(end.status == 0 && (end.errors.isEmpty || end.errors.wholeMatch(of: line) != nil), "\(end)")
        }
        #expect(!FileManager.default.fileExists(atPath: join))
    }

    @Test(
        "a key on a command line is refused with the reason and the cure, and not repeated",
        arguments: [
            ["map", "--key", "sesame", "echo", ":::", "1"], ["map", "--cookie=sesame", "echo", ":::", "1"],
            ["worker", "--join", "file", "--key", "sesame"], ["worker", "--secret=sesame"],
        ])
    func keys(arguments: [String]) async throws {
        let run = try await muster(arguments)
        #expect(run.status == 64 && run.output.isEmpty, "\(run)")
        #expect(
            run.errors.contains("every user of this host can read it") && run.errors.contains("--key-file"), "\(run)")
        #expect(!run.errors.contains("sesame"), "\(run)")
    }

    @Test(
        "what does not go together is refused",
        arguments: [
            (["worker"], "--join FILE"), (["worker", "--join", "a", "--join-secret", "b"], "one of"),
            (["map", "--on", "elastic", "--workers", "2", "echo", ":::", "1"], "muster worker"),
            (["map", "--on", "mars", "echo", ":::", "1"], "no kind of workers"),
            (["map", "--on", "elastic:port=70000", "echo", ":::", "1"], "no port"),
            (["map", "--on", "elastic:colour=red", "echo", ":::", "1"], "address= and port="),
            (["map", "--on", "slurm:x", "echo", ":::", "1"], "no number of workers"),
            (["map", "--on", "slurm:2", "--workers", "2", "echo", ":::", "1"], "the job says"),
            (["map", "--dry-run", "echo", ":::", "1"], "--on slurm"),
            (["map", "--join-file", "a", "echo", ":::", "1"], "--on elastic"),
            (["map", "--on", "elastic", "--key-file", "", "echo", ":::", "1"], "--key-file names no file"),
            (["map", "--on", "elastic", "--join-file", "", "echo", ":::", "1"], "--join-file names no file"),
        ])
    func mistakes(arguments: [String], words: String) async throws {
        let run = try await muster(arguments)
        #expect(run.status == 64 && run.errors.contains(words), "\(run)")
    }

    @Test("what makes a program of one's own join does not make an agent of the tool")
    func joinVariable() async throws {
        let run = try await muster(["plan", "--workers", "1"], environment: ["MUSTER_JOIN": "/nowhere/join"])
        #expect(run.status == 64 && run.errors.contains("use `muster worker --join FILE`"), "\(run)")
    }

    @Test("a file that does not come to its end on standard input is given up")
    func slowInput() async throws {
        let run = try await shell(
            "sleep 3 2> /dev/null | MUSTER_WORKER_TIMEOUT=0.2 muster worker --join - & wait $!; echo $?")
        #expect(run.output == "1\n" && run.errors.contains("did not come to its end in 0.2 s"), "\(run)")
    }

    @Test("what goes to a queue has none of the commands' arguments: there may be thousands")
    func submission() async throws {
        let run = try await muster(["map", "--on", "slurm:2,t=5", "--dry-run", "echo {}", ":::", "argument-of-the-map"])
        #expect(run.status == 0 && run.output.hasPrefix("sbatch "), "\(run)")
        #expect(run.output.contains(" -t 5 ") && !run.output.contains("argument-of-the-map"), "\(run)")
    }

    @Test("where to listen is read")
    func choices() throws {
        #expect(try ManagerChoice("local") == .local)
        #expect(try ManagerChoice("elastic") == .elastic(.init()))
        #expect(
            try ManagerChoice("elastic:address=eth0,port=0") == .elastic(.init(address: .interface("eth0"), port: 0)))
        #expect(try ManagerChoice("elastic:address=10.0.0.7") == .elastic(.init(address: .address("10.0.0.7"))))
        #expect(try ManagerChoice("elastic:address=fd00::7") == .elastic(.init(address: .address("fd00::7"))))
        #expect(try ManagerChoice("elastic:address=automatic") == .elastic(.init(address: .automatic)))
        #expect(
            try ManagerChoice(
                "slurm:4,partition=a,,b,t=00:05:00,exclusive,address=eth0,directory=/home/me/x,workers-per-job=2")
                == .queue(
                    .init(
                        kind: .slurm, count: 4, address: .interface("eth0"), directory: "/home/me/x", workersPerJob: 2,
                        flags: [
                            .init(key: "partition", value: "a,b"), .init(key: "t", value: "00:05:00"),
                            .init(key: "exclusive", value: ""),
                        ])))
        for text in [
            "slurm", "slurm:", "slurm:0", "slurm:2,", "slurm:2,=3", "slurm:2,workers-per-job=0", "", "elastic:",
            "elastic:port=", "local:port=1",
            "elastic:address=", "elastic:port=-1",
        ] {
            #expect(throws: UsageError.self) { try ManagerChoice(text) }
        }
    }
}

@Suite("the commands of a map that workers come and go of")
struct CommandQueueTests {
    @Test("are taken in order; one whose worker is lost comes next, three times in all")
    func turns() async {
        let isOver = Mutex(false)
        let queue = CommandQueue(count: 2) { isOver.withLock { $0 = true } }
        var places: [Int] = []
        for attempt in 1...3 {
            guard let turn = await queue.next() else { break }
            places.append(turn.place)
            #expect(turn.attempt == attempt && queue.hasLostWorker(turn) == (attempt < 3))
        }
        queue.hasResult()
        if let turn = await queue.next() { places.append(turn.place) }
        #expect(places == [0, 0, 0, 1] && !isOver.withLock { $0 })
        queue.hasResult()
        #expect(await queue.next() == nil && isOver.withLock { $0 })
    }

    @Test("who finds none waits for one that comes back, or for the end")
    func waiting() async throws {
        let queue = CommandQueue(count: 1) {}
        let turn = try #require(await queue.next())
        async let other = queue.next()
        queue.putBack(turn)
        #expect(await other == turn)
        async let last = queue.next()
        queue.hasResult()
        #expect(await last == nil)
    }
}
