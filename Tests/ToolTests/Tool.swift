import Foundation
import Testing

/// What a run of the built tool left behind.
struct ToolRun {
    /// Its exit status; `nil` if a signal ended it.
    let status: Int32?
    /// The signal that ended it; `nil` if it exited.
    let signal: Int32?
    let output: String
    let errors: String
    /// Processes that it started, directly or not, and that were there a second after its end.
    let leftovers: [String]

    /// Lines of the output.
    var lines: [Substring] { output.split(separator: "\n", omittingEmptySubsequences: false) }

    /// The output as JSON, nil if it isn't one document.
    var json: [String: Any]? {
        try? JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any]
    }
}

/// Runs the `muster` that was built beside these tests, and waits for its end.
func muster(_ arguments: String..., environment: [String: String] = [:], input: String = "") async throws -> ToolRun {
    try await muster(arguments, environment: environment, input: input)
}

/// Runs the `muster` that was built beside these tests, and waits for its end.
func muster(_ arguments: [String], environment: [String: String] = [:], input: String = "") async throws -> ToolRun {
    try await RunningTool(arguments, environment: environment, input: input).end()
}

/// Runs a line for the shell, in which `muster` is the tool.
func shell(_ line: String) async throws -> ToolRun {
    let path = try builtProduct("muster").deletingLastPathComponent().path
    let program = try RunningTool(
        ["-c", line], of: URL(filePath: "/bin/sh"), environment: ["PATH": "\(path):/usr/bin:/bin"])
    return try await program.end()
}

/// The tool under way. What it has started is ended with the last copy of this.
struct RunningTool {
    private let driver: Driver

    init(_ arguments: [String], environment: [String: String] = [:], input: String = "") throws {
        try self.init(arguments, of: builtProduct("muster"), environment: environment, input: input)
    }

    init(_ arguments: [String], of program: URL, environment: [String: String] = [:], input: String = "") throws {
        driver = try Driver(arguments, environment: environment, input: input, executable: program)
    }

    /// Sends it a signal.
    func signal(_ number: Int32) { driver.signal(number) }

    /// Waits for its end; where that does not come within a minute, it is an issue.
    func end() async throws -> ToolRun {
        let run = try await driver.end()
        return ToolRun(
            status: run.status, signal: run.signal, output: run.output, errors: run.errors, leftovers: run.leftovers)
    }
}

/// Whether something becomes true within 30 s.
func eventually(_ condition: () -> Bool) async -> Bool {
    let deadline = ContinuousClock.now + .seconds(30)
    while !condition() {
        guard ContinuousClock.now < deadline else { return false }
        try? await Task.sleep(for: .milliseconds(5))
    }
    return true
}

/// Numbers of the processes that have `mark` in a word of their command line; ended ones have none.
func processes(with mark: String) -> [Int32] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return names.compactMap { Int32($0) }.filter { process in
        guard let line = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") else { return false }
        return String(decoding: line, as: UTF8.self).contains(mark)
    }
}

/// An argument of `sleep` that no other process has: years, with a number behind the point.
func uniqueTime() -> String { "99999999.\(UInt32.random(in: 1..<(.max)))" }

/// A program that was built beside these tests.
func builtProduct(_ name: String) throws -> URL { try #require(builtProducts).appending(path: name) }
