import Agent
import Testing

@testable import ClusterManagers

@Suite("SSHFailure")
struct SSHFailureTests {
    private static let agent = SSHFailure.Step.agent(executable: "/home/ada/sim", isStaged: false)

    private func failure(
        _ step: SSHFailure.Step, _ program: RunningProgram.End, _ error: String, cause: CommandSession.Cause? = nil
    ) throws -> SSHFailure {
        let command = SSHCommand(host: try SSHHost("ada@node1:2222"), options: SSHOptions())
        return SSHFailure(
            step, command, CommandSession.End(cause: cause, program: program, output: "", error: error), limit: 60)
    }

    @Test("the text says what was run, where, how it ended, what it said, and what helps")
    func wholeText() throws {
        let error = try failure(
            SSHFailureTests.agent, .exited(status: 255), "ada@node1: Permission denied (publickey).\r\n")
        #expect(error.host == "ada@node1:2222" && error.status == 255)
        for part in [
            "could not start workers on ada@node1:2222", "it exited with 255",
            "ssh -T -p 2222 -l ada -o BatchMode=yes -o ConnectTimeout=45 -- node1 /home/ada/sim",
            "It said:\nada@node1: Permission denied (publickey).\nThe likely cure: `ssh -o BatchMode=yes -p 2222 ada@node1 true`",
        ] { #expect(error.description.contains(part), "\(error)") }
    }

    @Test(
        "what ssh, shells and the loader say leads to a cure",
        arguments: [
            (255, "Host key verification failed.", "accept its key"),
            (255, "ssh: connect to host node1 port 22: Connection refused", "no SSH server listens"),
            (255, "ssh: connect to host node1 port 22: Connection timed out", "firewall"),
            (255, "ssh: Could not resolve hostname node1: Name or service not known", "spelled"),
            (255, "Received disconnect from 10.0.0.7 port 22:2: Too many authentication failures", "IdentitiesOnly"),
            (255, "ssh: connect to host node1 port 22: No route to host", "ProxyJump"),
            (255, "kex_exchange_identification: read: Connection reset by peer", "maxParallel"),
            (255, "Error: remote port forwarding failed for listen port 9000", "AllowTcpForwarding"),
            (255, "something new", "ssh -v"),
            (126, "sh: 1: /home/ada/sim: Permission denied", "noexec"),
            (
                126, "bash: line 1: /home/ada/sim: cannot execute binary file: Exec format error",
                "another kind of machine"
            ),
            (127, "sh: 1: exec: /home/ada/sim: not found", "stage: true"),
            (
                127, "/home/ada/sim: error while loading shared libraries: libhwloc.so.15: cannot open",
                "--static-swift-stdlib"
            ),
            (1, "/home/ada/sim: /lib/libc.so.6: version `GLIBC_2.38' not found (required by sim)", "oldest"),
            (2, "sh: 1: cd: can't cd to /scratch", "directory"),
            (1, "bash: line 1: cd: /scratch: No such file or directory", "directory"),
            (1, "muster: can't join the driver: connection refused", "tunnel"),
            (1, "Ambiguous output redirect.", "shell: .csh"),
            (1, "'exec' is not recognized as an internal or external command,", "shell: .windowsCmd"),
            (137, "", "memory"),
            (0, "", "before its first withCluster"), (0, "", "executable has to be this program"),
            (1, "", "executable has to be this program, the same build, that reaches withCluster"),
            (
                1,
                "muster: can't join the driver: can't listen on 8.8.8.8: it is not an address of this host. There is none",
                "give an address of that host behind its name"
            ),
        ] as [(Int32, String, String)])
    func cures(status: Int32, said: String, cure: String) throws {
        let error = try failure(SSHFailureTests.agent, .exited(status: status), said)
        #expect(error.cure?.contains(cure) == true, "\(error)")
        #expect(error.description.contains(said.isEmpty ? "It said nothing." : said))
    }

    @Test("what a program there prints is not taken for ssh's own trouble")
    func programsWords() throws {
        let error = try failure(SSHFailureTests.agent, .exited(status: 1), "my database: Connection refused")
        #expect(error.cure == nil)
    }

    @Test("an end from here is told as such")
    func ended() throws {
        let late = try failure(SSHFailureTests.agent, .signalled(15), "", cause: .expired(seconds: 60))
        #expect(late.status == nil && late.description.contains("nothing moved for 60 s"))
        #expect(late.cure?.contains("startLimit") == true && late.cure?.contains("tunnel") == true)
    }

    @Test(
        "what the staging script says",
        arguments: [
            ("muster-stop machine aarch64", "machine of kind aarch64", "driver on a machine"),
            ("muster-stop owner /tmp/x y", "/tmp/x y there is not the user's own", "remove it"),
            ("muster-stop run /c", "can't be run from /c", "noexec"),
            ("muster-stop size 5 7", "damaged (size 5 7)", "try again"),
            ("muster-stop home", "no home directory", "XDG_CACHE_HOME"),
        ])
    func staging(line: String, problem: String, cure: String) throws {
        let reply = try #require(StagingScript.Reply(Array(line.utf8)))
        let error = try failure(.staging(reply, machine: "x86_64"), .exited(status: 3), "")
        #expect(error.description.contains(problem) && error.cure?.contains(cure) == true, "\(error)")
    }

    @Test(
        "lines that are none of the script's are passed over",
        arguments: ["", "muster-have", "muster-have ", "muster-want more", "muster-stop", " muster-want x", "hello"])
    func otherLines(line: String) {
        #expect(StagingScript.Reply(Array(line.utf8)) == nil)
    }
}

@Suite("SSHManager")
struct SSHManagerTests {
    private func shares(_ hosts: [String], _ usual: WorkerCount = .automatic) throws -> [String] {
        try SSHManager.shares(of: hosts.map { try SSHHost($0) }, usual).map { share in
            "\(share.host) \(share.workers.map(String.init) ?? "automatic")"
        }
    }

    @Test("a host that is named more than once gets one agent, and all its workers")
    func merging() throws {
        #expect(try shares(["2*a", "b", "3*a", "c@a"], 4) == ["a 5", "b 4", "c@a 4"])
        #expect(try shares(["a", "2*b"]) == ["a automatic", "b 2"])
        #expect(try shares(["a", "a"], 3) == ["a 6"])
        #expect(try shares(["a:22", "a"], 1) == ["a:22 1", "a 1"])
    }

    @Test("what can't be had is refused")
    func refusals() {
        #expect(throws: LaunchError.self) { try shares([]) }
        #expect(throws: LaunchError.self) { try shares(["a", "a"]) }
        #expect(throws: LaunchError.self) { try shares(["a", "2*a"]) }
        #expect(throws: LaunchError.self) { try shares(["a"], 0) }
        #expect(throws: LaunchError.self) { try shares(["a"], .count(-1)) }
    }
}
