import Foundation
import Machine
import Placement
import Testing

@Suite("Workers of this host", .serialized)
struct LocalTests {
    @Test("there are as many as CPUs, unless told")
    func defaultCount() async throws {
        let run = try await drive("default-count")
        let count = try affinity().count
        #expect(run.value("workers") == "\(count) usable \(count)", "\(run)")
    }

    @Test("nothing of ours is on the network")
    func sockets() async throws {
        let run = try await drive("sockets")
        #expect(run.value("workers' sockets") == "[1, 1] none on the network [true, true]", "\(run)")
        #expect(run.value("driver's sockets") == "2 none on the network true", "\(run)")
        #expect(run.value("restrict: false")?.contains("local workers do not listen on the network") == true, "\(run)")
    }

    @Test("directory, flags and environment are theirs, the rest is the driver's")
    func options() async throws {
        let run = try await drive(
            "options", "x", environment: ["MUSTER_TEST_INHERITED": "yes", "MKL_NUM_THREADS": "3"])
        #expect(run.status == 0, "\(run)")
        #expect(run.value("directory") == "/proc")
        #expect(run.value("arguments") == "--colour,äöü")
        #expect(run.value("variable") == "red = blue")
        #expect(run.value("inherited") == "yes")
        #expect(run.value("role") == "unset", "a worker's children are not workers")
        #expect(run.value("threads") == "1,1,1,3,1,1", "the user's variable stays: \(run)")
        #expect(run.value("input") == "/dev/null")
        #expect(run.value("group") == "true")
        #expect(run.value("threads off") == "unset,unset,unset,3,unset,unset", "\(run)")
        #expect(run.value("threads given") == "5", "\(run)")
    }

    @Test(
        "a worker that can't be started is an error that says why",
        arguments: [
            (["executable", "/nonexistent"], "cannot run /nonexistent: No such file or directory"),
            (["executable", "/etc/passwd"], "cannot run /etc/passwd: Permission denied"),
            (["executable", "/bin/true"], "exited with status 0 before its first withCluster"),
            (["executable", "/bin/echo"], "it printed:"),
            (["directory", "/nonexistent"], "cannot start a worker in /nonexistent: No such file or directory"),
            (["count", "0"], "0 workers were asked for; ask for at least one"),
            (["count", "-3"], "-3 workers were asked for; ask for at least one"),
            (["slow-start", "1"], "did not reach withCluster within 1 s; raise the start limit"),
            (["early-death"], "Fatal error: no licence found"),
        ])
    func cannotStart(arguments: [String], reason: String) async throws {
        let run = try await Driver(arguments).end()
        #expect(run.status == 1 && run.leftovers.isEmpty, "\(run)")
        #expect(run.output.contains(reason), "\(run)")
    }

