import Foundation
import Testing

@Suite("README.md", .serialized)
struct ReadmeTests {
    private let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    @Test("its program is the one that is compiled, and prints what it says")
    func example() async throws {
        let readme = try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
        let program = try String(contentsOf: root.appending(path: "Tests/Example/Example.swift"), encoding: .utf8)
        #expect(readme.contains("```swift\n\(program)```\n"))
        let run = try await RunningTool([], of: builtProduct("muster-example")).end()
        #expect(run.status == 0)
        let output = run.output.replacing(/worker \d+/, with: "worker 2")
        #expect(readme.contains("```\n\(output)```\n"))
    }
}
