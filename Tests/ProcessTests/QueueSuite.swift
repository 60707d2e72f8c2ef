import Foundation
import Testing

/// What is true of workers through every job queue; each queue has a suite of tests that call these.
///
/// A directory for join files belongs to it; nothing of it is left when this is gone.
final class QueueSuite {
    let queue: QueueUnderTest
    let directory = URL(filePath: "/tmp/muster-queue-\(UInt32.random(in: 0...UInt32.max))")

    /// - Returns: `nil` where the queue is missing, which is said.
    init?(_ queue: QueueUnderTest) async throws {
        self.queue = queue
        guard (try? await queue.isThere()) == true else {
            print("skipped: \(queue.missing)")
            return nil
        }
        try FileManager.default.createDirectory(
            at: directory, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        give(directory.path)
    }

    deinit { try? FileManager.default.removeItem(at: directory) }

    /// Lets drivers write there, if they are another user's.
    private func give(_ path: String) {
        if let owner = queue.owner { unsafe chown(path, owner.user, owner.group) }
    }

    /// Files by which a test and its driver wait for each other.
    private func gates() throws -> PrivateDirectory {
        let gates = try PrivateDirectory()
        give(gates.path)
        return gates
    }

    /// The test program with a manager of this queue.
    func driver(
        _ scenario: String, _ options: [String], choices: [String] = [], count: Int = 2,
        environment: [String: String] = [:], in allocation: (executable: String, arguments: [String])? = nil,
        limit: Double = 90
    ) throws -> Driver {
        let words =
            [scenario, queue.kind, (queue.choices + choices + [directory.path]).joined(separator: ","), "\(count)"]
            + options
        let environment = queue.environment.merging(["MUSTER_TEST_SECRET": "not for others"]) { $1 }
            .merging(environment) { $1 }
        let runner = allocation ?? queue.owner.map { ($0.words[0], Array($0.words.dropFirst())) }
        guard let runner else {
            return try Driver(words, limit: limit, environment: environment, executable: queue.program)
        }
        let program = try #require(queue.program ?? builtProducts?.appending(path: "muster-test-program"))
        return try Driver(
            runner.arguments + [program.path] + words, limit: limit, environment: environment,
            executable: URL(filePath: runner.executable))
    }

    // MARK: - What the queue says

    /// The jobs of a driver that are not over, or only those that run or don't.
    func jobs(of driver: Driver, running: Bool? = nil) async throws -> [String] {
        try await queue.jobs()
            .filter { $0.name.hasPrefix("muster-\(driver.process)-") && (running == nil || $0.isRunning == running) }
            .map(\.number)
    }

    /// Waits until the queue has a job of a driver that runs or waits; returns its number.
    func job(of driver: Driver, running: Bool) async throws -> String {
        let last = ContinuousClock.now + .seconds(30)
        while ContinuousClock.now < last, driver.isRunning {
            if let job = try await jobs(of: driver, running: running).first { return job }
        }
        try #require(Bool(false), "no job is there: \(driver.output)\(driver.errors)")
        return ""
    }

    /// That the queue has no job of a driver any more, and nothing of it runs or lies about.
    func expectNothing(of driver: Driver, _ run: DriverRun) async throws {
        let last = ContinuousClock.now + .seconds(40)
        var left = ["?"]
        while !left.isEmpty || !driver.descendants().isEmpty, ContinuousClock.now < last {
            left = try await jobs(of: driver)
        }
        #expect(left == [] && driver.descendants() == [], "\(run)")
        let files = try FileManager.default.contentsOfDirectory(atPath: directory.path)
        #expect(files == [], "\(run)")
    }

    // MARK: - What is true of all

    /// A map with a capture over four workers, of one job.
    ///
    /// - Parameters:
    ///   - shown: What the workers' values of the variable of `show=` are, in order; any if `nil`.
    func map(_ choices: [String] = [], count: Int = 4, _ options: [String] = [], shown: String? = nil) async throws {
        let driver = try driver("queue", queue.running + options, choices: choices, count: count)
        let run = try await driver.end()
        #expect(run.status == 0 && run.value("sums") == "true" && run.value("workers") == "4", "\(run)")
        #expect(run.value("exported") == "false", "\(run)")
        if let shown { #expect(run.value("shown") == shown, "\(run)") }
        try await expectNothing(of: driver, run)
    }

    /// A job that is cancelled in the middle of a map is told of, and the map goes on elsewhere.
    func cancelledInMidMap() async throws {
        let gates = try gates()
        let driver = try driver("queue-mixed", queue.running, choices: ["gate=\(gates.file("told"))"])
        try await driver.line(startingWith: "ready")
        try await queue.cancel(try await job(of: driver, running: true))
        try await driver.poll { driver.errors.contains("the job's state is ") || !driver.isRunning }
        gates.open("told")
        let run = try await driver.end()
        #expect(run.status == 0 && run.value("squares") == "true", "\(run)")
        #expect(run.errors.contains("the job's state is "), "\(run)")
        try await expectNothing(of: driver, run)
    }

    /// A host of which nothing is left from one moment to the next is lost, and the map goes on elsewhere.
    ///
    /// - Parameters:
    ///   - mark: What the environment of all processes there has, and of no others.
    ///   - death: What else happens to the host, before its processes are killed.
    ///   - birth: Undoes it.
    func hostDies(
        _ options: [String], where mark: String, death: () async throws -> Void = {},
        birth: () async throws -> Void = {}
    ) async throws {
        let gates = try gates()
        let driver = try driver("queue-mixed", queue.running + options, choices: ["gate=\(gates.file("lost"))"])
        let line = try await driver.line(startingWith: "ready")
        #expect(line == "ready 3")
        try await death()
        let victims = driver.descendants().filter { process in
            let environment = try? Data(contentsOf: URL(filePath: "/proc/\(process)/environ"))
            return environment?.split(separator: 0).contains(Data(mark.utf8)) == true
        }
        #expect(victims.count >= 2, "an agent and a worker")
        for victim in victims { kill(victim, SIGKILL) }
        try await driver.poll { driver.errors.contains("is lost") || !driver.isRunning }
        gates.open("lost")
        let run = try await driver.end()
        try await birth()
        #expect(run.status == 0 && run.value("squares") == "true", "\(run)")
        #expect(run.errors.contains("is lost"), "\(run)")
        try await expectNothing(of: driver, run)
    }

    /// The driver's end by a signal cancels a job that waits, and one that runs.
    func driverEnds(by signal: Int32, running: Bool) async throws {
        let driver = try driver("queue-wait", running ? queue.running : queue.waiting)
        if running { try await driver.line(startingWith: "ready") }
        _ = try await job(of: driver, running: running)
        driver.signal(signal)
        let run = try await driver.end()
        #expect(run.signal == signal, "\(run)")
        try await expectNothing(of: driver, run)
    }

    /// Workers whose job is about to end get nothing that they can't finish, and leave; the map goes on elsewhere, and nothing is done
    /// twice.
    func wallTime() async throws {
        let (options, seconds) = try #require(queue.ending)
        let gates = try gates()
        // Two workers there and one here do twelve in a second, until a tenth of the time is left.
        let count = 12 * seconds * 9 / 10 + 20
        let driver = try driver(
            "queue-wall", options, choices: ["gate=\(gates.file("log"))", "items=\(count)"],
            limit: Double(seconds) + 120)
        let run = try await driver.end()
        #expect(run.status == 0 && run.value("squares") == "true" && run.value("timed") == "2 of 3", "\(run)")
        let left = try #require(run.value("left").flatMap { Int($0) })
        #expect(left > seconds / 2 && left <= seconds, "\(run)")
        #expect(run.errors.contains("is near its time limit"), "\(run)")
        #expect(!run.errors.contains("is lost") && !run.errors.contains("the job's state is"), "\(run)")
        let log = try Data(contentsOf: URL(filePath: gates.file("log")))
        #expect(log.count == count, "every element is begun once: \(run)")
        try await expectNothing(of: driver, run)
    }

    /// A job that waits is cancelled with the task that waits for its workers.
    func launchIsCancelled() async throws {
        let gates = try gates()
        let driver = try driver("queue-cancel", queue.waiting, choices: ["gate=\(gates.file("cancel"))"])
        try await driver.line(startingWith: "waiting")
        _ = try await job(of: driver, running: false)
        gates.open("cancel")
        let run = try await driver.end()
        #expect(run.status == 0 && run.value("error")?.contains("CancellationError") == true, "\(run)")
        try await expectNothing(of: driver, run)
    }

    /// No command line, environment, file or output has the key but the join file, nor has what the queue knows of the job.
    func keyIsNowhere(_ known: (_ job: String) async throws -> [DriverRun]) async throws {
        let driver = try driver("queue-wait", queue.running)
        try await driver.line(startingWith: "ready")
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.path)
        let joinFile = try #require(names.first { !$0.hasSuffix(".out") && !$0.contains(".out.") })
        let text = try String(contentsOf: directory.appending(path: joinFile), encoding: .utf8)
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
        for run in try await known(try await job(of: driver, running: true)) {
            #expect(run.status == 0, "\(run)")
            expectNone(run.bytes, "\(run.arguments)")
        }
        for name in names where name != joinFile {
            expectNone(try? Data(contentsOf: directory.appending(path: name)), name)
        }
        for (name, data) in driver.files() { expectNone(data, name) }
        driver.signal(SIGINT)
        try await expectNothing(of: driver, try await driver.end())
    }

    /// `muster map` over workers of a job that is cancelled ends, and says that nobody is left.
    func mapOfCommandsEnds() async throws {
        let options = (queue.running + ["address=loopback", "directory=\(directory.path)"]).joined(separator: ",")
        let tool = try #require(builtProducts?.appending(path: "muster"))
        let driver = try Driver(
            ["map", "--on", "\(queue.kind):1,\(options)", "sleep {}", ":::", "1000", "1001"], limit: 90,
            environment: queue.environment, executable: tool)
        let job = try await job(of: driver, running: true)
        try await driver.poll { !driver.isRunning || driver.commands().contains("sleep 1000 ") }
        try await queue.cancel(job)
        let run = try await driver.end()
        #expect(run.status == 1 && run.errors.contains("2 of 2 commands have no result"), "\(run)")
        try await expectNothing(of: driver, run)
    }

    /// A new directory with a script in place of the submit command, which runs there.
    private func standIn(_ script: String) throws -> URL {
        let place = directory.appendingPathExtension("commands")
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: false)
        give(place.path)
        let file = place.appending(path: URL(filePath: queue.submitCommand).lastPathComponent)
        try Data("#!/bin/sh\ncd '\(place.path)' || exit 1\n\(script)\n".utf8).write(to: file)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path)
        return place
    }

    /// An environment in which commands are looked for there first.
    private func path(with place: URL) -> [String: String] {
        let path =
            queue.environment["PATH"] ?? ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        return ["PATH": "\(place.path):\(path)"]
    }

    /// A job that the queue has taken though the command that submits it says otherwise does not stay there.
    func answerIsLost() async throws {
        let place = try standIn("'\(queue.submitCommand)' \"$@\" >submitted; exit 3")
        defer { try? FileManager.default.removeItem(at: place) }
        let driver = try driver("queue-failure", queue.waiting, environment: path(with: place))
        let run = try await driver.end()
        #expect(run.status == 0 && run.output.contains("refused the job"), "\(run)")
        let submitted = try String(contentsOf: place.appending(path: "submitted"), encoding: .utf8)
        #expect(submitted.contains(/[0-9]/), "the queue took it")
        try await expectNothing(of: driver, run)
    }

    /// A job that the queue takes when its driver is dead already is cancelled.
    func driverDiesWhileSubmitting() async throws {
        // A submit command that waits until it is told to go on.
        let place = try standIn(
            """
            touch begun
            until [ -e go ]; do sleep 0.02; done
            '\(queue.submitCommand)' "$@"
            status=$?
            touch submitted
            exit $status
            """)
        defer { try? FileManager.default.removeItem(at: place) }
        let driver = try driver("queue-wait", queue.waiting, environment: path(with: place))
        func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: place.appending(path: name).path) }
        try await driver.poll { exists("begun") || !driver.isRunning }
        driver.signal(SIGKILL)
        try await driver.poll { !driver.isRunning }
        try Data().write(to: place.appending(path: "go"))
        try await driver.poll { exists("submitted") }
        #expect(exists("submitted"))
        try await expectNothing(of: driver, try await driver.end())
    }

    /// A job that brings no workers says what was run, why, and what helps.
    func failure(_ failure: QueueFailure) async throws {
        let driver = try driver(
            "queue-failure", failure.options, choices: failure.choices, count: failure.count)
        let run = try await driver.end()
        #expect(run.status == 0 && run.output.contains(failure.said) && run.output.contains(failure.cure), "\(run)")
        try await expectNothing(of: driver, run)
    }

    /// With no minimum the launch returns at once, and a map has the workers when they come.
    func lateWorkers() async throws {
        let driver = try driver("queue-mixed", queue.running, choices: ["minimum=0"])
        let line = try await driver.line(startingWith: "ready")
        #expect(line == "ready 1")
        let run = try await driver.end()
        #expect(run.status == 0 && run.value("squares") == "true", "\(run)")
        try await expectNothing(of: driver, run)
    }
}

/// A job that brings no workers.
struct QueueFailure: Sendable, CustomTestStringConvertible {
    var options: [String]
    var count = 2
    var choices: [String] = []
    /// Words of the error.
    var said: String
    /// Words of the cure that it names.
    var cure: String

    var testDescription: String { "\(options) \(choices) \(count)" }
}
