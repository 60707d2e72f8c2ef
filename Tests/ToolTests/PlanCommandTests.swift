import Foundation
import Machine
import Placement
import Testing

@Suite("muster plan", .serialized)
struct PlanCommandTests {
    @Test("--json prints exactly the document that is promised")
    func json() async throws {
        let run = try await muster("plan", "--workers", "3", "--synthetic", "pack:2 core:2 pu:1", "--json")
        #expect(run.status == 0 && run.errors.isEmpty)
        let workers = [
            #"{"worker":1,"cpus":[0],"package":0,"numa":[0],"core":0,"#
                + #""reason":"core 0 of package 0, which gets 2 of 3 workers","memory":{"mode":"preferred","nodes":[0]}}"#,
            #"{"worker":2,"cpus":[1],"package":0,"numa":[0],"core":1,"#
                + #""reason":"core 1 of package 0, which gets 2 of 3 workers","memory":{"mode":"preferred","nodes":[0]}}"#,
            #"{"worker":3,"cpus":[2],"package":1,"numa":[0],"core":2,"#
                + #""reason":"core 2 of package 1, which gets 1 of 3 workers","memory":{"mode":"preferred","nodes":[0]}}"#,
        ]
        #expect(run.output == #"{"workers":[\#(workers.joined(separator: ","))],"usable":[0,1,2,3]}"# + "\n")
    }

    @Test("a worker on several packages has none in the document")
    func null() async throws {
        let run = try await muster(
            "plan", "--workers", "1", "--threads", "4", "--synthetic", "pack:2 core:2 pu:1", "--json")
        let worker = try #require((run.json?["workers"] as? [[String: Any]])?.first)
        #expect(worker["cpus"] as? [Int] == [0, 1, 2, 3])
        #expect(run.output.contains(#""package":null,"numa":[0],"core":null"#))
    }

