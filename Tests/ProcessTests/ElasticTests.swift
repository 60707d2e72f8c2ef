import Foundation
import Testing

/// A directory that only this user can enter, for join files and for the files by which a test tells a program to go on.
final class PrivateDirectory {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "muster-\(UUID().uuidString)").path
        let isMade = unsafe mkdir(path, 0o700) == 0
        try #require(isMade)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { path + "/" + name }

    /// Lets the program pass that waits at this gate.
    func open(_ gate: String) { _ = FileManager.default.createFile(atPath: file(gate), contents: nil) }

    /// A copy that a program may join with.
    func copy(_ source: String, as name: String) throws -> String {
        let bytes = try Data(contentsOf: URL(filePath: source))
        try #require(
            FileManager.default.createFile(
                atPath: file(name), contents: bytes, attributes: [.posixPermissions: 0o600]))
        return file(name)
    }
}

extension Driver {
    /// The join file that a driver says it has written.
    func joinFile() async throws -> String {
        String(try await line(startingWith: "join ").dropFirst("join ".count))
    }

    /// A program that joins with this file as the agent of its host.
    static func agent(
        _ joinFile: String, workers: Int = 1, of program: String = "muster-test-program",
        environment: [String: String] = [:]
    ) throws -> Driver {
        let variables = ["MUSTER_JOIN": joinFile, "MUSTER_WORKERS": "\(workers)"].merging(environment) { $1 }
        return try Driver(
            ["elastic-map"], environment: variables, executable: try #require(builtProducts).appending(path: program))
    }

    /// Waits until its output or its errors have this text.
    func text(_ text: String) async throws {
        try await poll { output.contains(text) || errors.contains(text) || !isRunning }
        try #require(output.contains(text) || errors.contains(text), "never \"\(text)\": \(output)\n\(errors)")
    }
}

@Suite("Elastic workers")
struct ElasticTests {
    @Test("the driver says who is there and how to join, and they work for it")
    func thinPath() async throws {
        let run = try await drive("elastic")
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
        #expect(run.value("squares") == "\((1...10).map { $0 * $0 })", "\(run)")
        #expect(run.value("workers") == "[2, 3]" && run.value("worked") == "[2, 3]", "\(run)")
        #expect(run.value("elsewhere") == "true" && run.value("sums") == "[500000.0, 1000000.0, 1500000.0, 2000000.0]")
        #expect(run.output.contains("to join: MUSTER_JOIN=/"), "\(run)")
        #expect(run.value("agent") == "ended 0" && run.value("gone") == "true", "\(run)")
    }

    @Test("who joins during a map takes part in it")
    func joinDuringMap() async throws {
        let gates = try PrivateDirectory()
        let driver = try Driver(["elastic-map", "items=300", "ms=2", "gates=\(gates.path)"])
        let file = try await driver.joinFile()
        let first = try Driver.agent(file)
        try await driver.text("at work 2")
        let second = try Driver.agent(file, workers: 2)
        try await driver.text("at work 4")
        gates.open("half")
        gates.open("end")
        let run = try await driver.end()
        #expect(run.status == 0 && run.value("results") == "right doubled 0", "\(run)")
        #expect(run.value("workers") == "[2, 3, 4]", "\(run)")
        for agent in [first, second] {
            let end = try await agent.end()
            #expect(
                end.status == 0
                    && end.errors.wholeMatch(of: /muster: joined the driver at port \d+; Ctrl-C leaves\n/) != nil
                    && end.leftovers.isEmpty, "\(end)")
        }
        #expect(!FileManager.default.fileExists(atPath: file), "the join file is gone")
    }

