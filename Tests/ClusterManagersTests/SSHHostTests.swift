import Agent
import Testing

@testable import ClusterManagers

@Suite("SSHHost")
struct SSHHostTests {
    @Test(
        "the text is read, and given back",
        arguments: [
            ("node1", nil, "node1", nil, nil, nil, nil),
            ("ada@node1", "ada", "node1", nil, nil, nil, nil),
            ("node1:2222", nil, "node1", 2222, nil, nil, nil),
            ("ada@node1:65535", "ada", "node1", 65535, nil, nil, nil),
            ("ada@uni.example@node1:1", "ada@uni.example", "node1", 1, nil, nil, nil),
            ("[fd00::7]", nil, "fd00::7", nil, nil, nil, nil),
            ("ada@[fe80::1%eth0]:22", "ada", "fe80::1%eth0", 22, nil, nil, nil),
            ("4*node1", nil, "node1", nil, nil, nil, 4),
            ("12*ada@10.0.0.7:22 10.1.0.7:9000", "ada", "10.0.0.7", 22, "10.1.0.7", 9000, 12),
            ("node1 [::1]:5", nil, "node1", nil, "::1", 5, nil),
            ("node1 eth1-node1", nil, "node1", nil, "eth1-node1", nil, nil),
        ] as [(String, String?, String, Int?, String?, Int?, Int?)])
    func reads(
        text: String, user: String?, name: String, port: Int?, bindAddress: String?, bindPort: Int?, workers: Int?
    ) throws {
        let host = try SSHHost(text)
        #expect(host.user == user && host.name == name && host.port == port)
        #expect(host.bindAddress == bindAddress && host.bindPort == bindPort && host.workers?.number == workers)
        #expect(host.description == text)
        #expect(try SSHHost(host.description) == host)
    }

    @Test(
        "what could be taken for something else is refused",
        arguments: [
            "", " ", "-oProxyCommand=x", "ada@-x", "-l@node1", "@node1", "ada@", "node 1 2", " node1", "node1 ",
            "node1\n", "no\u{0}de", "no\tde", "node1:0", "node1:65536", "node1:", "node1:-1", "node1:+1", "node1:22x",
            "fd00::7", "[fd00::7", "[fd00::7]22", "[node1]", "[]:22", "a;b", "a$(b)", "a`b`", "a|b@c", "a b:c:d",
            "0*node1",
            "x*node1", "*node1", "-1*node1", "2*3*node1", "ssh://node1", "a\\b", "ada\\@node1",
            "99999999999999999999*n",
        ])
    func refuses(text: String) {
        let error = #expect(throws: LaunchError.self) { try SSHHost(text) }
        #expect(error?.description.contains("[user@]host[:port]") == true)
    }

    @Test("the number of workers is given once")
    func workers() throws {
        #expect(try SSHHost("node1", workers: 4).workers == .count(4))
        #expect(try SSHHost("node1", workers: .automatic).workers == .automatic)
        #expect(throws: LaunchError.self) { try SSHHost("4*node1", workers: 4) }
    }

    @Test("any text is read or refused, never more")
    func anyText() {
        var random = SystemRandomNumberGenerator()
        let alphabet = Array("a1@:[]* .-%\u{0}é/\\\n")
        for _ in 0..<2000 {
            let text = String((0..<Int.random(in: 0...12, using: &random)).map { _ in alphabet.randomElement()! })
            guard let host = try? SSHHost(text) else { continue }
            #expect((try? SSHHost(host.description)) == host, "\(text.debugDescription)")
            #expect(!host.name.hasPrefix("-") && !host.name.contains(" ") && host.user?.isEmpty != true)
        }
    }
}
