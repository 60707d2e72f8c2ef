import Testing

@testable import TCPLink

/// Interfaces that a test makes up, with addresses as text.
private func interface(
    _ name: String, _ addresses: String..., isUp: Bool = true, isDefaultRoute: Bool = false
) -> HostInterface {
    HostInterface(
        name, addresses.compactMap { NumericAddress($0) }, isUp: isUp, isLoopback: name == "lo",
        isDefaultRoute: isDefaultRoute)
}

private let loopback = interface("lo", "127.0.0.1", "::1")

/// A host in a rack: a public address, a private network, containers, and a card without a cable.
private let server = [
    loopback, interface("docker0", "172.17.0.1"), interface("br-4f0c9d2a1b3e", "172.18.0.1"),
    interface("eth2", "10.9.0.1", isUp: false),
    interface("eth0", "203.0.113.5", "2001:db8::5", "fe80::5", isDefaultRoute: true),
    interface("eth1", "10.0.0.7", "fd00::7", "fe80::7"), interface("ib0", "192.168.4.7"),
]

@Suite("ListenAddress")
struct ListenAddressTests {
    private func texts(_ choice: ListenAddress, _ interfaces: [HostInterface]) throws -> ([String], [String]) {
        let plan = try choice.plan(on: interfaces)
        return (plan.listening.map(\.description), plan.candidates.map(\.description))
    }

    @Test(
        "what is listened on is what others are told",
        arguments: [
            (.loopback, server, ["127.0.0.1"]), (.loopback, [], ["127.0.0.1"]),
            (.automatic, server, ["10.0.0.7", "fd00::7"]),
            (.automatic, [interface("a", "10.1.0.1"), interface("b", "10.2.0.1", isDefaultRoute: true)], ["10.2.0.1"]),
            // The bridge that is the host's own way out is none of containers.
            (.automatic, [loopback, interface("br-lan", "192.168.1.2", isDefaultRoute: true)], ["192.168.1.2"]),
            // The default route's own address is public; another interface has a private one.
            (.automatic, Array(server.reversed()), ["192.168.4.7"]),
            (.interface("eth0"), server, ["203.0.113.5", "2001:db8::5"]),
            (.interface("docker0"), server, ["172.17.0.1"]), (.interface("lo"), server, ["127.0.0.1", "::1"]),
            (.address("10.0.0.7"), server, ["10.0.0.7"]), (.address("fd00:0::7"), server, ["fd00::7"]),
            (.address("::1"), [], ["::1"]), (.address("127.0.0.9"), [], ["127.0.0.9"]),
            (.address("203.0.113.5"), server, ["203.0.113.5"]),
        ] as [(ListenAddress, [HostInterface], [String])])
    func same(choice: ListenAddress, interfaces: [HostInterface], addresses: [String]) throws {
        let (listening, candidates) = try texts(choice, interfaces)
        #expect(listening == addresses && candidates == addresses)
    }

