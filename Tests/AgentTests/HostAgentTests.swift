import Machine
import Placement
import Remote
import Testing
import Transport

@testable import Agent

@Suite("Host agent")
struct HostAgentTests {
    private func launch() throws -> WorkerLaunch {
        var launch = WorkerLaunch()
        let machine = try Topology(synthetic: "core:2 pu:1")
        launch.placement = try PlacementPlan(PlacementRequest(workers: 1), on: machine).workers[0]
        launch.memory = .preferred(0)
        return launch
    }

    private func hello(cpus: [Int], memory: String?) -> Hello {
        Hello(process: 4711, host: "here", buildID: BuildID.current.bytes, cpus: cpus, memory: memory)
    }

    @Test("a worker that sits where the plan says is taken, one that does not is refused with both places")
    func place() throws {
        let planned = hello(cpus: [0], memory: "\(MemoryPolicy.preferred(0))")
        try HostAgent.check(planned, launch(), memory: .preferred(0))
        let error = #expect(throws: WorkerStartError.self) {
            try HostAgent.check(hello(cpus: [1], memory: planned.memory), launch(), memory: .preferred(0))
        }
        #expect(error?.reason.contains("1") == true && error?.reason.contains("0") == true)
    }

    @Test("another memory policy is refused, unless the system forbade to set one")
    func policy() throws {
        let other = hello(cpus: [0], memory: "\(MemoryPolicy.default)")
        #expect(throws: WorkerStartError.self) { try HostAgent.check(other, launch(), memory: .preferred(0)) }
        try HostAgent.check(other, launch(), memory: nil)
    }
}
