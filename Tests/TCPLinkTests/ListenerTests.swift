import NIOCore
import NIOSSL
import Synchronization
import Testing
import Transport
import Wire

@testable import TCPLink

@Suite("Listener")
struct ListenerTests {
    @Test("who has the key joins as what its launch is, from the address it comes from")
    func join() async throws {
        let house = try await House()
        #expect(house.listener.port > 0 && house.listener.isLoopback)
        let (agents, worker) = (try house.expect(joins: 2), try house.expect(.worker))
        _ = try await house.join(worker)
        _ = try await house.join(agents)
        _ = try await house.join(agents)
        #expect(await eventually { house.peers.count == 3 })
        #expect(house.peers.map(\.identity) == [worker.identity, agents.identity, agents.identity])
        #expect(house.peers.map(\.role) == [.worker, .agent, .agent])
        #expect(house.peers.map(\.remainingJoins) == [0, 1, 0])
        #expect(house.peers.allSatisfy { $0.address == "127.0.0.1" })
        #expect(house.listener.refusals == [:] && house.listener.waitingCount == 0)
        await house.listener.close()
    }

    @Test("IPv6 and fixed ports work; a port that is taken and what is no address are told")
    func addresses() async throws {
        let house = try await House { $0.address = .address("::1") }
        #expect(house.listener.isLoopback)
        let launch = try house.expect()
        _ = try await Dialer.join(["::1"], port: house.listener.port, as: launch, buildID: House.buildID)
        #expect(await eventually { house.peers.count == 1 })
        #expect(house.peers.first?.address == "::1")
        let taken = await #expect(throws: JoinError.self) {
            try await House {
                $0.address = .address("::1")
                $0.port = house.listener.port
            }
        }
        #expect(taken?.code == .cannotListen)
        #expect(taken?.description.contains("Address already in use") == true, "\(String(describing: taken))")
        let port = house.listener.port
        await house.listener.close()
        let again = try await House {
            $0.address = .address("::1")
            $0.port = port
        }
        #expect(again.listener.port == port)
        await again.listener.close()
        let wrong = await #expect(throws: JoinError.self) { try await House { $0.address = .address("localhost") } }
        #expect(wrong?.description.contains("is no numeric address") == true, "\(String(describing: wrong))")
    }

    @Test("a listener may have several addresses with one port")
    func severalAddresses() async throws {
        let interfaces = try HostInterface.all()
        let name = try #require(interfaces.first { $0.isLoopback }).name
        let house = try await House { $0.address = .interface(name) }
        #expect(house.listener.isLoopback && house.listener.addresses.contains("127.0.0.1"))
        let launch = try house.expect(joins: house.listener.addresses.count)
        for address in house.listener.addresses {
            _ = try await Dialer.join([address], port: house.listener.port, as: launch, buildID: House.buildID)
        }
        #expect(await eventually { house.peers.count == house.listener.addresses.count })
        #expect(Set(house.peers.map(\.address)) == Set(house.listener.addresses))
        let taken = await #expect(throws: JoinError.self) {
            try await House {
                $0.address = .interface(name)
                $0.port = house.listener.port
            }
        }
        #expect(taken?.description.contains("127.0.0.1 port \(house.listener.port)") == true)
        await house.listener.close()
        let all = try await House { $0.address = .address("0.0.0.0") }
        #expect(!all.listener.isLoopback && !all.listener.addresses.contains("0.0.0.0"))
        await all.listener.close()
    }

    @Test("a listener that is closed lets nobody in, and keeps the links that there are")
    func closed() async throws {
        let house = try await House()
        let launch = try house.expect(joins: 2)
        let peer = try await house.join(launch)
        #expect(await eventually { house.peers.count == 1 })
        let idle = try await Stranger(to: house.listener.port)
        #expect(await eventually { house.listener.waitingCount == 1 })
        await house.listener.close()
        #expect(await eventually { idle.isClosed })
        let error = await #expect(throws: JoinError.self) { try await house.join(launch) }
        #expect(error?.code == .notReached)
        let inbox = Inbox()
        inbox.start(peer)
        try send([1], on: try #require(house.peers.first).link)
        #expect(await eventually { inbox.count == 1 })
        peer.close()
    }

    // MARK: - Those who are refused

    /// Joins and expects to be refused, without a word that the key is made of.
    private func refusal(
        _ house: House, _ launch: LaunchKeys.Launch, buildID: [UInt8] = House.buildID
    ) async -> JoinError? {
        let error = await #expect(throws: JoinError.self) { try await house.join(launch, buildID: buildID) }
        let key = Hexadecimal.text(launch.key.bytes)
        #expect(error?.description.contains(key) == false)
        #expect(!house.lines.contains { $0.contains(key) })
        return error
    }

    @Test("a wrong key, and an unknown, expired, used-up or revoked launch are refused alike, and told apart here")
    func keys() async throws {
        let house = try await House()
        let good = try house.expect()
        let wrongKey = LaunchKeys.Launch(identity: good.identity, key: .random(), role: .agent)
        let unknown = LaunchKeys.Launch(identity: .random(), key: good.key, role: .agent)
        let expired = try house.expect(for: .zero)
        let revoked = try house.expect()
        house.listener.revoke(revoked.identity)
        let usedUp = try house.expect()
        _ = try await house.join(usedUp)
        var words: Set<String> = []
        for (launch, kind) in [
            (wrongKey, Refusal.wrongKey), (unknown, .unknownLaunch), (expired, .expiredLaunch),
            (revoked, .revokedLaunch), (usedUp, .usedUpLaunch),
        ] {
            let error = await refusal(house, launch)
            #expect(error?.code == .notProven, "\(kind): \(String(describing: error))")
            if let error { words.insert(error.description) }
            #expect(await house.refused(kind), "\(kind)")
        }
        // Who is refused does not learn why.
        #expect(words.count == 1)
        #expect(house.refusalCount == 5)
        // None of them has used up the good launch's place.
        _ = try await house.join(good)
        #expect(await eventually { house.peers.count == 2 })
        await house.listener.close()
    }

    @Test("another role and another build are refused with the reason, and cost no join")
    func greetings() async throws {
        let house = try await House()
        let launch = try house.expect()
        let asWorker = LaunchKeys.Launch(identity: launch.identity, key: launch.key, role: .worker)
        let role = await refusal(house, asWorker)
        #expect(role?.code == .refused)
        #expect(role?.description.contains("joins as worker, but its key is for the role agent") == true)
        #expect(await house.refused(.wrongRole))
        let build = await refusal(house, launch, buildID: [9, 9, 9])
        #expect(build?.code == .refused)
        #expect(build?.description.contains("090909") == true && build?.description.contains("010203ab") == true)
        #expect(await house.refused(.wrongBuild))
        _ = try await house.join(launch)
        #expect(await eventually { house.peers.count == 1 })
        await house.listener.close()
    }

    @Test("another version of the protocol, and what is no greeting, are refused after the proof")
    func badGreetings() async throws {
        let house = try await House()
        let launch = try house.expect()
        let old = try await Stranger(to: house.listener.port, launch)
        var greeting = Greeting(.joining(.agent), to: .driver, buildID: House.buildID)
        greeting.version = 7
        old.say(greeting)
        #expect(await house.refused(.wrongVersion))
        #expect(await eventually { old.isClosed })
        #expect(String(decoding: old.bytes, as: UTF8.self).contains("version 7"))
        let hostile: [[UInt8]] = [
            [0, 0, 0, 0, 0, 0, 0, 128] + [UInt8](repeating: 0, count: 8), [UInt8](repeating: 255, count: 100),
            [5, 0, 0, 0, 0, 0, 0, 0] + [UInt8](repeating: 0, count: 8) + [2, 0, 0, 0, 255],
        ]
        for bytes in hostile {
            let stranger = try await Stranger(to: house.listener.port, launch)
            stranger.say(bytes)
            #expect(await eventually { stranger.isClosed })
        }
        #expect(await eventually { house.listener.refusals[.badGreeting] == 3 })
        _ = try await house.join(launch)
        await house.listener.close()
    }

    @Test(
        "HTTP, SSH and random bytes get no answer and no place",
        arguments: [
            Array("GET / HTTP/1.1\r\nHost: driver\r\n\r\n".utf8), Array("SSH-2.0-OpenSSH_9.2\r\n".utf8), [0], [255, 1],
        ])
    func notTLS(bytes: [UInt8]) async throws {
        let house = try await House()
        let stranger = try await Stranger(to: house.listener.port)
        stranger.say(bytes)
        #expect(await eventually { stranger.isClosed })
        #expect(stranger.bytes == [])
        #expect(await house.refused(.notTLS))
        #expect(house.listener.waitingCount == 0)
        await house.listener.close()
    }

    @Test("what starts like TLS and goes on like anything fails the handshake")
    func notQuiteTLS() async throws {
        let house = try await House()
        for bytes in [[22, 3, 1, 0, 5, 1, 0, 0, 1, 99], [22] + bytes(2000, seed: 4), [22, 3, 1, 255, 255]] {
            let stranger = try await Stranger(to: house.listener.port)
            stranger.say(bytes)
            if bytes.count == 5 { stranger.close() }
            #expect(await eventually { stranger.isClosed })
        }
        #expect(await eventually { house.listener.refusals[.failedHandshake] == 3 }, "\(house.listener.refusals)")
        #expect(house.peers.isEmpty && house.listener.waitingCount == 0)
        await house.listener.close()
    }

    @Test("who has the key and wants another cipher suite or certificates is refused")
    func otherTLS() async throws {
        let house = try await House()
        let launch = try house.expect()
        var cipher = TLSConfiguration.makePreSharedKeyConfiguration()
        cipher.cipherSuiteValues = [.TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA, .TLS_PSK_WITH_AES_256_CBC_SHA]
        cipher.maximumTLSVersion = .tlsv12
        cipher.pskClientProvider = { _ in
            var key = NIOSSLSecureBytes()
            key.append(launch.key.bytes)
            return PSKClientIdentityResponse(key: key, identity: launch.identity.description)
        }
        var certificates = TLSConfiguration.makeClientConfiguration()
        certificates.certificateVerification = .none
        for (number, tls) in [cipher, certificates].enumerated() {
            let stranger = try await Stranger(to: house.listener.port, tls: tls)
            #expect(await eventually { stranger.isClosed })
            #expect(await eventually { house.listener.refusals[.failedHandshake] == number + 1 })
        }
        #expect(house.peers.isEmpty)
        _ = try await house.join(launch)
        await house.listener.close()
    }

    @Test("a port scanner is counted and forgotten")
    func scanner() async throws {
        let house = try await House()
        for _ in 0..<20 { try await Stranger(to: house.listener.port).close() }
        #expect(await eventually { house.refusalCount == 20 })
        // Where they are seen to come sooner than to go, the first ones make room.
        #expect(Set(house.listener.refusals.keys).isSubset(of: [.silent, .crowdedOut]))
        #expect(house.listener.waitingCount == 0)
        await house.listener.close()
    }

    @Test("who is slow is cut off when the time is over: silent, in the handshake, and after the proof")
    func slow() async throws {
        let house = try await House { $0.limits.seconds = 0.5 }
        let launch = try house.expect()
        let silent = try await Stranger(to: house.listener.port)
        let loris = try await Stranger(to: house.listener.port)
        loris.say([22, 3])
        let proven = try await Stranger(to: house.listener.port, launch)
        #expect(await eventually { silent.isClosed && loris.isClosed && proven.isClosed })
        #expect(await eventually { house.listener.refusals[.tooSlow] == 3 })
        _ = try await house.join(launch)
        await house.listener.close()
    }

    @Test("of one address eight may wait, and as many more as are expected: the oldest stranger goes")
    func crowd() async throws {
        let house = try await House()
        _ = try house.expect(joins: 2)
        var strangers: [Stranger] = []
        for _ in 0..<10 { strangers.append(try await Stranger(to: house.listener.port)) }
        #expect(await eventually { house.listener.waitingCount == 10 })
        strangers.append(try await Stranger(to: house.listener.port))
        #expect(await eventually { strangers.count { $0.isClosed } == 1 })
        #expect(await house.refused(.crowdedOut))
        #expect(house.listener.waitingCount == 10)
        await house.listener.close()
    }

    @Test("a launch that is taken back closes the connections of those about to join")
    func revokedWhileJoining() async throws {
        let house = try await House()
        let launch = try house.expect()
        let proven = try await Stranger(to: house.listener.port, launch)
        proven.say([1])
        #expect(await eventually { house.listener.waitingCount == 1 })
        // The launch is known as soon as the handshake names it.
        let isClosed = await eventually {
            house.listener.revoke(launch.identity)
            return proven.isClosed
        }
        #expect(isClosed && house.peers.isEmpty)
        await house.listener.close()
    }

    @Test("500 strangers of all kinds hold up nobody: 20 who are expected join meanwhile")
    func strangers() async throws {
        let house = try await House()
        let launch = try house.expect(joins: 20)
        let links = try await withThrowingTaskGroup { group in
            for source in 0..<50 {
                group.addTask {
                    for kind in 0..<10 {
                        let stranger = try await Stranger(to: house.listener.port, from: "127.0.1.\(source + 1)")
                        switch kind % 5 {
                        case 0: stranger.say(Array("GET / HTTP/1.1\r\n\r\n".utf8))
                        case 1: stranger.say([22, 3, 1, 0, 200, 1])
                        case 2: stranger.say(bytes(500, seed: source))
                        case 3: stranger.close()
                        default: break
                        }
                    }
                    return [TCPLink]()
                }
            }
            for _ in 0..<20 { group.addTask { [try await house.join(launch)] } }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(links.count == 20)
        #expect(await eventually { house.peers.count == 20 })
        // Who says nothing is counted when its time is over.
        #expect(await eventually { (house.listener.refusals[.notTLS] ?? 0) > 0 })
        #expect(await eventually { (house.listener.refusals[.silent] ?? 0) > 0 }, "\(house.listener.refusals)")
        let counts = house.listener.refusals
        #expect(counts[.wrongKey] == nil && house.listener.waitingCount <= 256)
        // All of them are real.
        let inboxes = house.peers.map { _ in Inbox() }
        for (peer, inbox) in zip(house.peers, inboxes) { inbox.start(peer.link) }
        for (index, link) in links.enumerated() { try send([UInt8(index)], on: link) }
        #expect(await eventually { inboxes.allSatisfy { $0.count == 1 } })
        #expect(Set(inboxes.map { $0.frames[0][0] }) == Set(0..<20))
        for link in links { link.close() }
        await house.listener.close()
    }

    @Test("strangers from the address of those who join do not keep them out either")
    func strangersNextDoor() async throws {
        let house = try await House()
        let launch = try house.expect(joins: 5)
        let names = try await withThrowingTaskGroup { group in
            for _ in 0..<4 {
                group.addTask {
                    for _ in 0..<25 { _ = try await Stranger(to: house.listener.port) }
                    return 0
                }
            }
            for _ in 0..<5 {
                group.addTask {
                    let link = try await house.join(launch)
                    link.close()
                    return 1
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(names == 5)
        #expect(await eventually { house.peers.count == 5 })
        await house.listener.close()
    }

    @Test("refusals are logged, and not more often than once a second")
    func log() async throws {
        let house = try await House()
        let start = monotonicSeconds()
        for _ in 0..<5 { try await Stranger(to: house.listener.port).close() }
        #expect(await eventually { !house.lines.isEmpty })
        for _ in 0..<5 { try await Stranger(to: house.listener.port).close() }
        #expect(await eventually { house.refusalCount == 10 })
        // In the first second there is one line at most besides the first.
        #expect(Double(house.lines.count) <= 1 + (monotonicSeconds() - start) / RefusalCounter.seconds)
        #expect(house.lines[0].contains("from 127.0.0.1") && house.lines[0].contains("said nothing"))
        #expect(await eventually { house.lines.count >= 2 })
        try await Stranger(to: house.listener.port).close()
        #expect(await eventually { house.refusalCount == 11 })
        // What was not told yet is told at the end.
        await house.listener.close()
        let told = house.lines.compactMap { Int($0.split(separator: " ")[1]) }.reduce(0, +)
        #expect(told == 11, "\(house.lines)")
        await house.listener.close()
        #expect(house.lines.compactMap { Int($0.split(separator: " ")[1]) }.reduce(0, +) == 11)
    }

    @Test(
        "what counts as one source",
        arguments: [
            ("10.0.0.1", "10.0.0.1", false), ("127.1.2.3", "127.1.2.3", true), ("::1", "::1", true),
            ("::ffff:10.0.0.1", "10.0.0.1", false), ("::ffff:127.0.0.1", "127.0.0.1", true),
            ("2001:db8:1:2:3:4:5:6", "20010db800010002/64", false),
            ("2001:db8:1:2:ffff::1", "20010db800010002/64", false), ("0.0.0.0", "0.0.0.0", false),
            ("::", "0000000000000000/64", false),
        ])
    func sources(address: String, source: String, isLoopback: Bool) throws {
        let address = try SocketAddress(ipAddress: address, port: 1)
        #expect(address.source == source && address.isLoopback == isLoopback)
    }
}
