import Foundation
import Testing

/// Workers through a real Slurm; see Tools/schedulers/slurm.
@Suite("Workers through Slurm", .serialized)
struct SlurmTests {
    /// A directory for join files; nothing of it is left when this is gone.
    final class Slurm {
        let directory = URL(filePath: "/tmp/muster-slurm-\(UInt32.random(in: 0...UInt32.max))")

        /// - Returns: `nil` where the controller that answers is not the one of Tools/schedulers/slurm, which is said: nobody's
        ///   cluster gets jobs from tests.
        init?() async throws {
            let answer = try? await Slurm.run("scontrol", "show", "config")
            guard let answer, answer.status == 0,
                answer.lines.contains(where: { $0.hasPrefix("ClusterName ") && $0.hasSuffix("= muster-tests") })
            else {
                print("skipped: no slurmctld")
                return nil
            }
            try FileManager.default.createDirectory(
                at: directory, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        }

        deinit { try? FileManager.default.removeItem(at: directory) }

        static func run(_ words: String...) async throws -> DriverRun {
            let program = URL(filePath: "/usr/bin/\(words[0])")
            guard FileManager.default.isExecutableFile(atPath: program.path) else { throw CocoaError(.fileNoSuchFile) }
            let driver = try Driver(Array(words.dropFirst()), limit: 30, executable: program)
            return try await driver.end()
        }

        /// A directory with a script in place of a command, which runs there.
        static func standIn(_ name: String, _ script: String) throws -> URL {
            let place = URL(filePath: "/tmp/muster-stand-in-\(UInt32.random(in: 0...UInt32.max))")
            try FileManager.default.createDirectory(at: place, withIntermediateDirectories: false)
            let file = place.appending(path: name)
            try Data("#!/bin/sh\ncd '\(place.path)' || exit 1\n\(script)\n".utf8).write(to: file)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path)
            return place
        }

        /// Numbers and states of the jobs of a driver that are not over, or in some state only.
        func jobs(of driver: Driver, in state: String? = nil) async throws -> [Substring] {
            let run = try await Slurm.run("squeue", "--noheader", "--format=%j|%i|%T")
            try #require(run.status == 0, "\(run)")
            return run.lines.map { $0.split(separator: "|") }
                .filter { $0[0].hasPrefix("muster-\(driver.process)-") && (state == nil || $0[2] == state!) }
                .map { $0[1] }
        }

        /// That the queue has no job of a driver any more, and nothing of it runs or lies about.
        func expectNothing(of driver: Driver, _ run: DriverRun) async throws {
            let last = ContinuousClock.now + .seconds(30)
            var left = ["?"[...]]
            while !left.isEmpty || !driver.descendants().isEmpty, ContinuousClock.now < last {
                left = try await jobs(of: driver)
            }
            #expect(left == [] && driver.descendants() == [], "\(run)")
            let files = try FileManager.default.contentsOfDirectory(atPath: directory.path)
            #expect(files == [], "\(run)")
        }

        /// Waits until the queue has a job of a driver in some state; returns its number.
        func job(of driver: Driver, in state: String) async throws -> String {
            let last = ContinuousClock.now + .seconds(30)
            while ContinuousClock.now < last, driver.isRunning {
                if let job = try await jobs(of: driver, in: state).first { return String(job) }
            }
            try #require(Bool(false), "no job is \(state): \(driver.output)\(driver.errors)")
            return ""
        }

        func driver(_ scenario: String, _ choices: String, _ arguments: String...) throws -> Driver {
            try Driver(
                [scenario, choices + (choices.isEmpty ? "" : ",") + directory.path] + arguments, limit: 90,
                environment: ["MUSTER_TEST_SECRET": "not for others"])
        }
    }

    @Test(
        "a map with a capture over one job, on one node or two, with several workers for a task",
        arguments: [
            ("", ["4"], "n1,n1,n1,n1"), ("", ["4", "ntasks_per_node=2"], "n1,n1,n2,n2"),
            ("per=2", ["2", "N=2", "exclusive="], "n1,n1,n2,n2"),
        ])
    func map(choices: String, arguments: [String], nodes: String) async throws {
        guard let slurm = try await Slurm() else { return }
        let driver = try Driver(
            ["slurm", (choices.isEmpty ? "" : choices + ",") + slurm.directory.path] + arguments, limit: 90,
            environment: ["MUSTER_TEST_SECRET": "not for others"])
        let run = try await driver.end(mayHang: false)
        #expect(run.status == 0 && run.value("sums") == "true" && run.value("workers") == "4", "\(run)")
        #expect(run.value("nodes") == nodes && run.value("exported") == "false", "\(run)")
        try await slurm.expectNothing(of: driver, run)
    }

    @Test("inside an allocation, a step of it")
    func step() async throws {
        guard let slurm = try await Slurm() else { return }
        let program = try #require(builtProducts?.appending(path: "muster-test-program"))
        let driver = try Driver(
            ["-n", "4", "--ntasks-per-node=2", program.path, "slurm", slurm.directory.path, "4"], limit: 90,
            executable: URL(filePath: "/usr/bin/salloc"))
        let run = try await driver.end()
        #expect(run.status == 0 && run.value("sums") == "true", "\(run)")
        #expect(run.value("nodes") == "n1,n1,n2,n2" && run.value("exported") == "false", "\(run)")
        try await slurm.expectNothing(of: driver, run)
    }

