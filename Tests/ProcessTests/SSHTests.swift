import Foundation
import Testing

/// Workers over a real ssh and sshd; see Tests/Sshd.
@Suite("Workers over SSH", .serialized)
struct SSHTests {
    /// A directory with keys and configurations; nothing of it is left when this is gone.
    final class Sshd {
        let directory = URL(filePath: "/tmp/sshd-\(UInt32.random(in: 0...UInt32.max))")
        var config: String { directory.appending(path: "ssh_config").path }
        static let scripts = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Sshd")

        /// - Returns: `nil` where there is no sshd, which is said.
        init?(_ lines: String...) async throws {
            let maker = try Driver(
                [directory.path] + lines, executable: Sshd.scripts.appending(path: "make"))
            let run = try await maker.end()
            if run.status == 77 {
                print("skipped: no sshd")
                return nil
            }
            try #require(run.status == 0, "\(run)")
        }

        deinit { try? FileManager.default.removeItem(at: directory) }
    }

    private func squares(_ run: DriverRun) -> Bool {
        run.value("squares") == "[1, 4, 9, 16, 25, 36, 49, 64, 81, 100]" && run.status == 0
    }

    @Test("several hosts, several workers each, with the driver's arguments and the host's variables")
    func several() async throws {
        guard let sshd = try await Sshd() else { return }
        let run = try await drive("ssh", sshd.config, "loopback", "1*node1", "1*node2")
        #expect(squares(run) && run.value("workers") == "2" && run.leftovers == [], "\(run)")
        #expect(
            run.value("greeting") == "it's 100% \\!" && run.value("arguments") == "loopback|1*node1|1*node2", "\(run)")
        #expect(!run.output.contains("before the first withCluster\nbefore"), "\(run)")
    }

    @Test("they have the directory and the further arguments that are given for them")
    func options() async throws {
        guard let sshd = try await Sshd() else { return }
        let run = try await drive("ssh", sshd.config, "loopback,options", "1*node1")
        #expect(squares(run) && run.value("directory") == "/usr", "\(run)")
        #expect(run.value("arguments") == "loopback,options|1*node1|--colour|äöü", "\(run)")
    }

    @Test("no more hosts are started on at a time than told")
    func oneAtATime() async throws {
        guard let sshd = try await Sshd() else { return }
        // A client that notes the host of each of its runs: there are several for a host.
        let client = sshd.directory.appending(path: "noting")
        let notes = sshd.directory.appending(path: "notes")
        let script = """
            #!/bin/sh
            for word; do case $word in node[12]) echo "$word" >>'\(notes.path)';; esac; done
            exec ssh "$@"

            """
        try Data(script.utf8).write(to: client)
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: client.path)
        let run = try await drive("ssh", sshd.config, "loopback,one,command=\(client.path)", "1*node1", "1*node2")
        #expect(squares(run) && run.value("workers") == "2", "\(run)")
        let hosts = try String(contentsOf: notes, encoding: .utf8).split(separator: "\n")
        #expect(hosts.count > 2 && hosts == hosts.sorted(), "\(hosts)")
    }

    @Test("as many as the host has cores, pinned to one each, unless told")
    func automatic() async throws {
        guard let sshd = try await Sshd() else { return }
        let run = try await drive("ssh", sshd.config, "loopback", "node1")
        #expect(squares(run) && run.leftovers == [], "\(run)")
        let local = try await drive("default-count")
        // Workers are one for each core here, and one for each CPU there, which are the same without SMT.
        #expect(local.value("workers")?.hasPrefix(run.value("workers") ?? "none") == true, "\(run) \(local)")
        let cpus = run.value("cpus") ?? ""
        #expect(Set(cpus.split(separator: ",")).count == Int(run.value("workers") ?? ""), "\(run)")
    }

    @Test(
        "through a tunnel, over a shared connection, and with csh there",
        arguments: ["tunnel", "multiplex", "tunnel,multiplex", "csh"])
    func ways(choices: String) async throws {
        let tcsh = "/bin/tcsh"
        if choices == "csh", !FileManager.default.isExecutableFile(atPath: tcsh) { return print("skipped: no tcsh") }
        let line = choices == "csh" ? "ForceCommand \(tcsh) -c \"$SSH_ORIGINAL_COMMAND\"" : "LogLevel INFO"
        guard let sshd = try await Sshd(line) else { return }
        let reach = choices.contains("tunnel") ? "" : ",loopback"
        let run = try await drive(
            "ssh", sshd.config, choices + reach, "2*node1", environment: ["XDG_RUNTIME_DIR": sshd.directory.path])
        #expect(squares(run) && run.value("workers") == "2", "\(run)")
        guard choices.contains("multiplex") else {
            #expect(run.leftovers == [], "\(run)")
            return
        }
        // It stays for a minute, with the sshd behind it.
        let path = "\(sshd.directory.path)/muster/%C"
        let exit = try Driver(
            ["-F", sshd.config, "-o", "ControlPath=\(path)", "-O", "exit", "node1"],
            executable: URL(filePath: "/usr/bin/ssh"))
        let exited = try await exit.end()
        #expect(exited.status == 0, "the connection was kept: \(exited)")
    }

    @Test("no command line, environment, output or file has the key", arguments: ["loopback", "tunnel"])
    func keyIsNowhere(choices: String) async throws {
        guard let sshd = try await Sshd() else { return }
        // A client that keeps what it is given for the host, for this test alone.
        let directory = sshd.directory.appending(path: "watched")
        try FileManager.default.createDirectory(
            at: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let client = directory.appending(path: "ssh")
        let kept = directory.appending(path: "kept")
        let script = "#!/bin/sh\ntee '\(kept.path)'.$$ | ssh \"$@\"\n"
        try Data(script.utf8).write(to: client)
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: client.path)
        let driver = try Driver(["ssh-wait", sshd.config, "\(choices),command=\(client.path)", "2*node1"])
        try await driver.line(startingWith: "ready")
        // Of the two runs of the client one brings the program, the other one the secret.
        let texts = try FileManager.default.contentsOfDirectory(atPath: directory.path).filter { $0 != "ssh" }
            .compactMap { try? String(contentsOf: directory.appending(path: $0), encoding: .utf8) }
        let secret = try #require(texts.first { $0.hasPrefix("muster-join") })
        let digits = try #require(secret.split(separator: "\n").first { $0.hasPrefix("key ") }?.dropFirst(4))
        let bytes = Data(stride(from: 0, to: 64, by: 2).compactMap { UInt8(digits.dropFirst($0).prefix(2), radix: 16) })
        #expect(digits.count == 64 && bytes.count == 32)
        func expectNone(_ data: Data?, _ place: String) {
            guard let data else { return }
            #expect(data.range(of: Data(digits.utf8)) == nil && data.range(of: bytes) == nil, "\(place) has the key")
        }
        var looked = 0
        for name in try FileManager.default.contentsOfDirectory(atPath: "/proc") where Int(name) != nil {
            for part in ["cmdline", "environ"] {
                let data = try? Data(contentsOf: URL(filePath: "/proc/\(name)/\(part)"))
                if data != nil { looked += 1 }
                expectNone(data, "/proc/\(name)/\(part)")
            }
        }
        #expect(looked >= 8)
        for (name, data) in driver.files() { expectNone(data, name) }
        for name in try FileManager.default.subpathsOfDirectory(atPath: sshd.directory.path)
        where !name.hasPrefix("watched/") {
            expectNone(try? Data(contentsOf: sshd.directory.appending(path: name)), name)
        }
        driver.signal(SIGINT)
        #expect(try await driver.end().leftovers == [])
    }

    @Test("when the driver is killed, its agents and workers end")
    func killed() async throws {
        guard let sshd = try await Sshd() else { return }
        let driver = try Driver(["ssh-wait", sshd.config, "loopback", "2*node1"])
        try await driver.line(startingWith: "ready")
        driver.signal(SIGKILL)
        let run = try await driver.end()
        #expect(run.signal == SIGKILL && run.leftovers == [], "\(run)")
    }

    @Test("an interrupt ends everything")
    func interrupted() async throws {
        guard let sshd = try await Sshd() else { return }
        let driver = try Driver(["ssh-wait", sshd.config, "tunnel", "2*node1"])
        try await driver.line(startingWith: "ready")
        driver.signal(SIGINT)
        let run = try await driver.end()
        #expect(run.signal == SIGINT && run.leftovers == [], "\(run)")
    }

    @Test(
        "a launch that fails says what was run, what it said, and what helps",
        arguments: [
            ("loopback", "badkey", "Permission denied", "ssh-copy-id"),
            ("loopback", "refused", "Connection refused", "no SSH server"),
            ("loopback,nowhere", "node1", "/nowhere/at all", "give a directory"),
            ("loopback,elsewhere", "node1", "/nowhere/program", "executable"),
            ("loopback,false", "node1", "exited with 1", "executable has to be this program"),
            ("loopback", "no de x", "no host", "[user@]host[:port]"),
        ])
    func failures(choices: String, host: String, said: String, cure: String) async throws {
        guard let sshd = try await Sshd() else { return }
        let run = try await drive("ssh-failure", sshd.config, choices, host)
        #expect(run.output.contains(said) && run.output.contains(cure), "\(run)")
        #expect(run.status == 0 && run.leftovers == [], "\(run)")
    }

    @Test("a user other than root")
    func otherUser() async throws {
        guard geteuid() == 0, FileManager.default.isExecutableFile(atPath: "/usr/bin/setpriv") else {
            return print("skipped: another user (needs root and setpriv)")
        }
        let become = "HOME=/ setpriv --reuid 65534 --regid 65534 --clear-groups sh -c \"$SSH_ORIGINAL_COMMAND\""
        guard let sshd = try await Sshd("ForceCommand \(become)") else { return }
        for (path, mode) in [("", 0o755), ("cache", 0o777)] {
            try FileManager.default.setAttributes(
                [.posixPermissions: mode], ofItemAtPath: sshd.directory.appending(path: path).path)
        }
        let run = try await drive("ssh", sshd.config, "loopback", "2*node1")
        #expect(squares(run) && run.value("workers") == "2" && run.leftovers == [], "\(run)")
    }

    @Test("a host that fails ends the launch on all")
    func oneFails() async throws {
        guard let sshd = try await Sshd() else { return }
        let run = try await drive("ssh-failure", sshd.config, "loopback", "1*node1", "1*node2", "badkey", "1*node3")
        #expect(run.output.contains("Permission denied") && !run.output.contains("no error"), "\(run)")
        #expect(run.status == 0 && run.leftovers == [], "\(run)")
    }

    @Test("agents listen where they are told, and the driver dials them")
    func listening() async throws {
        guard let sshd = try await Sshd() else { return }
        let run = try await drive("ssh", sshd.config, "", "1*node1 127.0.0.1", "2*node2 127.0.0.1")
        #expect(squares(run) && run.value("workers") == "3" && run.leftovers == [], "\(run)")
    }

    @Test("an address that the host does not have is an error of the agent's")
    func listeningNowhere() async throws {
        guard let sshd = try await Sshd() else { return }
        let run = try await drive("ssh-failure", sshd.config, "", "node1 192.0.2.1")
        #expect(run.output.contains("can't listen on 192.0.2.1"), "\(run)")
        #expect(run.output.contains("give an address of that host behind its name"), "\(run)")
        #expect(run.status == 0 && run.leftovers == [], "\(run)")
    }

    @Test(
        "two hosts on a network of their own",
        arguments: [
            ("", ["2*node-a", "1*node-b"]), ("tunnel", ["2*node-a", "1*node-b"]),
            ("", ["2*node-a 10.77.0.2", "1*node-b 10.77.0.3:9400"]),
        ])
    func twoHosts(choices: String, names: [String]) async throws {
        guard let sshd = try await Sshd(), let program = builtProducts?.appending(path: "muster-test-program") else {
            return
        }
        let hosts = try Driver(
            [sshd.directory.path, program.path, "ssh", sshd.config, choices] + names, limit: 90,
            executable: Sshd.scripts.appending(path: "two-hosts"))
        let run = try await hosts.end()
        if run.status == 77 { return print(run.errors) }
        #expect(squares(run) && run.value("workers") == "3" && run.leftovers == [], "\(run)")
        #expect(run.value("hosts") == "node-a,node-a,node-b", "\(run)")
    }
}