    @Test("a script that stands between driver and worker is refused with the cure; with exec it is not")
    func script() async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let program = try #require(builtProducts).appending(path: "muster-test-program").path
        func write(_ name: String, _ command: String) throws -> String {
            let file = directory.appending(path: name)
            // Were it let be, it would start itself without end: the script sees to that.
            let text = """
                #!/bin/sh
                echo >> '\(directory.path)/\(name)-runs'
                test $(wc -l < '\(directory.path)/\(name)-runs') -le 8 || exit 7
                \(command) '\(program)' "$@"
                exit $?
                """
            try Data(text.utf8).write(to: file)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path)
            return file.path
        }
        let refused = try await drive("executable", write("between", ""))
        #expect(refused.status == 1 && refused.leftovers.isEmpty, "\(refused)")
        #expect(refused.output.contains("exec program"), "\(refused)")
        let runs = try String(contentsOf: directory.appending(path: "between-runs"), encoding: .utf8)
        #expect(runs.count == 2, "it was started \(runs.count) times")
        let taken = try await drive("executable", write("replaced", "exec"))
        #expect(taken.value("sum") == "[1, 2, 3]", "\(taken)")
    }

    @Test("a path of the executable is meant from where the driver is, wherever the workers go")
    func relativeExecutable() async throws {
        let run = try await drive("relative-executable")
        #expect(run.value("directory") == "/", "\(run)")
    }

    @Test("another build as the executable is refused with both build IDs")
    func otherBuild() async throws {
        let run = try await drive("executable", "\(#require(builtProducts).path)/muster-test-other")
        let pattern = /is another build of the program: its build ID is [0-9a-f]{16,}, this one's is [0-9a-f]{16,};/
        #expect(run.status == 1 && run.output.contains(pattern), "\(run)")
        #expect(run.leftovers.isEmpty, "\(run)")
    }

    @Test("if one of them does not come up, none stays behind", arguments: 1...4)
    func oneFails(round: Int) async throws {
        let mark = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: mark) }
        let run = try await drive("one-fails", mark.path)
        #expect(run.value("first")?.contains("exited with status 9 before its first withCluster") == true, "\(run)")
        #expect(run.value("processes") == "0", "\(run)")
    }

    @Test("a start that is cancelled leaves nothing")
    func cancelledStart() async throws {
        let run = try await drive("cancelled-start")
        #expect(run.value("cancelled")?.hasPrefix("CancellationError") == true, "\(run)")
        #expect(run.value("processes") == "0" && run.leftovers.isEmpty, "\(run)")
    }

    @Test("a pinned worker runs where the plan says, and reports its place")
    func pinned() async throws {
        let cpus = Array(try affinity())
        let run = try await drive("affinity", cpus.map(String.init).joined(separator: ","))
        for (index, cpu) in cpus.enumerated() {
            let line = "worker \(index + 2) on \(cpu) threads 1 planned \(index + 1) \(cpu)"
            #expect(run.lines.contains { $0 == line }, "\(line): \(run)")
        }
        #expect(run.value("driver on") == "\(CPUSet(cpus))", "the driver is where it was: \(run)")
    }

    @Test("the driver's threads keep off the workers' CPUs while these live, where another is free")
    func driverThreads() async throws {
        let cpus = Array(try affinity())
        guard cpus.count > 1 else { return print("skipped: one CPU") }
        let run = try await drive("driver-threads", "\(cpus[0])")
        let others = CPUSet(cpus.dropFirst())
        #expect(run.value("given") == "\(CPUSet(cpus))" && run.value("given back") == "\(CPUSet(cpus))", "\(run)")
        #expect(run.value("during") == "\(others)" && run.value("thread") == "\(others)", "\(run)")
        // A thread that the program bound itself stays; a worker that is not pinned may run anywhere.
        #expect(run.value("bound") == "\(cpus[0])" && run.value("free worker") == "\(CPUSet(cpus))", "\(run)")
    }

    @Test("a cluster tells for each worker where it was to be, and where it is")
    func placement() async throws {
        let cpus = Array(try affinity())
        let run = try await drive("placement", "\(cpus[0])")
        let host = ProcessInfo.processInfo.hostName
        let policy = run.value("policy") ?? ""
        #expect(
            run.lines.contains {
                $0 == "worker 2 on \(host): planned CPU \(cpus[0]), has CPU \(cpus[0]); memory: \(policy)"
            }, "\(run)")
        #expect(
            run.lines.contains { $0.hasPrefix("worker 3 on \(host): not pinned, has CPU \(CPUSet(cpus)); memory: ") },
            "\(run)")
    }

    @Test("a host is explored once: workers know the machine from their driver, and what they may use themselves")
    func topology() async throws {
        let cpu = try #require(try affinity().min)
        let run = try await drive("topology-of-worker", "\(cpu)")
        #expect(run.value("explored") == "no" && run.value("same") == "yes", "\(run)")
        #expect(run.value("allowed") == "\(cpu)", "\(run)")
        // A driver that has not looked can tell nothing.
        let other = try await drive("topology-of-worker")
        #expect(other.value("explored") == "wrong", "\(other)")
    }

    @Test("clusters of one user see each other's CPUs, choose others, and say where there are none")
    func reservations() async throws {
        let cpus = Array(try affinity())
        guard cpus.count > 1 else { return print("skipped: one CPU") }
        let runtime = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(
            at: runtime, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(at: runtime) }
        let environment = ["XDG_RUNTIME_DIR": runtime.path]
        // The first holds one CPU until its input ends.
        let first = try Driver(["hold-cpus", "1"], environment: environment)
        try await first.line(startingWith: "held \(cpus[0])")
        // The second asks for one: it gets another, without a word.
        let second = try await Driver(["affinity-count", "1", "compact"], environment: environment).end()
        #expect(second.lines.contains { $0 == "worker 2 on \(cpus[1])" } && second.errors.isEmpty, "\(second)")
        // The third needs all: the first's comes last, and that is said.
        let third = try await Driver(["affinity-count", "\(cpus.count)", "compact"], environment: environment).end()
        let note =
            "muster: CPU \(cpus[0]) is in use by workers of process \(first.process) already, and shared with them\n"
        #expect(third.errors.contains(note), "\(third)")
        #expect(third.lines.contains { $0 == "worker \(cpus.count + 1) on \(cpus[0])" }, "\(third)")
        // However the first ends, its CPU is free again.
        first.signal(SIGKILL)
        _ = try await first.end()
        let fourth = try await Driver(["affinity-count", "1", "compact"], environment: environment).end()
        #expect(fourth.lines.contains { $0 == "worker 2 on \(cpus[0])" } && fourth.errors.isEmpty, "\(fourth)")
        let left = try FileManager.default.contentsOfDirectory(atPath: runtime.appending(path: "muster").path)
        #expect(left == ["lock"])
    }

    @Test("a runtime directory that can't be used is said, and no worker is worse for it")
    func noRuntimeDirectory() async throws {
        let cpus = Array(try affinity())
        let run = try await Driver(
            ["affinity-count", "1", "compact"], environment: ["XDG_RUNTIME_DIR": "/proc/no-such"]
        ).end()
        #expect(run.status == 0 && run.lines.contains { $0 == "worker 2 on \(cpus[0])" }, "\(run)")
        #expect(run.errors.hasPrefix("muster: CPUs can't be reserved in /proc/no-such/muster: "), "\(run)")
    }

    @Test("an impossible request names the CPU and those allowed")
    func impossible() async throws {
        let allowed = try affinity()
        let other = try #require((0...4096).first { !allowed.contains($0) })
        let run = try await drive("affinity", "\(other)")
        #expect(run.status == 1 && run.output.contains("CPU \(other) is not"), "\(run)")
        #expect(run.output.contains("usable here: \(allowed)"), "\(run)")
        let none = try await drive("affinity-count", "0", "compact")
        #expect(none.status == 1 && none.output.contains("PlacementError"), "\(none)")
    }

    @Test("more workers than CPUs share them evenly, which is said", arguments: ["compact", "balanced"])
    func oversubscribed(mode: String) async throws {
        let cpus = Array(try affinity())
        let run = try await drive("affinity-count", "\(2 * cpus.count)", mode)
        for cpu in cpus {
            let count = run.lines.count { $0.hasPrefix("worker ") && $0.hasSuffix(" on \(cpu)") }
            #expect(count == 2, "\(run)")
        }
        let noun = cpus.count == 1 ? "CPU" : "CPUs"
        #expect(run.errors.contains("\(2 * cpus.count) workers on \(cpus.count) \(noun): "), "\(run)")
    }
}
