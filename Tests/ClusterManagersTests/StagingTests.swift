import Agent
import Foundation
import Testing

@testable import ClusterManagers

/// The staging script as a host's sh runs it, without SSH between.
@Suite("Staging")
struct StagingTests {
    /// A host that is a directory: `ssh` is a script that runs its last argument.
    final class Host {
        let directory: URL
        let program: ProgramFile
        var cache: URL { directory.appending(path: "cache") }
        var staged: URL { cache.appending(path: "muster/0123ab/sim it") }
        var ssh: URL { directory.appending(path: "ssh") }

        /// - Parameter setUp: Runs before the command; `$CACHE` is the host's cache directory.
        init(_ setUp: String = "", machine: String = ProgramFile.ownMachine, byteCount: Int = 700_001) throws {
            directory = FileManager.default.temporaryDirectory.appending(path: "staging-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
            let bytes = Data((0..<byteCount).map { UInt8(truncatingIfNeeded: $0 &* 7 >> 2) })
            let file = directory.appending(path: "sim it")
            try bytes.write(to: file)
            program = try ProgramFile(file.path, called: file.path, buildID: "0123ab", machine: machine)
            let script = """
                #!/bin/sh
                for last; do :; done
                CACHE='\(directory.path)/cache'
                export XDG_CACHE_HOME="$CACHE"
                export LAST="$last"
                \(setUp)
                exec sh -c "$last"
                """
            try Data(script.utf8).write(to: directory.appending(path: "ssh"))
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o755], ofItemAtPath: directory.appending(path: "ssh").path)
        }

        deinit { try? FileManager.default.removeItem(at: directory) }

        func staging(limit: Double = 30) throws -> Staging {
            Staging(
                command: SSHCommand(host: try SSHHost("node1"), options: SSHOptions(sshCommand: ssh.path)),
                shell: .posix,
                program: program, limit: limit)
        }

        func stage() async throws -> String { String(decoding: try await staging().run(), as: UTF8.self) }

