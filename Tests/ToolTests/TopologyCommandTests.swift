import Foundation
import Testing

@Suite("muster topology", .serialized)
struct TopologyCommandTests {
    @Test("--json prints the machine as one document")
    func json() async throws {
        let run = try await muster("topology", "--json", "--xml", fixture("kinds.xml"))
        let machine = try #require(run.json)
        let keys = [
            "packages", "numa", "groups", "caches", "kinds", "cores", "cpus", "devices", "complete", "online", "usable",
            "quota",
        ]
        #expect(Set(machine.keys) == Set(keys))
        let cores = try #require(machine["cores"] as? [[String: Any]])
        #expect(cores.map { $0["kind"] as? Int } == [1, 1, 0, 0, 1, 1, 0, 0])
        #expect(cores.map { $0["package"] as? Int } == [0, 0, 0, 0, 1, 1, 1, 1])
        #expect(machine["usable"] as? [Int] == Array(0..<8))
        #expect(run.lines.count == 2, "one line and its end")
    }

    @Test("this machine is drawn, with at least one usable CPU")
    func thisMachine() async throws {
        let run = try await muster("topology", "--json")
        #expect((run.json?["usable"] as? [Int])?.isEmpty == false)
        #expect(try await muster("topology").output.hasPrefix("Machine: "))
    }

    @Test("another machine in hwloc's variables is refused: nothing could be bound there")
    func otherMachine() async throws {
        let run = try await muster("topology", environment: ["HWLOC_SYNTHETIC": "pack:64 core:2 pu:1"])
        #expect(run.status == 1 && run.errors.contains("unset HWLOC_XMLFILE, HWLOC_SYNTHETIC"))
    }

    @Test(
        "what can't be read is said in one line, and exit code 64",
        arguments: [
            (["--xml", "/no/such/file"], "can't be read: No such file or directory"),
            (["--xml", "/"], "Is a directory"),
            (["--xml", "/dev/null"], "holds no <topology>"), (["--xml"], "Missing value"),
            (["--synthetic", "nonsense:3"], "is malformed; write levels"), (["--synthetic", ""], "is malformed"),
            (["--png", "x"], "Unknown option '--png'"), (["--svg"], "Missing value"), (["--svg", ""], "names no file"),
            (["--svg", "x", "--json"], "--json and --svg are two outputs"),
            (["--json", "--workers", "2"], "for workers on it: muster plan --json"),
            (["--colour", "red"], "'red' is invalid"),
            (["--workers", "0", "--synthetic", "core:2 pu:1"], "0 workers can't be placed"),
        ])
    func badInput(arguments: [String], problem: String) async throws {
        let run = try await muster(["topology"] + arguments)
        #expect(run.status == 64 && run.output.isEmpty)
        #expect(run.errors.hasPrefix("muster: ") && run.errors.contains(problem))
        #expect(run.errors.split(separator: "\n").count == 1)
    }

    @Test("help has an example for each command and fits 80 columns", arguments: ["topology", "plan", "exec", "map"])
    func help(command: String) async throws {
        let run = try await muster(command, "--help")
        #expect(run.status == 0 && run.errors.isEmpty && run.output.contains("EXAMPLES:\n  muster \(command)"))
        #expect(run.lines.allSatisfy { $0.count <= 80 || $0.hasPrefix("USAGE:") })
    }

    private func fixture(_ name: String) -> String {
        let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return tests.appending(path: "PlacementTests/Topologies/\(name)").path
    }
}
