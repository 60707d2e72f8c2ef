import Foundation
import Testing

/// Two networks of their own with a wire between them; a driver in one and an agent in the other are two hosts, as far as
/// TCP goes.
private final class TwoNetworks {
    static let driverAddress = "10.213.77.1"
    private static let agentAddress = "10.213.77.2"

    private let names: [String]

    /// Makes them; `nil` where this user may not, or there is no `ip`.
    init?(_ label: String) async throws {
        names = ["d", "a"].map { "muster\(getpid())\(label)\($0)" }
        guard geteuid() == 0, FileManager.default.isExecutableFile(atPath: "/usr/sbin/ip") else { return nil }
        for name in names where try await !ip("netns", "add", name) { return nil }
        let ends = ["md\(getpid() % 100_000)\(label)", "ma\(getpid() % 100_000)\(label)"]
        var works = try await ip(
            "link", "add", ends[0], "netns", names[0], "type", "veth", "peer", ends[1], "netns", names[1])
        for (name, (end, address)) in zip(names, zip(ends, [TwoNetworks.driverAddress, TwoNetworks.agentAddress])) {
            works = try await ip("-n", name, "link", "set", end, "name", "wire") && works
            works = try await ip("-n", name, "address", "add", "\(address)/24", "dev", "wire") && works
            for device in ["lo", "wire"] { works = try await ip("-n", name, "link", "set", device, "up") && works }
        }
        guard works else { return nil }
    }

    deinit {
        // Their wires go with them.
        for name in names {
            _ = try? Driver(["netns", "delete", name], executable: URL(filePath: "/usr/sbin/ip")).wait()
        }
    }

    /// Cuts the wire, or mends it.
    func setWire(_ state: String) async throws {
        try #require(await ip("-n", names[1], "link", "set", "wire", state))
    }

    func driver(_ arguments: String...) throws -> Driver { try Driver(arguments, limit: 90, shell: at(0)) }

    /// An agent beside the driver, or at the wire's other end.
    func agent(_ file: String, isFar: Bool) throws -> Driver {
        let variables = ["MUSTER_JOIN": file, "MUSTER_WORKERS": "1"]
        return try Driver(["elastic-map"], limit: 90, environment: variables, shell: at(isFar ? 1 : 0))
    }

    private func at(_ place: Int) -> String { "exec /usr/sbin/ip netns exec \(names[place]) \"$@\"" }

    private func ip(_ words: String...) async throws -> Bool {
        let run = try await Driver(words, executable: URL(filePath: "/usr/sbin/ip")).end()
        return run.status == 0
    }
}

extension Driver {
    /// Waits for its end without letting others run.
    fileprivate func wait() { while isRunning { usleep(1000) } }
}

@Suite("Partitions", .serialized)
struct PartitionTests {
    private static let why = "two networks can't be made here: that needs root and the program ip"

    @Test("five seconds without a wire are survived within the heartbeat limit")
    func shortPartition() async throws {
        guard let networks = try await TwoNetworks("s") else { return print("skipped: \(PartitionTests.why)") }
        let gates = try PrivateDirectory()
        let driver = try networks.driver(
            "elastic-map", "items=1500", "ms=10", "limit=15", "address=\(TwoNetworks.driverAddress)",
            "gates=\(gates.path)")
        let file = try await driver.joinFile()
        let (near, far) = (try networks.agent(file, isFar: false), try networks.agent(file, isFar: true))
        try await driver.text("at work 3")
        try await networks.setWire("down")
        // The time is what this is about.
        try await Task.sleep(for: .seconds(5))
        try await networks.setWire("up")
        gates.open("half")
        gates.open("end")
        let run = try await driver.end()
        #expect(run.status == 0 && run.value("results") == "right doubled 0", "\(run)")
        #expect(run.value("workers") == "[2, 3]", "nobody was lost: \(run)")
        let ends = (try await near.end(), try await far.end())
        #expect(ends.0.status == 0 && ends.1.status == 0, "\(ends.0) \(ends.1)")
    }

    @Test("without a wire for good, both sides notice within the limit, and others finish the map")
    func longPartition() async throws {
        guard let networks = try await TwoNetworks("l") else { return print("skipped: \(PartitionTests.why)") }
        let gates = try PrivateDirectory()
        let driver = try networks.driver(
            "elastic-map", "items=300", "ms=5", "limit=2", "address=\(TwoNetworks.driverAddress)", "gates=\(gates.path)"
        )
        let file = try await driver.joinFile()
        let far = try networks.agent(file, isFar: true)
        try await driver.text("at work 2")
        try await networks.setWire("down")
        let end = try await far.end()
        #expect(end.status == 1 && end.leftovers.isEmpty, "\(end)")
        #expect(end.errors.contains("nothing was heard of the driver for"), "\(end)")
        try await driver.text("gone workers: 2 (is lost: nothing was heard of its agent for")
        // A map waits for workers, since more may join.
        let near = try networks.agent(file, isFar: false)
        gates.open("half")
        gates.open("end")
        let run = try await driver.end()
        #expect(run.status == 0 && run.value("results") == "right doubled 0", "\(run)")
        #expect(try await near.end().status == 0)
    }
}