    @Test("a job that is cancelled in the middle of a map is told of, and the map goes on elsewhere")
    func cancelled() async throws {
        guard let slurm = try await Slurm() else { return }
        let driver = try slurm.driver("slurm-mixed", "", "2")
        try await driver.line(startingWith: "ready")
        _ = try await Slurm.run("scancel", try await slurm.job(of: driver, in: "RUNNING"))
        let run = try await driver.end()
        #expect(run.status == 0 && run.value("squares") == "true", "\(run)")
        #expect(run.errors.contains("the job's state is "), "\(run)")
        try await slurm.expectNothing(of: driver, run)
    }

    @Test(
        "an interrupt, or the driver's death, cancels a job that waits and one that runs",
        arguments: [SIGINT, SIGKILL], ["PENDING", "RUNNING"])
    func ends(signal: Int32, state: String) async throws {
        guard let slurm = try await Slurm() else { return }
        let isPending = state == "PENDING"
        let driver = try slurm.driver("slurm-wait", "", "2", isPending ? "partition=down" : "partition=debug")
        if !isPending { try await driver.line(startingWith: "ready") }
        _ = try await slurm.job(of: driver, in: state)
        driver.signal(signal)
        let run = try await driver.end(mayHang: false)
        #expect(run.signal == signal, "\(run)")
        try await slurm.expectNothing(of: driver, run)
    }

    @Test("no command line, environment, script or output has the key")
    func keyIsNowhere() async throws {
        guard let slurm = try await Slurm() else { return }
        let driver = try slurm.driver("slurm-wait", "", "2")
        try await driver.line(startingWith: "ready")
        let names = try FileManager.default.contentsOfDirectory(atPath: slurm.directory.path)
        let joinFile = try #require(names.first { !$0.hasSuffix(".out") })
        let text = try String(contentsOf: slurm.directory.appending(path: joinFile), encoding: .utf8)
        let digits = try #require(text.split(separator: "\n").first { $0.hasPrefix("key ") }?.dropFirst(4))
        #expect(digits.count == 64)
        func expectNone(_ data: Data?, _ place: String) {
            #expect(data?.range(of: Data(digits.utf8)) == nil, "\(place) has the key")
        }
        for name in try FileManager.default.contentsOfDirectory(atPath: "/proc") where Int(name) != nil {
            for part in ["cmdline", "environ"] {
                expectNone(try? Data(contentsOf: URL(filePath: "/proc/\(name)/\(part)")), "/proc/\(name)/\(part)")
            }
        }
        let job = try await slurm.job(of: driver, in: "RUNNING")
        let script = try await Slurm.run("scontrol", "write", "batch_script", job, "-")
        #expect(script.output.contains("MUSTER_ROLE=agent:file:"), "\(script)")
        expectNone(script.bytes, "the script")
        for name in names where name.hasSuffix(".out") {
            expectNone(try? Data(contentsOf: slurm.directory.appending(path: name)), name)
        }
        for (name, data) in driver.files() { expectNone(data, name) }
        driver.signal(SIGINT)
        try await slurm.expectNothing(of: driver, try await driver.end())
    }

    @Test("a job that the queue takes when its driver is dead already is cancelled")
    func submitting() async throws {
        guard let slurm = try await Slurm() else { return }
        // An sbatch that waits until it is told to go on.
        let place = try Slurm.standIn(
            "sbatch", "touch begun; until [ -e go ]; do sleep 0.02; done; /usr/bin/sbatch \"$@\"; touch submitted")
        defer { try? FileManager.default.removeItem(at: place) }
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        let driver = try Driver(
            ["slurm-wait", slurm.directory.path, "2", "partition=down"], limit: 90,
            environment: ["PATH": "\(place.path):\(path)"])
        func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: place.appending(path: name).path) }
        try await driver.poll { exists("begun") || !driver.isRunning }
        driver.signal(SIGKILL)
        try await driver.poll { !driver.isRunning }
        try Data().write(to: place.appending(path: "go"))
        try await driver.poll { exists("submitted") }
        #expect(exists("submitted"))
        try await slurm.expectNothing(of: driver, try await driver.end())
    }

    @Test(
        "a job that brings no workers says what was run, why, and what helps",
        arguments: [
            ("", ["2", "partition=nosuch"], "Invalid partition name", "`sinfo` shows"),
            ("", ["2", "partition=inactive"], "inactive or drain", "partition that is up"),
            ("", ["2", "bogus=1"], "unrecognized option", "man sbatch"),
            ("", ["2", "n=1"], "not for you to set", "number of workers"),
            ("limit=4", ["2", "partition=down"], "0 of 2 workers up after 4 s", "partition that is up"),
            ("limit=4", ["100"], "PENDING (PartitionConfig)", "ask for fewer"),
            ("executable=/nowhere/program", ["2"], "/nowhere/program: not found", "executable"),
        ])
    func failures(choices: String, arguments: [String], said: String, cure: String) async throws {
        guard let slurm = try await Slurm() else { return }
        let driver = try Driver(
            ["slurm-failure", (choices.isEmpty ? "" : choices + ",") + slurm.directory.path] + arguments, limit: 90)
        let run = try await driver.end()
        #expect(run.status == 0 && run.output.contains(said) && run.output.contains(cure), "\(run)")
        try await slurm.expectNothing(of: driver, run)
    }

    @Test("with no minimum the launch returns at once, and a map has the workers when they come")
    func late() async throws {
        guard let slurm = try await Slurm() else { return }
        let driver = try slurm.driver("slurm-mixed", "minimum=0", "2")
        let line = try await driver.line(startingWith: "ready")
        #expect(line == "ready 1")
        let run = try await driver.end()
        #expect(run.status == 0 && run.value("squares") == "true", "\(run)")
        try await slurm.expectNothing(of: driver, run)
    }
}
