import Foundation
import Testing

/// What a run of the built tool left behind.
struct ToolRun {
    let status: Int32
    /// The signal that ended it; `nil` if it exited.
    let signal: Int32?
    let output: String
    let errors: String

    /// Lines of the output.
    var lines: [Substring] { output.split(separator: "\n", omittingEmptySubsequences: false) }

    /// The output as JSON, nil if it isn't one document.
    var json: [String: Any]? {
        try? JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any]
    }
}

/// Runs the `muster` that was built beside these tests, and waits for its end.
func muster(_ arguments: String..., environment: [String: String] = [:], input: String = "") throws -> ToolRun {
    try muster(arguments, environment: environment, input: input)
}

/// Runs the `muster` that was built beside these tests, and waits for its end.
func muster(_ arguments: [String], environment: [String: String] = [:], input: String = "") throws -> ToolRun {
    try RunningTool(arguments, environment: environment, input: input).end()
}

/// Runs a line for the shell, in which `muster` is the tool.
func shell(_ line: String) throws -> ToolRun {
    let path = try builtProduct("muster").deletingLastPathComponent().path
    let program = try RunningTool(
        ["-c", line], of: URL(filePath: "/bin/sh"), environment: ["PATH": "\(path):/usr/bin:/bin"], input: "")
    return try program.end()
}

/// The tool under way.
struct RunningTool {
    private let process = Process()
    private let output = Pipe()
    private let errors = Pipe()
    /// Tests run at the same time, and each is to have all CPUs.
    private let runtime = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)

    init(_ arguments: [String], environment: [String: String] = [:], input: String = "") throws {
        // Whoever started the tests may ignore signals that the tool is to be ended by.
        let arguments = ["--default-signal=INT,TERM,HUP,PIPE", try builtProduct("muster").path] + arguments
        try self.init(arguments, of: URL(filePath: "/usr/bin/env"), environment: environment, input: input)
    }

    init(_ arguments: [String], of program: URL, environment: [String: String], input: String) throws {
        let standardInput = Pipe()
        process.executableURL = program
        process.arguments = arguments
        try FileManager.default.createDirectory(
            at: runtime, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        process.environment = ProcessInfo.processInfo.environment
            .merging(["XDG_RUNTIME_DIR": runtime.path]) { $1 }.merging(environment) { $1 }
        process.standardInput = standardInput
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        // Inputs are small: they fit the pipe.
        try standardInput.fileHandleForWriting.write(contentsOf: Data(input.utf8))
        try standardInput.fileHandleForWriting.close()
    }

    /// Sends it a signal.
    func signal(_ number: Int32) {
        kill(process.processIdentifier, number)
    }

    /// Waits for its end.
    func end() throws -> ToolRun {
        // Errors are few lines: they fit the pipe while the output is read.
        let text = output.fileHandleForReading.readDataToEndOfFile()
        let error = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try? FileManager.default.removeItem(at: runtime)
        return ToolRun(
            status: process.terminationStatus,
            signal: process.terminationReason == .uncaughtSignal ? process.terminationStatus : nil,
            output: String(decoding: text, as: UTF8.self), errors: String(decoding: error, as: UTF8.self))
    }
}

/// Whether something becomes true within 30 s.
func eventually(_ condition: () -> Bool) -> Bool {
    let deadline = ContinuousClock.now + .seconds(30)
    while !condition() {
        guard ContinuousClock.now < deadline else { return false }
        usleep(5000)
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
func builtProduct(_ name: String) throws -> URL {
    // The test bundle is mapped into this process.
    let maps = try String(contentsOfFile: "/proc/self/maps", encoding: .utf8)
    let line = try #require(maps.split(separator: "\n").first { $0.hasSuffix(".xctest") })
    let path = try #require(line.firstIndex(of: "/").map { line[$0...] })
    return URL(filePath: String(path)).deletingLastPathComponent().appending(path: name)
}