    @Test(
        "an agent that is killed or stopped during a map takes nothing of it along",
        arguments: [SIGKILL, SIGTERM, SIGSTOP])
    func agentEnds(signal: Int32) async throws {
        let gates = try PrivateDirectory()
        let driver = try Driver(["elastic-map", "items=200", "ms=2", "limit=1", "gates=\(gates.path)"])
        let file = try await driver.joinFile()
        let first = try Driver.agent(file, workers: 2)
        try await driver.text("at work 3")
        let second = try Driver.agent(file)
        try await driver.text("at work 4")
        first.signal(signal)
        try await driver.text("gone workers: 2-3 (")
        gates.open("half")
        gates.open("end")
        let run = try await driver.end()
        #expect(run.status == 0 && run.value("results") == "right doubled 0", "\(run)")
        if signal == SIGSTOP {
            #expect(run.output.contains("nothing was heard of its agent for"), "\(run)")
            first.signal(SIGCONT)
        }
        let ends = (try await first.end(), try await second.end())
        #expect(ends.0.leftovers.isEmpty && ends.1.status == 0, "\(ends.0) \(ends.1)")
    }

    @Test("a worker that dies is reported and started again, until that happens too often")
    func workerEnds() async throws {
        let gates = try PrivateDirectory()
        let driver = try Driver(["elastic-map", "items=200", "ms=1", "gates=\(gates.path)"])
        let agent = try Driver.agent(try await driver.joinFile())
        for round in 0..<6 {
            let line = try await driver.line(startingWith: "at work \(2 + round) ")
            kill(try #require(Int32(line.split(separator: " ").last ?? "")), SIGKILL)
            let isLast = round == 5
            try await driver.text(
                "worker \(2 + round) on \(hostName) was ended by signal 9 (Killed)\(isLast ? ", and none is started" : "; another one is")"
            )
        }
        let end = try await agent.end()
        #expect(end.status == 0 && end.leftovers.isEmpty, "an agent without workers goes: \(end)")
        let other = try Driver.agent(try await driver.joinFile())
        gates.open("half")
        gates.open("end")
        let run = try await driver.end()
        #expect(run.status == 0 && run.value("results") == "right doubled 0", "\(run)")
        #expect(run.errors.contains("workers of this host have ended 6 times within a minute"), "\(run)")
        #expect(run.value("workers") == "[2, 3, 4, 5, 6, 7, 8]", "\(run)")
        _ = try await other.end()
    }

    @Test("a worker that is stopped as a whole is ended at the heartbeat limit, and has a successor")
    func workerHangs() async throws {
        let gates = try PrivateDirectory()
        let driver = try Driver(["elastic-map", "items=200", "ms=1", "limit=1", "gates=\(gates.path)"])
        let agent = try Driver.agent(try await driver.joinFile())
        let line = try await driver.line(startingWith: "at work 2 ")
        kill(try #require(Int32(line.split(separator: " ").last ?? "")), SIGSTOP)
        try await driver.text("worker 2 on \(hostName) was ended: nothing was heard of it for")
        try await driver.text("at work 3 ")
        gates.open("half")
        gates.open("end")
        let run = try await driver.end()
        #expect(run.status == 0 && run.value("results") == "right doubled 0", "\(run)")
        #expect(try await agent.end().status == 0)
    }

    @Test("what workers print stays with them if the user wants that")
    func outputStays() async throws {
        let gates = try PrivateDirectory()
        let driver = try Driver(["elastic-serve", "keep=1", "gates=\(gates.path)"])
        let agent = try Driver.agent(try await driver.joinFile())
        try await driver.text("active workers: 2\n")
        gates.open("print")
        try await agent.text("From worker 2: a line of a worker\n")
        try await driver.text("printed")
        gates.open("end")
        let (run, end) = (try await driver.end(), try await agent.end())
        #expect(run.status == 0 && !run.output.contains("a line of a worker"), "\(run)")
        #expect(end.status == 0 && end.output.hasSuffix("From worker 2: a line of a worker\n"), "\(end)")
    }

    @Test("when the driver is killed its agents and their workers end, and the next driver removes its join file")
    func driverKilled() async throws {
        let driver = try Driver(["elastic-map", "items=100000", "ms=5"])
        let file = try await driver.joinFile()
        let agent = try Driver.agent(file, workers: 2)
        try await driver.text("at work 3")
        driver.signal(SIGKILL)
        let end = try await agent.end()
        #expect(end.status == 1 && end.leftovers.isEmpty, "\(end)")
        #expect(end.errors.contains("the workers of this host have been ended"), "\(end)")
        #expect(FileManager.default.fileExists(atPath: file))
        let directory = URL(filePath: file).deletingLastPathComponent().deletingLastPathComponent().path
        let next = try await drive("two-elastic", environment: ["XDG_RUNTIME_DIR": directory])
        #expect(next.status == 0 && !FileManager.default.fileExists(atPath: file), "\(next)")
        withExtendedLifetime(driver) {}
    }

    @Test("a driver that is told to end ends its agents, and leaves no join file", arguments: [SIGINT, SIGTERM])
    func driverEnds(signal: Int32) async throws {
        let driver = try Driver(["elastic-map", "items=100000", "ms=5"])
        let file = try await driver.joinFile()
        let agent = try Driver.agent(file, workers: 2)
        try await driver.text("at work 3")
        driver.signal(signal)
        let (run, end) = (try await driver.end(), try await agent.end())
        #expect(run.signal == signal && run.leftovers.isEmpty, "\(run)")
        #expect(end.status == 0 && end.leftovers.isEmpty, "\(end)")
        #expect(!FileManager.default.fileExists(atPath: file))
    }

    @Test("many workers of a host cost the driver one connection, and what they print says who they are")
    func oneConnection() async throws {
        let gates = try PrivateDirectory()
        let driver = try Driver(["elastic-serve", "gates=\(gates.path)"])
        let agent = try Driver.agent(try await driver.joinFile(), workers: 64)
        try await driver.text("active workers: 2-65")
        #expect(try connections(of: driver.process) == 1)
        gates.open("print")
        try await driver.text("printed")
        for worker in 2...65 { try await driver.text("From worker \(worker) on \(hostName): a line of a worker\n") }
        gates.open("end")
        #expect(try await driver.end().status == 0)
        #expect(try await agent.end().status == 0)
    }

    /// Established TCP connections of a process.
    private func connections(of process: Int32) throws -> Int {
        let directory = "/proc/\(process)/fd"
        let links = try FileManager.default.contentsOfDirectory(atPath: directory).map { name in
            var link = [CChar](repeating: 0, count: 256)
            let count = unsafe readlink("\(directory)/\(name)", &link, 255)
            return String(decoding: link.prefix(max(count, 0)).map(UInt8.init(bitPattern:)), as: UTF8.self)
        }
        // By hand: the kernel hands it over in pieces, of which Foundation takes the first for all.
        let file = unsafe open("/proc/\(process)/net/tcp", O_RDONLY)
        defer { close(file) }
        var table: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = unsafe read(file, &piece, piece.count), count > 0 { table += piece[..<count] }
        return String(decoding: table, as: UTF8.self).split(separator: "\n").dropFirst().count { line in
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            return words.count > 9 && words[3] == "01" && links.contains("socket:[\(words[9])]")
        }
    }

    @Test("two managers of one cluster keep apart, and what can't be had is refused with the cure")
    func twoManagers() async throws {
        let run = try await drive("two-elastic")
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
        #expect(run.value("apart") == "true" && run.value("there") == "[true, true]", "\(run)")
        #expect(run.value("again")?.contains("listens for a cluster already") == true, "\(run)")
        #expect(run.value("taken")?.contains("use another port, or 0 for any that is free") == true, "\(run)")
        #expect(run.value("all")?.contains("leave it out") == true, "\(run)")
        #expect(run.value("short")?.contains("use at least 16, or the loopback address only") == true, "\(run)")
        #expect(run.value("sum") == "10" && run.value("first") == "true" && run.value("agent") == "0", "\(run)")
        #expect(run.value("closed")?.contains("not listening any more") == true, "\(run)")
    }

    @Test("another build of the program is refused, with both build IDs")
    func wrongBuild() async throws {
        let gates = try PrivateDirectory()
        let driver = try Driver(["elastic-serve", "gates=\(gates.path)"])
        let end = try await Driver.agent(try await driver.joinFile(), of: "muster-test-other").end()
        #expect(end.status == 1 && end.errors.contains("run the same executable on both sides"), "\(end)")
        let hexadecimal = /[0-9a-f]{16,}/
        #expect(Set(end.errors.matches(of: hexadecimal).map(\.output)).count == 2, "\(end)")
    }

    @Test("a join file that is revoked, used up, expired or damaged is refused with the reason")
    func refusedFiles() async throws {
        let gates = try PrivateDirectory()
        func expectRefusal(_ file: String, _ reasons: String...) async throws {
            let end = try await Driver.agent(file, environment: ["MUSTER_WORKER_TIMEOUT": "3"]).end()
            #expect(end.status == 1 && end.errors.hasPrefix("muster: can't join the driver: "), "\(end)")
            for reason in reasons { #expect(end.errors.contains(reason), "\(end)") }
        }
        let revoking = try Driver(["elastic-serve", "revoke=1", "gates=\(gates.path)"])
        let file = try await revoking.joinFile()
        let revoked = try gates.copy(file, as: "revoked")
        for gate in ["print", "revoke"] { gates.open(gate) }
        // What is said to people and what the program prints come in any order.
        try await revoking.text("nobody else can join")
        try await revoking.text("map ClusterError")
        #expect(!FileManager.default.fileExists(atPath: file))
        try await expectRefusal(file, "can't read the join file")
        try await expectRefusal(revoked, "could not join the driver at 127.0.0.1")

        let once = try Driver(["elastic-map", "joins=1", "items=100000"])
        let original = try await once.joinFile()
        let used = try gates.copy(original, as: "used")
        let agent = try Driver.agent(original)
        try await once.text("at work 2")
        #expect(!FileManager.default.fileExists(atPath: original), "a join file is removed when it is used up")
        try await expectRefusal(used, "could not join the driver at 127.0.0.1")
        withExtendedLifetime((agent, once)) {}

        // On a busy machine the time may be over before there is a copy.
        for seconds in [0.5, 5, 20] {
            let brief = try Driver(["elastic-serve", "for=\(seconds)", "gates=\(gates.path)"])
            guard let expired = try? gates.copy(try await brief.joinFile(), as: "expired\(seconds)") else { continue }
            try await brief.text("nobody else can join")
            try await expectRefusal(expired, "could not join the driver at 127.0.0.1")
            withExtendedLifetime(brief) {}
            break
        }
        withExtendedLifetime(revoking) {}

        let text = try String(contentsOfFile: used, encoding: .utf8)
        for (index, (damaged, reason)) in [
            ("", "first line"), (String(text.prefix(40)), "there is no"),
            (text.replacing("key ", with: "kex "), "unknown word"),
            (text + "port 1\n", "a second \"port\""),
        ].enumerated() {
            let path = gates.file("damaged\(index)")
            _ = FileManager.default.createFile(
                atPath: path, contents: Data(damaged.utf8), attributes: [.posixPermissions: 0o600])
            try await expectRefusal(path, "damaged or none", reason)
        }
        _ = unsafe chmod(used, 0o644)
        try await expectRefusal(used, "others can read or change the join file")
    }

    @Test("a time limit that is none is refused")
    func timeLimit() async throws {
        let end = try await Driver.agent("/nowhere/join", environment: ["MUSTER_WORKER_TIMEOUT": "soon"]).end()
        #expect(
            end.status == 1 && end.errors.contains("MUSTER_WORKER_TIMEOUT is \"soon\", which is no time limit"),
            "\(end)")
    }

    @Test("a running program joins, works beside what it does, leaves, and goes on")
    func guest() async throws {
        let gates = try PrivateDirectory()
        let driver = try Driver(["elastic-map", "items=400", "ms=1", "gates=\(gates.path)"])
        let file = try await driver.joinFile()
        let stayer = try Driver(["guest", "file=\(file)"])
        try await driver.text("at work 2 process \(stayer.process)")
        let leaver = try Driver(["guest", "file=\(file)", "gates=\(gates.path)"])
        try await driver.text("at work 3 process \(leaver.process)")
        gates.open("leave")
        try await driver.text("gone workers: 3 (is lost: it left)")
        gates.open("half")
        gates.open("end")
        let run = try await driver.end()
        #expect(run.status == 0 && run.value("results") == "right doubled 0", "\(run)")
        let (left, stayed) = (try await leaver.end(), try await stayer.end())
        #expect(
            left.lines == ["before the first withCluster", "joined as 3 here 1", "ending left", "goes on", "done"],
            "\(left)")
        #expect(stayed.value("joined") == "as 2 here 1" && stayed.value("ending") == "dismissed", "\(stayed)")
        #expect(stayed.lines.last == "done" && stayed.status == 0, "\(stayed)")
    }

    @Test("the driver's death ends a guest's membership, and not the guest")
    func guestWithoutDriver() async throws {
        let driver = try Driver(["elastic-map", "items=100000"])
        let file = try await driver.joinFile()
        let guest = try Driver(["guest", "file=\(file)"])
        try await driver.text("at work 2")
        driver.signal(SIGKILL)
        let run = try await guest.end()
        #expect(run.status == 0 && run.value("ending")?.hasPrefix("lost(") == true, "\(run)")
        #expect(run.lines.contains("goes on"))
        let late = try await drive("guest", "file=\(file)")
        #expect(late.value("not")?.contains("could not join the driver at 127.0.0.1") == true, "\(late)")
        withExtendedLifetime(driver) {}
    }

    @Test("output that nobody reads for a while keeps workers waiting, and loses neither hosts nor lines")
    func flood() async throws {
        // More than two heartbeat limits.
        let run = try await drive("remote-flood", shell: "\"$@\" | { sleep 14; tee /dev/stderr | wc -lc; } 2>/dev/null")
        let counts = run.lines.last?.split(separator: " ").compactMap { Int($0) } ?? []
        // The lines that were printed, and a few of the program's own.
        #expect(counts.count == 2 && (50_000...50_010).contains(counts[0]) && counts[1] > 10_000_000, "\(run)")
        #expect(run.status == 0 && !run.errors.contains("lost") && run.leftovers.isEmpty, "\(run)")
    }

    @Test("no command line, environment, output or file but the join file has the key")
    func keyIsNowhere() async throws {
        let gates = try PrivateDirectory()
        let driver = try Driver(["elastic-serve", "gates=\(gates.path)", "file=\(gates.file("join"))"])
        let file = try await driver.joinFile()
        let text = try String(contentsOfFile: file, encoding: .utf8)
        let attributes = try FileManager.default.attributesOfItem(atPath: file)
        #expect((attributes[.posixPermissions] as? Int) == 0o600)
        let digits = try #require(text.split(separator: "\n").first { $0.hasPrefix("key ") }?.dropFirst(4))
        #expect(digits.count == 64)
        let bytes = Data(
            stride(from: 0, to: digits.count, by: 2).compactMap { offset in
                UInt8(digits.dropFirst(offset).prefix(2), radix: 16)
            })
        let agent = try Driver.agent(file, workers: 2)
        let guest = try Driver(["guest", "file=\(file)"])
        try await driver.text("active workers: 2-4")
        gates.open("print")
        try await driver.text("printed")
        func expectNone(_ data: Data?, _ place: String) {
            guard let data else { return }
            #expect(data.range(of: Data(digits.utf8)) == nil && data.range(of: bytes) == nil, "\(place) has the key")
        }
        var looked = 0
        for name in try FileManager.default.contentsOfDirectory(atPath: "/proc") where Int(name) != nil {
            for part in ["cmdline", "environ"] {
                let data = try? Data(contentsOf: URL(filePath: "/proc/\(name)/\(part)"))
                if data != nil { looked += 1 }
                expectNone(data, "/proc/\(name)/\(part)")
            }
        }
        #expect(looked >= 8)
        for program in [driver, agent, guest] {
            for (name, data) in program.files() { expectNone(data, name) }
        }
        for name in try FileManager.default.contentsOfDirectory(atPath: gates.path) where name != "join" {
            expectNone(try? Data(contentsOf: URL(filePath: gates.file(name))), name)
        }
        gates.open("end")
        #expect(try await driver.end().status == 0)
        _ = (try await agent.end(), try await guest.end())
        #expect(!FileManager.default.fileExists(atPath: file))
    }
}

/// The name of this host.
let hostName: String = {
    var name = [CChar](repeating: 0, count: 256)
    unsafe gethostname(&name, 255)
    return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
}()