    @Test("the table is aligned, gives reasons and ends with what is to be said")
    func table() async throws {
        let run = try await muster("plan", "--workers", "3", "--mode", "compact", "--synthetic", "pack:1 core:2 pu:1")
        #expect(
            run.output == """
                3 workers, compact, on 2 usable CPUs: 0-1

                worker  cpus  numa  why
                1       0     0     core 0 of package 0, first in topological order; shared by 2
                2       1     0     core 1 of package 0, next in topological order
                3       0     0     core 0 of package 0, next in topological order; shared by 2

                note: 3 workers on 2 CPUs: CPU 0 is shared by 2

                """)
    }

    @Test("--explain tells why this CPU and not its sibling")
    func explain() async throws {
        let run = try await muster(
            "plan", "--workers", "2", "--mode", "compact", "--explain", "--synthetic", "pack:1 core:2 pu:2")
        #expect(
            run.output == """
                2 workers, compact, on 4 usable CPUs: 0-3

                worker 1: CPU 0, core 0 of package 0, first in topological order
                  - compact: the first cores in topological order
                  - its sibling CPU 1 stays idle: a second thread of a core is taken when no
                    core is left
                  - memory: from node 0 while there is some, local to its CPUs
                worker 2: CPU 2, core 1 of package 0, next in topological order
                  - compact: the first cores in topological order
                  - its sibling CPU 3 stays idle: a second thread of a core is taken when no
                    core is left
                  - memory: from node 0 while there is some, local to its CPUs

                """)
        let json = try await muster(
            "plan", "--explain", "--json", "--workers", "1", "--synthetic", "pack:1 core:2 pu:2"
        ).json
        let worker = try #require((json?["workers"] as? [[String: Any]])?.first)
        #expect((worker["explanation"] as? [String])?.count == 3)
    }

    @Test("memory that is not as usual has a column")
    func memory() async throws {
        let run = try await muster(
            "plan", "--workers", "2", "--memory", "local", "--synthetic", "pack:2 [numa(memory=16GB)] core:1 pu:1")
        #expect(run.lines[2] == "worker  cpus  numa  memory   why")
        #expect(run.lines[4].hasPrefix("2       1     1     local 1  core 1 of package 1"))
    }

    @Test("what else is where CPUs are reserved does not hold a plan up, and stays")
    func foreignFiles() async throws {
        let runtime = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        let directory = runtime.appending(path: "muster")
        try FileManager.default.createDirectory(
            at: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(at: runtime) }
        func path(_ name: String) -> String { directory.appending(path: name).path }
        #expect(unsafe mkfifo(path("cpus-1-1"), 0o600) == 0)
        try Data().write(to: directory.appending(path: "cpus-mine"))
        try FileManager.default.createSymbolicLink(atPath: path("cpus-2-1"), withDestinationPath: "/dev/zero")
        let run = try await muster("plan", "--workers", "1", environment: ["XDG_RUNTIME_DIR": runtime.path])
        #expect(run.status == 0 && run.errors.isEmpty && run.output.contains("1 worker, balanced"), "\(run)")
        #expect(FileManager.default.fileExists(atPath: path("cpus-mine")))
    }

    @Test("a list of CPUs says where workers go, in its order")
    func list() async throws {
        let run = try await muster("plan", "--cpus", "6,0-1", "--synthetic", "pack:2 core:4 pu:1", "--json")
        let workers = try #require(run.json?["workers"] as? [[String: Any]])
        #expect(workers.map { $0["cpus"] as? [Int] } == [[6], [0], [1]])
    }

    @Test("a tool that was given few CPUs plans with no others")
    func inheritedMask() async throws {
        let former = try affinity()
        let cpu = try #require(former.max)
        /// Starts it from this thread, whose CPUs it inherits, while they are few.
        func start(_ arguments: [String]) throws -> RunningTool {
            try bindCurrentThread(to: [cpu])
            defer { try? bindCurrentThread(to: former) }
            return try RunningTool(arguments)
        }
        let run = try await start(["plan", "--json"]).end()
        #expect(run.json?["usable"] as? [Int] == [cpu])
        #expect((run.json?["workers"] as? [Any])?.count == 1)
        if former.count > 1 {
            let other = try #require(former.min)
            let refusal = try await start(["plan", "--cpus", "\(other)"]).end()
            #expect(refusal.status == 64)
            #expect(refusal.errors.hasPrefix("muster: CPU \(other) is not allowed; usable here: \(cpu);"))
        }
    }

    @Test(
        "what can't be is said in one line with the cure, and exit code 64",
        arguments: [
            (["--workers", "0"], "ask for 1 to"), (["--workers", "many"], "'many' is invalid"),
            (["--mode", "wild"], "one of 'compact' and 'balanced'"), (["--threads", "9"], "ask for 1 to 8 threads"),
            (["--cpus", "0,8"], "CPU 8 is not there; usable here: 0-7;"), (["--cpus", "1,1"], "CPU 1 is listed twice"),
            (["--cpus", "0-99999999999"], "'0-99999999999' in a list of CPUs"),
            (["--cpus", ""], "list at least one CPU"),
            (["--cpus", "0-2", "--threads", "2"], "list a multiple of 2"),
            (["--cpus", "0-2", "--workers", "2"], "leave the number of workers out"),
            (["--cpus", "0", "--mode", "compact"], "leave --mode out"), (["--colour"], "Unknown option"), (["x"], "x"),
            (["--xml", "file"], "leave one of them out"), (["--spread", "rack"], "'rack' is invalid"),
            (["--spread", "l3", "--mode", "compact"], "leave --spread out"),
            (["--cpus", "0", "--spread", "l3"], "leave --spread out"),
            (["--cpus", "0", "--per", "l3"], "leave --per out"),
            (["--per", "l3"], "one worker per package, numa, l3, core or pu"),
            (["--per", "package", "--workers", "3"], "but there are 2"),
            (["--reserve", "0-7"], "all CPUs are reserved"),
            (["--reserve", "x"], "in a list of CPUs"), (["--near", "gpu0"], "no devices are known here"),
            (["--core-kind", "E"], "all cores are alike"), (["--memory", "far"], "'far' is invalid"),
            (["--memory-tier", "HBM"], "there is DRAM"),
        ])
    func badInput(arguments: [String], cure: String) async throws {
        let run = try await muster(["plan", "--synthetic", "pack:2 core:4 pu:1"] + arguments)
        #expect(run.status == 64 && run.output.isEmpty)
        #expect(run.errors.hasPrefix("muster: ") && run.errors.contains(cure))
        #expect(run.errors.split(separator: "\n").count == 1)
    }
}
