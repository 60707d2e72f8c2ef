import Foundation
import Testing

/// What a run of the test program left behind.
struct DriverRun: CustomStringConvertible {
    let arguments: [String]
    /// Its exit status; `nil` if a signal ended it.
    let status: Int32?
    /// The signal that ended it.
    let signal: Int32?
    let output: String
    let errors: String
    /// Processes that it started, directly or not, and that were there a second after its end.
    let leftovers: [String]

    var lines: [Substring] { output.split(separator: "\n") }

    /// What follows `name` and a space in the line that starts so.
    func value(_ name: String) -> String? {
        lines.first { $0.hasPrefix(name + " ") }.map { String($0.dropFirst(name.count + 1)) }
    }

    /// Shown when an expectation fails.
    var description: String {
        """
        \(arguments.joined(separator: " ")): status \(status ?? -1), signal \(signal ?? 0), left \(leftovers)
        --- output
        \(output.prefix(4000))
        --- errors
        \(errors.prefix(4000))
        ---
        """
    }
}

/// The test program as a user's program that runs: the driver, with everything that it starts.
///
/// Its output goes to files: a process left behind could hold a pipe open for ever. What it starts is found by a
/// variable of its own in the environment, which all of it inherits.
final class Driver {
    let process = Process()
    private let token = "MUSTER_TEST_TOKEN=\(UUID().uuidString)"
    private let directory: URL
    private let arguments: [String]
    private let deadline: ContinuousClock.Instant

    /// Starts the program.
    ///
    /// - Parameters:
    ///   - limit: Seconds after which it counts as hanging, and is killed.
    ///   - shell: A shell's command line that runs the program as `"$@"`.
    init(
        _ arguments: [String], limit: Double = 30, environment: [String: String] = [:], shell: String? = nil,
        executable: URL? = nil
    ) throws {
        let program = try #require(executable ?? builtProducts?.appending(path: "muster-test-program"))
        directory = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        self.arguments = arguments
        deadline = .now + .seconds(limit)
        if let shell {
            process.executableURL = URL(filePath: "/bin/sh")
            process.arguments = ["-c", shell, "sh", program.path] + arguments
        } else {
            process.executableURL = program
            process.arguments = arguments
        }
        var variables = ProcessInfo.processInfo.environment
        variables["SWIFT_BACKTRACE"] = "enable=no"
        for name in variables.keys where name.hasSuffix("_NUM_THREADS") { variables[name] = nil }
        variables["MUSTER_TEST_TOKEN"] = String(token.dropFirst("MUSTER_TEST_TOKEN=".count))
        variables.merge(environment) { $1 }
        process.environment = variables.filter { !$0.value.isEmpty }
        for name in ["output", "errors"] {
            try Data().write(to: directory.appending(path: name))
        }
        process.standardOutput = try FileHandle(forWritingTo: directory.appending(path: "output"))
        process.standardError = try FileHandle(forWritingTo: directory.appending(path: "errors"))
        process.standardInput = FileHandle.nullDevice
        try process.run()
    }

    deinit {
        for process in descendants() { kill(process, SIGKILL) }
        try? FileManager.default.removeItem(at: directory)
    }

    /// What the program has printed up to now.
    var output: String { read("output") }

    private func read(_ name: String) -> String {
        let data = try? Data(contentsOf: directory.appending(path: name))
        return String(decoding: data ?? Data(), as: UTF8.self)
    }

    /// Waits until the program has printed a line that starts with `text`; returns the line.
    @discardableResult
    func line(startingWith text: String) async throws -> String {
        var found: String?
        try await poll {
            found = output.split(separator: "\n").first { $0.hasPrefix(text) }.map(String.init)
            return found != nil || !process.isRunning
        }
        return try #require(found, "it never said \"\(text)\": \(output) \(read("errors"))")
    }

    /// Sends a signal to the program itself.
    func signal(_ number: Int32) {
        kill(process.processIdentifier, number)
    }

    /// Waits until `condition` holds, or the time is up.
    func poll(_ condition: () throws -> Bool) async throws {
        while try !condition() {
            guard ContinuousClock.now < deadline else { return }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Waits for the program's end. A program that does not end in time is an issue, and is killed.
    func end() async throws -> DriverRun {
        try await poll { !process.isRunning }
        let hangs = process.isRunning
        if hangs { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
        let ended = ContinuousClock.now
        var left = descendants()
        while !left.isEmpty, ContinuousClock.now < ended + .seconds(1) {
            try await Task.sleep(for: .milliseconds(5))
            left = descendants()
        }
        let isExit = process.terminationReason == .exit
        let run = DriverRun(
            arguments: arguments, status: isExit ? process.terminationStatus : nil,
            signal: isExit ? nil : process.terminationStatus, output: read("output"), errors: read("errors"),
            leftovers: left.map { "\($0) \(commandLine(of: $0))" })
        #expect(!hangs, "it hangs: \(run)")
        return run
    }

    /// The numbers of all processes that carry this driver's variable; those that have ended have none.
    func descendants() -> [Int32] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        let mark = Data(token.utf8)
        return names.compactMap { Int32($0) }.filter { number in
            number != process.processIdentifier
                && (try? Data(contentsOf: URL(filePath: "/proc/\(number)/environ")))?.range(of: mark) != nil
        }
    }

    private func commandLine(of process: Int32) -> String {
        let data = (try? Data(contentsOf: URL(filePath: "/proc/\(process)/cmdline"))) ?? Data()
        return String(decoding: data, as: UTF8.self).replacing("\0", with: " ")
    }
}

/// Runs the program to its end.
func drive(
    _ arguments: String..., limit: Double = 30, environment: [String: String] = [:], shell: String? = nil,
    executable: URL? = nil
) async throws -> DriverRun {
    let driver = try Driver(
        arguments, limit: limit, environment: environment, shell: shell, executable: executable)
    return try await driver.end()
}

/// The directory of the test bundle, which is mapped into this process, and of the program beside it.
private var builtProducts: URL? {
    guard let maps = try? String(contentsOfFile: "/proc/self/maps", encoding: .utf8) else { return nil }
    let bundle = maps.split(separator: "\n").first { $0.hasSuffix(".xctest") }?.firstIndex(of: "/").map { start in
        maps[start...].prefix { $0 != "\n" }
    }
    return bundle.map { URL(filePath: String($0)).deletingLastPathComponent() }
}
