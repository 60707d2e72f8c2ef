import Foundation
import Testing

/// `Tools/install-packages` on machines that lack something, played by programs of ours in its PATH.
@Suite("the set-up", .serialized)
struct SetupTests {
    private let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Tools/install-packages")

    private func run(_ programs: [String: String], path: String) async throws -> ToolRun {
        let directory = FileManager.default.temporaryDirectory.appending(path: "muster-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        for (name, text) in programs {
            let file = directory.appending(path: name)
            try Data("#!/bin/sh\n\(text)\n".utf8).write(to: file)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path)
        }
        let environment = ["PATH": "\(directory.path)\(path)"]
        return try await RunningTool([script.path], of: URL(filePath: "/bin/bash"), environment: environment).end()
    }

    @Test("nothing is said where nothing is missing")
    func complete() async throws {
        let run = try await run(["swift": "", "pkg-config": "", "apt-get": "echo unasked"], path: "")
        #expect(run.status == 0 && run.output.isEmpty && run.errors.isEmpty)
    }

    @Test("missing packages are named and installed")
    func missing() async throws {
        var programs = [
            "swift": "", "pkg-config": "test $2 != numa", "sudo": #"[ "$1" = -n ] && shift; exec "$@""#, "apt-get": "",
        ]
        let success = try await run(programs, path: ":/usr/bin:/bin")
        #expect(success.status == 0 && success.errors == "install-packages: installing libnuma-dev\n")
        programs["apt-get"] = #"echo "apt-get $*"; exit 5"#
        let failure = try await run(programs, path: ":/usr/bin:/bin")
        #expect(failure.status == 1, "and what apt-get said is shown")
        #expect(failure.errors.contains("apt-get update\napt-get install -y --no-install-recommends libnuma-dev\n"))
    }

    @Test("a machine without Swift is told where to get it")
    func noSwift() async throws {
        let run = try await run(["pkg-config": ""], path: "")
        #expect(run.status == 1 && run.errors.contains("https://www.swift.org/install/linux/"))
    }
}
