import Foundation
import Testing

extension QueueUnderTest {
    /// A real Grid Engine; see Tools/schedulers/gridengine.
    static let gridEngine = gridEngine("gridengine", submitCommand: "/usr/bin/qsub")
    /// Its interactive jobs.
    static let qrsh = gridEngine("qrsh", submitCommand: "/usr/bin/qrsh")

    private static func gridEngine(_ kind: String, submitCommand: String) -> QueueUnderTest {
        QueueUnderTest(
            kind: kind, missing: "no sge_qmaster",
            isThere: {
                guard ProcessInfo.processInfo.environment["SGE_CELL"] == "muster-tests" else { return false }
                let hosts = try await run("/usr/bin/qconf", "-sel")
                return hosts.status == 0 && hosts.lines == ["localhost"]
            },
            jobs: {
                let answer = try await run("/usr/bin/qstat", "-xml")
                try #require(answer.status == 0, "\(answer)")
                return answer.output.split(separator: "<job_list").dropFirst().map { text in
                    func element(_ name: String) -> String {
                        let start = text.firstRange(of: "<\(name)>")?.upperBound ?? text.endIndex
                        return String(text[start...].prefix { $0 != "<" })
                    }
                    return Job(
                        name: element("JB_name"), number: element("JB_job_number"), isRunning: element("state") == "r")
                }
            },
            cancel: { _ = try await run("/usr/bin/qdel", $0) },
            submitCommand: submitCommand, waiting: ["queue=off.q"], ending: (["queue=short.q"], 30))
    }
}

extension QueueFailure {
    /// What neither `qsub` nor `qrsh` can do.
    static let gridEngine = [
        QueueFailure(options: ["queue=nosuch.q"], said: "unknown queue \"nosuch.q\"", cure: "`qconf -sql` shows"),
        QueueFailure(options: ["pe=nosuch 2"], said: "parallel environment \"nosuch\"", cure: "`qconf -spl` shows"),
        QueueFailure(options: ["bogus=1"], said: "invalid option argument", cure: "man qsub"),
        QueueFailure(options: ["t=1-3"], said: "not for you to set", cure: "number of workers"),
        QueueFailure(
            options: ["queue=off.q"], choices: ["limit=8"], said: "0 of 2 workers up after 8 s",
            cure: "name a queue that is enabled"),
        QueueFailure(
            options: ["pe=smp 100"], choices: ["limit=8"], said: "because it only offers", cure: "ask for fewer slots"),
    ]
}

@Suite("Workers through Grid Engine", .serialized)
struct GridEngineTests {
    @Test(
        "a map with a capture over one array job, with several workers for a task",
        arguments: [([], 4), (["per=2"], 2)] as [([String], Int)])
    func map(choices: [String], count: Int) async throws {
        try await QueueSuite(.gridEngine)?.map(choices, count: count, shown: "localhost,localhost,localhost,localhost")
    }

    @Test("a job that is cancelled in the middle of a map is told of, and the map goes on elsewhere")
    func cancelled() async throws { try await QueueSuite(.gridEngine)?.cancelledInMidMap() }

    @Test(
        "an interrupt, or the driver's death, cancels a job that waits and one that runs",
        arguments: [SIGINT, SIGKILL], [false, true])
    func ends(signal: Int32, running: Bool) async throws {
        try await QueueSuite(.gridEngine)?.driverEnds(by: signal, running: running)
    }

    @Test("a job that waits is cancelled with the task that waits for its workers")
    func launchIsCancelled() async throws { try await QueueSuite(.gridEngine)?.launchIsCancelled() }

    @Test("at the end of its time a job has nothing under way, and the map goes on elsewhere")
    func wallTime() async throws { try await QueueSuite(.gridEngine)?.wallTime() }

    @Test("no command line, environment, script or output has the key")
    func keyIsNowhere() async throws {
        try await QueueSuite(.gridEngine)?.keyIsNowhere { job in
            let file = "/var/tmp/muster-gridengine/spool/execd/localhost/job_scripts/\(job)"
            let script = try await QueueUnderTest.run("/bin/cat", file)
            #expect(script.output.contains("MUSTER_ROLE=agent:file:"), "\(script)")
            return [script, try await QueueUnderTest.run("/usr/bin/qstat", "-j", job)]
        }
    }

    @Test("a job that the queue takes when its driver is dead already is cancelled")
    func submitting() async throws { try await QueueSuite(.gridEngine)?.driverDiesWhileSubmitting() }

