import Testing

@testable import Agent

@Suite("Role")
struct RoleTests {
    @Test("the role that is written is the role that is read, by the child alone")
    func roundTrip() {
        let text = Role.value(link: 3, parent: 4711)
        #expect(Role(text, parent: 4711) == .worker(link: 3))
        #expect(Role(text, parent: 4712) == nil, "a worker's child inherits the variable")
    }

    @Test("variables that are a worker's own are named with its role")
    func ownVariables() {
        let text = Role.value(link: 3, parent: 4711, own: ["A", "B"])
        #expect(Role(text, parent: 4711) == .worker(link: 3))
        #expect(Role.ownVariables(in: text) == ["A", "B"])
        #expect(Role.ownVariables(in: Role.value(link: 3, parent: 1)) == [])
    }

    @Test(
        "what is no role is none",
        arguments: [
            "", "worker", "worker:3", "worker::1", "worker:3:", "worker:-1:1", "worker:0:1", "worker:2:1", "worker:x:1",
            "agent:3:1", "worker:99999999999:1", "WORKER:3:1",
        ])
    func nonsense(text: String) {
        #expect(Role(text, parent: 1) == nil)
    }

    @Test("a program that was started by a user is a driver")
    func driver() {
        #expect(Role.current == .driver)
    }
}
