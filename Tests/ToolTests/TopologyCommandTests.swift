import Foundation
import Testing

@Suite("muster topology", .serialized)
struct TopologyCommandTests {
    @Test("a small machine is drawn core by core")
    func tree() async throws {
        let run = try await muster("topology", "--synthetic", "pack:2 numa:1(memory=2GiB) l3:1(size=8MiB) core:2 pu:2")
        #expect(run.status == 0 && run.errors.isEmpty)
        #expect(
            run.output == """
                Machine: 2 packages, 2 NUMA nodes, 4 cores, 8 CPUs, 4 GiB
                Usable: 8 of 8 CPUs, 0-7
                Package 0
                  NUMA node 0 (2 GiB)
                    L3 cache (8 MiB)
                      Core 0: CPU 0-1
                      Core 1: CPU 2-3
                Package 1
                  NUMA node 1 (2 GiB)
                    L3 cache (8 MiB)
                      Core 2: CPU 4-5
                      Core 3: CPU 6-7

                """)
    }

    @Test(
        "a large machine fits two screens of 80 columns",
        arguments: [
            "pack:2 numa:4 l3:2 core:12 pu:2", "pack:4 l3:1 core:28 pu:2",
            "pack:2 numa:4 core:6 pu:8(indexes=numa*2:pu*8:core*6:pack*2)",
        ])
    func width(description: String) async throws {
        let run = try await muster("topology", "--synthetic", description)
        #expect(run.status == 0)
        #expect(run.lines.count < 60 && run.lines.allSatisfy { $0.count <= 80 })
    }

    @Test("CPUs that are there but not to be used are marked")
    func marks() async throws {
        let restricted = try await muster("topology", "--xml", fixture("restricted.xml"))
        #expect(restricted.lines.contains("    Core 0: CPU 0-1 (not usable)"))
        #expect(restricted.lines.contains("    Core 2: CPU 4-5"))
        let offline = try await muster("topology", "--xml", fixture("offline.xml"))
        #expect(offline.lines.contains("Offline or kept from this process: CPU 1-3,8-11"))
    }

    @Test("--json prints the machine as one document")
    func json() async throws {
        let run = try await muster("topology", "--json", "--xml", fixture("kinds.xml"))
        let machine = try #require(run.json)
        let keys = ["packages", "numa", "caches", "cores", "cpus", "complete", "online", "usable", "quota"]
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
            (["--svg", "x"], "Unknown option '--svg'"),
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
