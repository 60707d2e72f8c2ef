import Foundation
import Testing

/// `Tools/install-packages` and `Tools/numa-vm` on machines that lack something, played by programs of ours in its PATH.
@Suite("the set-up", .serialized)
struct SetupTests {
    private let scripts = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Tools")

    private func run(
        _ programs: [String: String], _ arguments: String..., path: String, of script: String = "install-packages"
    ) async throws -> ToolRun {
        let directory = FileManager.default.temporaryDirectory.appending(path: "muster-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        for (name, text) in programs {
            let file = directory.appending(path: name)
            try Data("#!/bin/sh\n\(text)\n".utf8).write(to: file)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path)
        }
        let environment = ["PATH": "\(directory.path)\(path)", "XDG_CACHE_HOME": directory.path]
        let words = [scripts.appending(path: script).path] + arguments
        return try await RunningTool(words, of: URL(filePath: "/bin/bash"), environment: environment).end()
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

    @Test("packages that are named are installed, and no others")
    func named() async throws {
        let programs = ["sudo": #"[ "$1" = -n ] && shift; exec "$@""#, "apt-get": #"echo "apt-get $*"; exit 5"#]
        let run = try await run(programs, "cpio", "seabios", path: ":/usr/bin:/bin")
        #expect(run.status == 1, "as apt-get fails here")
        #expect(run.errors.contains("apt-get update\napt-get install -y --no-install-recommends cpio seabios\n"))
    }

    @Test("without qemu or its kernel the NUMA machines are skipped aloud, and what could not be had is said")
    func noMachines() async throws {
        let skipped = try await run([:], path: ":/usr/bin:/bin", of: "numa-vm")
        #expect(skipped.status == 0 && skipped.output.hasPrefix("skipped: "), "\(skipped)")
        let programs = [
            "sudo": #"[ "$1" = -n ] && shift; exec "$@""#, "apt-get": #"echo "apt-get $*"; exit 5"#,
            "apt-cache": "echo '  Depends: linux-image-6.1.0-1-cloud-amd64'",
        ]
        let failed = try await run(programs, "--install", path: ":/usr/bin:/bin", of: "numa-vm")
        #expect(failed.status == 1 && failed.errors.contains("could not"), "\(failed)")
    }

    @Test("a machine without Swift is told where to get it")
    func noSwift() async throws {
        let run = try await run(["pkg-config": ""], path: "")
        #expect(run.status == 1 && run.errors.contains("https://www.swift.org/install/linux/"))
    }
}