    @Test("all of a host is reached where others may be, at private addresses first")
    func all() throws {
        #expect(
            try texts(.address("0.0.0.0"), server) == (["0.0.0.0"], ["10.0.0.7", "192.168.4.7", "203.0.113.5"]))
        #expect(
            try texts(.address("::"), server)
                == (["::"], ["10.0.0.7", "fd00::7", "192.168.4.7", "203.0.113.5", "2001:db8::5"]))
        #expect(try texts(.address("0.0.0.0"), [loopback]) == (["0.0.0.0"], ["127.0.0.1"]))
        let many = HostInterface("eth0", (0..<100).compactMap { NumericAddress("10.0.0.\($0)") })
        #expect(try texts(.address("::"), [many]).1.count == JoinFile.mostAddresses)
    }

    @Test(
        "what can't be listened on is refused with what there is instead",
        arguments: [
            (.automatic, [loopback], ["loopback and have a tunnel", "lo (127.0.0.1, ::1)"]),
            (.automatic, [], ["There is none"]),
            (
                .automatic,
                [interface("eth0", "203.0.113.5", isDefaultRoute: true), interface("docker0", "172.17.0.1")],
                ["eth0 (203.0.113.5)", "docker0 (172.17.0.1), of containers", "the whole internet"]
            ),
            (.automatic, [interface("eth0", "10.0.0.1", isUp: false)], ["eth0 (10.0.0.1, down)"]),
            (.interface("eth9"), server, ["no interface \"eth9\"", "eth1 (10.0.0.7, fd00::7)"]),
            (.interface("eth2"), server, ["eth2 to listen on is down", "ip link set eth2 up"]),
            (.interface("eth0"), [interface("eth0", "fe80::5")], ["eth0 (no address)"]),
            (.address("host7"), server, ["\"host7\": it is no numeric address"]),
            (.address(""), server, ["no numeric address"]),
            (.address("10.0.0.7\0"), server, ["no numeric address"]),
            (.address("fe80::7%eth1"), server, ["behind the %"]), (.address("fe80::7"), server, ["on one cable only"]),
            (.address("169.254.1.1"), server, ["on one cable only"]),
            (.address("10.0.0.8"), server, ["10.0.0.8: it is not an address of this host", "10.0.0.7"]),
        ] as [(ListenAddress, [HostInterface], [String])])
    func refused(choice: ListenAddress, interfaces: [HostInterface], words: [String]) {
        let error = #expect(throws: JoinError.self) { try choice.plan(on: interfaces) }
        #expect(error?.code == .cannotListen)
        for word in words { #expect(error?.description.contains(word) == true, "\(String(describing: error))") }
    }

    @Test(
        "what somebody wrote is a word, a number, or an interface",
        arguments: [
            ("loopback", .loopback), ("automatic", .automatic), ("eth0", .interface("eth0")),
            ("10.0.0.7", .address("10.0.0.7")), ("::", .address("::")), ("fe80::1%eth0", .address("fe80::1%eth0")),
        ] as [(String, ListenAddress)])
    func text(text: String, choice: ListenAddress) {
        #expect(ListenAddress(text) == choice)
    }

    @Test(
        "kinds of addresses",
        arguments: [
            ("10.255.0.1", "private"), ("172.15.0.1", ""), ("172.16.0.1", "private"), ("172.31.9.9", "private"),
            ("172.32.0.1", ""), ("192.168.0.1", "private"), ("192.169.0.1", ""), ("100.64.0.1", ""),
            ("fd00::1", "private"),
            ("fc00::1", "private"), ("fe00::1", ""), ("fe80::1", "link"), ("febf::1", "link"), ("fec0::1", ""),
            ("169.254.3.4", "link"), ("127.8.0.1", "loopback"), ("::1", "loopback"), ("::2", ""),
            ("::ffff:10.0.0.1", "private"), ("::ffff:127.0.0.1", "loopback"), ("0.0.0.0", "all"), ("::", "all"),
        ])
    func kinds(text: String, kind: String) throws {
        let address = try #require(NumericAddress(text))
        #expect(address.isPrivate == (kind == "private") && address.isLinkLocal == (kind == "link"))
        #expect(address.isLoopback == (kind == "loopback") && address.isUnspecified == (kind == "all"))
        #expect(address.description == text && address.isIPv6 == text.contains(":"))
    }

    @Test(
        "the default routes are read from the kernel's tables",
        arguments: [
            (
                """
                Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
                wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0
                eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
                eth1\t00000000\t010200C0\t0002\t0\t0\t1\t00000000\t0\t0\t0
                eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
                tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000080\t0\t0\t0
                """,
                """
                fd000000000000000000000000000000 40 00000000000000000000000000000000 00 \
                00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0
                00000000000000000000000000000000 00 00000000000000000000000000000000 00 \
                fd000000000000000000000000000001 00000400 00000003 00000000 00000003     eth3
                00000000000000000000000000000000 00 00000000000000000000000000000000 00 \
                00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo
                """, ["eth0", "eth3"]
            ),
            ("", "", []), ("nonsense\n\n0 0 0 0 0 0 0 0 0 0 0", "00 00 00", []),
        ])
    func routes(ipv4: String, ipv6: String, names: [String]) {
        #expect(DefaultRoutes(ipv4: ipv4, ipv6: ipv6).interfaces == names)
    }

    @Test("this host's interfaces are found, loopback among them")
    func discovery() throws {
        let interfaces = try HostInterface.all()
        let loopback = try #require(interfaces.first { $0.isLoopback })
        #expect(loopback.isUp && loopback.addresses.contains(.loopback) && !loopback.isForContainers)
        #expect(Set(interfaces.map(\.name)).count == interfaces.count)
        #expect(try ListenAddress.interface(loopback.name).plan(on: interfaces).listening.contains(.loopback))
    }
}
