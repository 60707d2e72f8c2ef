import Agent
import Foundation
import Testing
import Transport

@testable import ClusterManagers

@Suite("OpenSSH's client and server")
struct SSHTests {
    private func command(_ host: String, _ sshd: Sshd, _ options: SSHOptions = SSHOptions()) throws -> SSHCommand {
        var options = options
        options.sshFlags = sshd.flags
        return SSHCommand(host: try SSHHost(host), options: options)
    }

    @Test("words, variables and the input arrive, through posix and csh", arguments: ["", "/bin/tcsh", "/bin/bsd-csh"])
    func arrive(login: String) async throws {
        if !login.isEmpty, !FileManager.default.isExecutableFile(atPath: login) { return skip("no \(login)") }
        let lines = login.isEmpty ? "LogLevel INFO" : "ForceCommand \(login) -c \"$SSH_ORIGINAL_COMMAND\""
        guard let sshd = try await Sshd(lines) else { return }
        var remote = RemoteCommand(executable: Array("/bin/sh".utf8))
        remote.environment = [.init("GREETING", "it's\n100% \\!")]
        remote.arguments = ["-c", "printf '%s|' \"$GREETING\" \"$1\"; cat <&3", "me", "a 'b' \"c\" \\ !! $HOME"].map {
            Array($0.utf8)
        }
        let shell = login.isEmpty ? RemoteShell.posix : .csh
        let words = try command("node1", sshd).words(running: shell.commandLine(for: remote))
        let got = try await run(words, input: Array("secret".utf8))
        #expect(got.text == "it's\n100% \\!|a 'b' \"c\" \\ !! $HOME|secret", "\(got.end)\n\(sshd.log)")
    }

    @Test("the program is brought, and found the next time", arguments: ["", "/bin/tcsh"])
    func staging(login: String) async throws {
        if !login.isEmpty, !FileManager.default.isExecutableFile(atPath: login) { return skip("no \(login)") }
        let lines = login.isEmpty ? "LogLevel INFO" : "ForceCommand \(login) -c \"$SSH_ORIGINAL_COMMAND\""
        guard let sshd = try await Sshd(lines) else { return }
        let program = try ProgramFile.own.get()
        let staging = Staging(
            command: try command("node1", sshd), shell: login.isEmpty ? .posix : .csh, program: program, limit: 60)
        let path = String(decoding: try await staging.run(), as: UTF8.self)
        #expect(path == "\(sshd.directory.path)/cache/muster/\(program.buildID)/\(program.name)")
        let staged = try await run(["cksum", path])
        #expect(staged.text.hasPrefix("\(program.checksum) \(program.byteCount) "))
        #expect(String(decoding: try await staging.run(), as: UTF8.self) == path)
    }

    @Test("a tunnel's port is told, also over a connection that is shared", arguments: [false, true])
    func tunnel(isShared: Bool) async throws {
        guard let sshd = try await Sshd() else { return }
        var options = SSHOptions()
        options.sshFlags = sshd.flags
        let control = isShared ? "\(sshd.directory.path)/%C" : nil
        for _ in 0..<(isShared ? 2 : 1) {
            let tunnelled = SSHCommand(
                host: try SSHHost("node1"), options: options, controlPath: control, tunnelTo: 5000)
            let port = Eventual<Int?>()
            let session = try await CommandSession.start(tunnelled.words(running: Array("cat".utf8))) { source, line in
                if let number = AllocatedPort.port(in: String(decoding: line, as: UTF8.self), to: 5000),
                    source == .error
                {
                    port.fulfil(number)
                }
            }
            session.expire(after: 30)
            session.whenEnded { _ in port.fulfil(nil) }
            #expect(await port.get() != nil)
            session.finishInput()
            let end = await session.end()
            #expect(end.program == .exited(status: 0), "\(end) \(sshd.log)")
        }
        guard let control else { return }
        let left = try await run(
            ["ssh"] + sshd.flags + ["-o", "ControlPath=\(control)", "-O", "exit", "node1"])
        #expect(left.end.program == .exited(status: 0), "the connection was kept: \(left.end)")
    }

    @Test(
        "what goes wrong is explained",
        arguments: [
            ("badkey", "Permission denied", "ssh-copy-id"), ("stranger", "Host key verification failed", "accept"),
            ("changed", "IDENTIFICATION HAS CHANGED", "ssh-keygen -R"),
            ("refused", "Connection refused", "no SSH server listens"),
            ("unknown.invalid", "Could not resolve hostname", "spelled"),
        ])
    func failures(host: String, said: String, cure: String) async throws {
        guard let sshd = try await Sshd() else { return }
        let staging = Staging(
            command: try command(host, sshd), shell: .posix, program: try ProgramFile.own.get(), limit: 60)
        let error = try #require(await #expect(throws: SSHFailure.self) { try await staging.run() })
        #expect(error.host == host && error.status == 255)
        #expect(error.description.contains(said) && error.cure?.contains(cure) == true, "\(error)")
        #expect(error.description.contains("ssh -T -F \(sshd.directory.path)"), "\(error)")
    }

    @Test("a server that forbids tunnels is named")
    func forbiddenTunnel() async throws {
        guard let sshd = try await Sshd("AllowTcpForwarding no") else { return }
        var options = SSHOptions()
        options.sshFlags = sshd.flags
        let tunnelled = SSHCommand(host: try SSHHost("node1"), options: options, tunnelTo: 5000)
        let got = try await run(tunnelled.words(running: Array("true".utf8)))
        let failure = SSHFailure(.agent(executable: "/x", isStaged: true), tunnelled, got.end, limit: 60)
        #expect(failure.status == 255 && failure.cure?.contains("AllowTcpForwarding") == true, "\(failure)")
    }
}
