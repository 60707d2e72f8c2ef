import Testing

@testable import TCPLink

@Suite("LaunchKeys")
struct LaunchKeysTests {
    @Test("a key is found by its identity until its time is over")
    func lookup() throws {
        var keys = LaunchKeys()
        let launch = keys.expect(.agent, joins: 2, until: 10)
        #expect(try keys.launch(launch.identity, at: 9.999) == launch)
        #expect(throws: LaunchKeys.Denial.expired) { try keys.launch(launch.identity, at: 10) }
        #expect(throws: LaunchKeys.Denial.expired) { try keys.join(launch.identity, at: 11) }
        #expect(throws: LaunchKeys.Denial.unknown) { try keys.launch(.random(), at: 0) }
    }

    @Test("as many may join as were expected; looking a key up costs none")
    func joins() throws {
        var keys = LaunchKeys()
        let launch = keys.expect(.agent, joins: 2, until: 10)
        for _ in 0..<5 { _ = try keys.launch(launch.identity, at: 0) }
        #expect(keys.expectedJoins(at: 0) == 2)
        #expect(try keys.join(launch.identity, at: 1) == 1)
        #expect(try keys.join(launch.identity, at: 2) == 0)
        #expect(throws: LaunchKeys.Denial.usedUp) { try keys.join(launch.identity, at: 3) }
        #expect(throws: LaunchKeys.Denial.usedUp) { try keys.launch(launch.identity, at: 3) }
        #expect(keys.expectedJoins(at: 3) == 0)
    }

    @Test("a launch that was taken back lets nobody in, and keeps no places")
    func revoked() throws {
        var keys = LaunchKeys()
        let (one, other) = (keys.expect(.agent, joins: 3, until: 10), keys.expect(.worker, joins: 4, until: 20))
        keys.revoke(one.identity)
        keys.revoke(.random())
        #expect(throws: LaunchKeys.Denial.revoked) { try keys.join(one.identity, at: 1) }
        #expect(keys.expectedJoins(at: 1) == 4)
        #expect(keys.expectedJoins(at: 20) == 0)
        #expect(throws: LaunchKeys.Denial.expired) { try keys.launch(other.identity, at: 20) }
    }

    @Test("launches that are over are forgotten at last: then they are unknown")
    func bounded() throws {
        var keys = LaunchKeys()
        let first = keys.expect(.agent, joins: 1, until: 10)
        _ = try keys.join(first.identity, at: 0)
        for _ in 0..<1024 {
            let next = keys.expect(.agent, joins: 1, until: 10)
            _ = try keys.join(next.identity, at: 0)
        }
        #expect(throws: LaunchKeys.Denial.unknown) { try keys.launch(first.identity, at: 0) }
    }

    @Test("an identity can be expected again when its launch is over")
    func again() throws {
        var keys = LaunchKeys()
        let identity = try #require(LaunchIdentity("cookie"))
        _ = keys.expect(.agent, joins: 1, until: 10, identity: identity)
        _ = try keys.join(identity, at: 0)
        let second = keys.expect(.worker, joins: 1, until: 10, identity: identity)
        #expect(try keys.launch(identity, at: 1) == second)
    }

    @Test("keys differ, and no description shows one")
    func secret() throws {
        let key = LaunchKey.random()
        #expect(key.bytes.count == 32 && key != .random())
        let chosen = try LaunchKey(Array("a key that somebody chose".utf8))
        var dumped = ""
        dump(LaunchKeys.Launch(identity: .random(), key: chosen, role: .agent), to: &dumped)
        dump(chosen, to: &dumped)
        let texts = [
            "\(chosen)", String(reflecting: chosen), dumped,
            "\(LaunchKeys.Launch(identity: .random(), key: chosen, role: .agent))",
        ]
        for text in texts {
            #expect(!text.contains("somebody") && !text.contains("97, 32") && !text.contains("- 97"))
        }
    }

    @Test("a short key is for loopback only; an empty or a huge one for nothing")
    func lengths() throws {
        let short = try LaunchKey(Array("fifteen bytes..".utf8))
        #expect(throws: Never.self) { try short.checkLength(isLoopback: true) }
        let error = #expect(throws: JoinError.self) { try short.checkLength(isLoopback: false) }
        #expect(error?.code == .unfitKey)
        #expect(error?.description.contains("15 bytes") == true && error?.description.contains("fifteen") == false)
        let enough = try LaunchKey(Array("sixteen bytes...".utf8))
        #expect(throws: Never.self) { try enough.checkLength(isLoopback: false) }
        #expect(throws: JoinError.self) { try LaunchKey([]) }
        #expect(throws: JoinError.self) { try LaunchKey([UInt8](repeating: 1, count: 257)) }
    }

    @Test("identities are short words", arguments: ["", "two words", "ü", "a\n", String(repeating: "a", count: 65)])
    func identities(name: String) {
        #expect(LaunchIdentity(name) == nil)
        #expect(LaunchIdentity(LaunchIdentity.random().description) != nil)
    }
}
