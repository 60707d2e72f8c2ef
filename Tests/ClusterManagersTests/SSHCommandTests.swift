import Agent
import Foundation
import Testing

@testable import ClusterManagers

@Suite("SSHCommand")
struct SSHCommandTests {
    @Test("the host's port and user, the user's flags, then what a background process needs")
    func order() throws {
        var options = SSHOptions(sshFlags: ["-i", "key"], startLimit: .seconds(40))
        options.sshCommand = "/opt/ssh"
        let command = SSHCommand(host: try SSHHost("ada@[fd00::7]:2222"), options: options)
        #expect(
            command.arguments == [
                "-T", "-p", "2222", "-l", "ada", "-i", "key", "-o", "BatchMode=yes", "-o", "ConnectTimeout=30", "--",
                "fd00::7",
            ])
        #expect(
            try command.words(running: Array("true".utf8)).map { String(decoding: $0, as: UTF8.self) }
                == ["/opt/ssh"] + command.arguments + ["true"])
        #expect(command.description.hasPrefix("/opt/ssh -T -p 2222 -l ada -i key -o BatchMode=yes"))
    }

    @Test("a tunnel ends at the loopback interface and a free port, or where the host says")
    func tunnel() throws {
        let free = SSHCommand(host: try SSHHost("node1"), options: SSHOptions(), tunnelTo: 5000)
        #expect(free.arguments.contains("127.0.0.1:0:127.0.0.1:5000") && free.arguments.contains("LogLevel=VERBOSE"))
        #expect(free.arguments.contains("ExitOnForwardFailure=yes"))
        let bound = SSHCommand(host: try SSHHost("node1 [::1]:9000"), options: SSHOptions(), tunnelTo: 5000)
        #expect(bound.arguments.contains("[::1]:9000:127.0.0.1:5000"))
    }

    @Test("a shared connection")
    func sharing() throws {
        let command = SSHCommand(host: try SSHHost("node1"), options: SSHOptions(), controlPath: "/run/x/%C")
        for word in ["ControlMaster=auto", "ControlPath=/run/x/%C", "ControlPersist=60"] {
            #expect(command.arguments.contains(word))
        }
    }

    @Test("a line that Linux would not take is refused before")
    func longLine() throws {
        let command = SSHCommand(host: try SSHHost("node1"), options: SSHOptions())
        let longest = [UInt8](repeating: 65, count: SSHCommand.mostBytes - 1)
        #expect(try command.words(running: longest).last == longest)
        #expect(throws: LaunchError.self) { try command.words(running: longest + [65]) }
    }

    @Test(
        "the variable for the start limit",
        arguments: [
            (nil, 60), ("", 60), ("90", 90), ("0.5", 0.5), ("0", 60), ("-3", 60), ("nan", 60), ("inf", 60), ("1e9", 60),
            ("x", 60),
        ] as [(String?, Double)])
    func startLimit(text: String?, seconds: Double) {
        #expect(SSHOptions.startLimit(fromVariable: text) == .seconds(seconds))
    }

    @Test(
        "the tunnel's port in what ssh says",
        arguments: [
            ("Allocated port 43121 for remote forward to 127.0.0.1:5000", 43121),
            ("Allocated port 43121 for remote forward to 127.0.0.1:5000\r", 43121),
            ("Allocated port 43121 for remote forward to 127.0.0.1:6000", nil),
            ("Allocated port 0 for remote forward to 127.0.0.1:5000", nil),
            ("Allocated port 70000 for remote forward to 127.0.0.1:5000", nil),
            ("Allocated port -5 for remote forward to 127.0.0.1:5000", nil),
            ("Allocated port 5 for remote forward to", nil),
            ("debug1: Allocated port 5 for remote forward to 127.0.0.1:5000", nil),
            ("", nil),
        ] as [(String, Int?)])
    func allocatedPort(line: String, port: Int?) {
        #expect(AllocatedPort.port(in: line, to: 5000) == port)
    }
}

@Suite("ControlDirectory")
struct ControlDirectoryTests {
    @Test("in the user's own runtime directory if that is short enough for a socket's path")
    func path() {
        #expect(ControlDirectory.path("/run/user/7/muster", user: 7) == "/run/user/7/muster")
        #expect(ControlDirectory.path("/" + String(repeating: "x", count: 60), user: 7) == "/tmp/muster-7")
    }

    @Test("it is made, used again, and refused when others can enter it")
    func making() throws {
        let base = URL(filePath: "/tmp/m\(UInt32.random(in: 0...UInt32.max))")
        try FileManager.default.createDirectory(at: base, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: base) }
        let path = try ControlDirectory.controlPath(in: "\(base.path)/muster")
        #expect(path == "\(base.path)/muster/%C")
        #expect(try ControlDirectory.controlPath(in: "\(base.path)/muster") == path)
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o755], ofItemAtPath: "\(base.path)/muster")
        #expect(throws: LaunchError.self) { try ControlDirectory.controlPath(in: "\(base.path)/muster") }
        try FileManager.default.removeItem(atPath: "\(base.path)/muster")
        try FileManager.default.createSymbolicLink(atPath: "\(base.path)/muster", withDestinationPath: "/tmp")
        #expect(throws: LaunchError.self) { try ControlDirectory.controlPath(in: "\(base.path)/muster") }
    }
}