        var leftovers: [String] {
            ((try? FileManager.default.contentsOfDirectory(atPath: staged.deletingLastPathComponent().path)) ?? [])
                .filter { $0 != staged.lastPathComponent }
        }
    }

    private func mode(_ url: URL) throws -> Int {
        try #require(FileManager.default.attributesOfItem(atPath: url.path)[.posixPermissions] as? Int)
    }

    @Test("what is not there is brought, whole and for its user alone; what is there is used")
    func brings() async throws {
        let host = try Host()
        #expect(try await host.stage() == host.staged.path)
        let sent = try Data(contentsOf: host.directory.appending(path: "sim it"))
        #expect(try Data(contentsOf: host.staged) == sent)
        #expect(try mode(host.staged) == 0o700 && mode(host.staged.deletingLastPathComponent()) == 0o700)
        let date = try FileManager.default.attributesOfItem(atPath: host.staged.path)[.systemFileNumber] as? Int
        #expect(try await host.stage() == host.staged.path)
        #expect(try FileManager.default.attributesOfItem(atPath: host.staged.path)[.systemFileNumber] as? Int == date)
        #expect(host.leftovers == [])
    }

    @Test("one that was cut short is brought anew")
    func cutShort() async throws {
        let host = try Host()
        _ = try await host.stage()
        let handle = try FileHandle(forWritingTo: host.staged)
        try handle.truncate(atOffset: 5)
        try handle.close()
        _ = try await host.stage()
        #expect(try Data(contentsOf: host.staged).count == host.program.byteCount)
    }

    @Test("many at the same time all have it in the end")
    func together() async throws {
        let host = try Host(byteCount: 3_000_000)
        let staging = try host.staging()
        try await withThrowingTaskGroup { group in
            for _ in 0..<8 { group.addTask { try await staging.run() } }
            for try await path in group { #expect(String(decoding: path, as: UTF8.self) == host.staged.path) }
        }
        #expect(host.leftovers == [] && host.staged.path.isEmpty == false)
        let sent = try Data(contentsOf: host.directory.appending(path: "sim it"))
        #expect(try Data(contentsOf: host.staged) == sent)
    }

    @Test("what login scripts print does no harm")
    func noise() async throws {
        let host = try Host("echo 'Welcome! muster-want is no word here'; printf 'no line end'; echo warning >&2")
        #expect(try await host.stage() == host.staged.path)
    }

    /// What is thrown by a host of this kind.
    private func failure(_ setUp: String, machine: String = ProgramFile.ownMachine) async throws -> SSHFailure? {
        let host = try Host(setUp, machine: machine)
        let error = await #expect(throws: SSHFailure.self) { try await host.stage() }
        #expect(host.leftovers == [])
        return error
    }

    @Test("another kind of machine is told")
    func machine() async throws {
        let error = try await failure("", machine: "vax")
        #expect(error?.description.contains("machine of kind \(ProgramFile.ownMachine)") == true)
        #expect(error?.description.contains("node1") == true && error?.status == 3)
    }

    @Test("a host without a home directory is told")
    func homeless() async throws {
        let error = try await failure("unset HOME XDG_CACHE_HOME")
        #expect(error?.description.contains("HOME is not set") == true)
    }

    @Test("a file in the directory's place is told")
    func fileInPlace() async throws {
        let error = try await failure("mkdir -p \"$CACHE\"; : >\"$CACHE/muster\"")
        #expect(error?.description.contains("nothing can be written to") == true, "\(String(describing: error))")
    }

    @Test("a directory that is somebody else's is told")
    func foreign() async throws {
        guard geteuid() == 0 else { return skip("another user's directory: needs root") }
        let error = try await failure("mkdir -p \"$CACHE/muster\"; chown 65534 \"$CACHE/muster\"")
        #expect(error?.description.contains("not the user's own") == true, "\(String(describing: error))")
    }

    @Test(
        "a file system that can't hold it is told",
        arguments: [
            ("size=400k", "No space left on device", "make room"), ("ro", "Read-only file system", "XDG_CACHE_HOME"),
            ("noexec", "can't be run", "noexec"),
        ])
    func fileSystem(option: String, said: String, cure: String) async throws {
        let isPossible = try await run(["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]).end.program
        guard isPossible == .exited(status: 0) else { return skip("file systems of one's own: not allowed here") }
        let error = try await failure(
            """
            mkdir -p "$CACHE"
            exec unshare -m sh -c 'mount -t tmpfs -o \(option) tmpfs "$XDG_CACHE_HOME" && exec sh -c "$LAST"'
            """)
        #expect(
            error?.description.contains(said) == true && error?.cure?.contains(cure) == true,
            "\(String(describing: error))")
    }

    @Test("a connection that ends in the middle leaves nothing, and is told")
    func cutConnection() async throws {
        let error = try await failure("exec sh -c 'head -c 100000 | sh -c \"$LAST\"'")
        #expect(error?.description.contains("damaged") == true, "\(String(describing: error))")
    }

    @Test("a host that says nothing is given up")
    func silent() async throws {
        let host = try Host("exec sleep 1000")
        let error = await #expect(throws: SSHFailure.self) { try await host.staging(limit: 0.3).run() }
        #expect(error?.description.contains("nothing moved for") == true && error?.cure?.contains("startLimit") == true)
    }

    @Test("a host whose shell does not run it is told")
    func otherShell() async throws {
        let error = try await failure("exit 0")
        #expect(error?.cure?.contains("shell") == true)
        let ambiguous = try await failure("echo 'Ambiguous output redirect.' >&2; exit 1")
        #expect(ambiguous?.cure?.contains(".csh") == true)
    }

    @Test("cancelling the task ends it")
    func cancellation() async throws {
        let host = try Host("exec sleep 1000")
        let staging = try host.staging()
        let task = Task { try await staging.run() }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test("the checksum is that of cksum", arguments: [0, 1, 2, 255, 256, 100_000])
    func checksum(byteCount: Int) async throws {
        let bytes = (0..<byteCount).map { UInt8(truncatingIfNeeded: $0 &* 13 >> 1) }
        var sum = Checksum()
        sum.add(bytes[..<(byteCount / 3)])
        sum.add(bytes[(byteCount / 3)...])
        let got = try await run(["cksum"], input: bytes)
        #expect(got.text == "\(sum.value) \(byteCount)")
    }

    @Test("this process's own file")
    func own() throws {
        let own = try ProgramFile.own.get()
        #expect(own.path.hasPrefix("/") && !own.name.contains("/") && own.byteCount > 1000 && !own.buildID.isEmpty)
        #expect(try ProgramFile.own.get() === own)
    }
}
