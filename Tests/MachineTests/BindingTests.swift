import Placement
import Testing

@testable import Machine

@Suite("Binding")
struct BindingTests {
    @Test("a worker that is bound as planned reports no difference")
    func asPlanned() throws {
        let former = try affinity()
        let plan = try PlacementPlan(PlacementRequest(), on: try Topology.discover())
        let worker = try #require(plan.workers.last)
        try bindCurrentThread(to: worker.cpus)
        defer { try? bindCurrentThread(to: former) }
        #expect(try Binding.ofCurrentThread().difference(from: worker) == nil)
    }

    @Test("other CPUs or another policy than planned are told in a sentence")
    func differences() throws {
        let plan = try PlacementPlan(PlacementRequest(workers: 1), on: try Topology(synthetic: "core:4 pu:1"))
        let other = Binding(cpus: [1, 2], memory: .default)
        #expect(other.difference(from: plan.workers[0]) == "worker 1 is bound to CPU 1-2, not to 0 as planned")
        let policy = Binding(cpus: [0], memory: .local)
        #expect(
            policy.difference(from: plan.workers[0], memory: .bind([0]))
                == "worker 1 has the memory policy 'local', not 'bind to node 0' as planned")
        #expect(policy.difference(from: plan.workers[0]) == nil)
        #expect(Binding(cpus: [0], memory: nil).difference(from: plan.workers[0], memory: .bind([0])) == nil)
    }
}
