import Foundation
import Testing

/// What a run of the built tool left behind.
struct ToolRun {
    let status: Int32
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
func muster(_ arguments: String..., environment: [String: String] = [:]) throws -> ToolRun {
    try muster(arguments, environment: environment)
}

/// Runs the `muster` that was built beside these tests, and waits for its end.
func muster(_ arguments: [String], environment: [String: String] = [:]) throws -> ToolRun {
    let process = Process()
    process.executableURL = try #require(builtProducts).appending(path: "muster")
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    // Errors are a line at most: they fit the pipe while the output is read.
    let text = output.fileHandleForReading.readDataToEndOfFile()
    let error = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return ToolRun(
        status: process.terminationStatus, output: String(decoding: text, as: UTF8.self),
        errors: String(decoding: error, as: UTF8.self))
}

/// The directory of the test bundle, which is mapped into this process, and of the tool beside it.
private var builtProducts: URL? {
    guard let maps = try? String(contentsOfFile: "/proc/self/maps", encoding: .utf8) else { return nil }
    let bundle = maps.split(separator: "\n").first { $0.hasSuffix(".xctest") }?.firstIndex(of: "/").map { start in
        maps[start...].prefix { $0 != "\n" }
    }
    return bundle.map { URL(filePath: String($0)).deletingLastPathComponent() }
}
