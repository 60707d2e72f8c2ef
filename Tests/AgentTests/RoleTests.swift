import Remote
import Testing

@testable import Agent

@Suite("Role")
struct RoleTests {
    private static let mine = BuildID(bytes: [1, 2])
    private static let other = BuildID(bytes: [3])

    @Test("the role that is written is the role that is read, by the child alone")
    func roundTrip() {
        let text = Role.value(link: 3, parent: 4711, buildID: Self.mine)
        #expect(Role(text, parent: 4711, buildID: Self.mine) == .worker(link: 3))
        #expect(Role(text, parent: 4711, buildID: Self.other) == .worker(link: 3), "the agent compares the builds")
        #expect(Role(text, parent: 4712, buildID: Self.mine) == .stray, "a copy that a worker-to-be started")
        #expect(Role(text, parent: 4712, buildID: Self.other) == nil, "another program is itself")
    }

    @Test(
        "an agent's role says where its secret is, and reads back",
        arguments: [JoinSource.file("/run/user/1/a b:c"), .secret("/var/run/secrets/join"), .descriptor(0)])
    func agents(source: JoinSource) {
        let text = Role.value(join: source)
        #expect(Role(text, parent: 1, buildID: Self.mine) == .agent(source))
    }

    @Test("variables that are a worker's own are named with its role")
    func ownVariables() {
        let text = Role.value(link: 3, parent: 4711, buildID: Self.mine, own: ["A", "B"])
        #expect(Role(text, parent: 4711, buildID: Self.mine) == .worker(link: 3))
        #expect(Role.ownVariables(in: text) == ["A", "B"])
        #expect(Role.ownVariables(in: Role.value(link: 3, parent: 1, buildID: Self.mine)) == [])
    }

    @Test(
        "what is no role is none",
        arguments: [
            "", "worker", "worker:3", "worker::1", "worker:3:", "worker:3:1", "worker:-1:1:0102", "worker:0:1:0102",
            "worker:2:1:0102", "worker:x:1:0102", "agent:3:1:0102", "worker:99999999999:1:0102", "WORKER:3:1:0102",
        ])
    func nonsense(text: String) {
        #expect(Role(text, parent: 1, buildID: Self.mine) == nil)
    }

    @Test("a program that was started by a user is a driver")
    func driver() {
        #expect(Role.current == .driver)
    }
}