    @Test(
        "a job that brings no workers says what was run, why, and what helps",
        arguments: QueueFailure.gridEngine + [
            QueueFailure(
                options: ["wd=/nonexistent"], choices: ["limit=8"], said: "Eqw (error: can't chdir to /nonexistent",
                cure: "workingDirectory"),
            QueueFailure(
                options: [], choices: ["executable=/nowhere/program"], said: "/nowhere/program: not found",
                cure: "executable"),
        ])
    func failures(_ failure: QueueFailure) async throws { try await QueueSuite(.gridEngine)?.failure(failure) }

    @Test("with no minimum the launch returns at once, and a map has the workers when they come")
    func late() async throws { try await QueueSuite(.gridEngine)?.lateWorkers() }
}

@Suite("Workers through Grid Engine's interactive jobs", .serialized)
struct GridEngineInteractiveTests {
    @Test(
        "a map with a capture over several jobs, with several workers for each",
        arguments: [([], 4), (["per=2"], 2)] as [([String], Int)])
    func map(choices: [String], count: Int) async throws {
        try await QueueSuite(.qrsh)?.map(choices, count: count, shown: "localhost,localhost,localhost,localhost")
    }

    @Test("a job that is cancelled in the middle of a map is told of, and the map goes on elsewhere")
    func cancelled() async throws { try await QueueSuite(.qrsh)?.cancelledInMidMap() }

    @Test(
        "an interrupt, or the driver's death, cancels jobs that wait and such that run",
        arguments: [SIGINT, SIGKILL], [false, true])
    func ends(signal: Int32, running: Bool) async throws {
        try await QueueSuite(.qrsh)?.driverEnds(by: signal, running: running)
    }

    @Test("jobs that wait are cancelled with the task that waits for their workers")
    func launchIsCancelled() async throws { try await QueueSuite(.qrsh)?.launchIsCancelled() }

    @Test("at the end of its time a job has nothing under way, and the map goes on elsewhere")
    func wallTime() async throws { try await QueueSuite(.qrsh)?.wallTime() }

    @Test("no command line, environment, file or output has the key")
    func keyIsNowhere() async throws {
        guard let suite = try await QueueSuite(.qrsh) else { return }
        // What a qrsh reads is kept here.
        let place = suite.directory.appendingPathExtension("commands")
        try FileManager.default.createDirectory(
            at: place, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(at: place) }
        let stand = place.appending(path: "qrsh")
        try Data("#!/bin/sh\ntee '\(place.path)/'read.$$ | /usr/bin/qrsh \"$@\"\n".utf8).write(to: stand)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: stand.path)
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        let driver = try suite.driver("queue-wait", [], environment: ["PATH": "\(place.path):\(path)"])
        try await driver.line(startingWith: "ready")
        let read = try FileManager.default.contentsOfDirectory(atPath: place.path).filter { $0.hasPrefix("read.") }
        #expect(read.count == 2)
        let texts = try read.map { try String(contentsOf: place.appending(path: $0), encoding: .utf8) }
        let digits = try #require(texts[0].split(separator: "\n").first { $0.hasPrefix("key ") }?.dropFirst(4))
        #expect(digits.count == 64)
        func expectNone(_ data: Data?, _ place: String) {
            #expect(data?.range(of: Data(digits.utf8)) == nil, "\(place) has the key")
        }
        for name in try FileManager.default.contentsOfDirectory(atPath: "/proc") where Int(name) != nil {
            for part in ["cmdline", "environ"] {
                expectNone(try? Data(contentsOf: URL(filePath: "/proc/\(name)/\(part)")), "/proc/\(name)/\(part)")
            }
        }
        for job in try await suite.jobs(of: driver) {
            let known = try await QueueUnderTest.run("/usr/bin/qstat", "-j", job)
            #expect(known.output.contains("MUSTER_ROLE=agent:3"), "\(known)")
            expectNone(known.bytes, "qstat")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: suite.directory.path) == [])
        for (name, data) in driver.files() { expectNone(data, name) }
        driver.signal(SIGINT)
        try await suite.expectNothing(of: driver, try await driver.end())
    }

    @Test(
        "jobs that bring no workers say what was run, why, and what helps",
        arguments: QueueFailure.gridEngine + [
            QueueFailure(
                options: [], choices: ["executable=/nowhere/program"], said: "/nowhere/program: not found",
                cure: "executable")
        ])
    func failures(_ failure: QueueFailure) async throws { try await QueueSuite(.qrsh)?.failure(failure) }

    @Test("with no minimum the launch returns at once, and a map has the workers when they come")
    func late() async throws { try await QueueSuite(.qrsh)?.lateWorkers() }
}
