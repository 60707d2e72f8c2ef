import Placement
import Testing

@Suite("Explicit CPUs")
struct ExplicitTests {
    @Test("each entry makes a worker, in the order of the list")
    func order() throws {
        let plan = try PlacementPlan(PlacementRequest(cpus: [8, 3, 1]), on: try machine("pack:2 core:4 pu:2"))
        #expect(plan.cpus == [[8], [3], [1]])
        #expect(plan.workers[0].package == 1 && plan.workers[0].reason == "core 4 of package 1, as listed")
    }

    @Test("entries may hold several CPUs, and threads join consecutive ones")
    func several() throws {
        let topology = try machine("pack:2 core:4 pu:2")
        #expect(try PlacementPlan(PlacementRequest(cpus: [[0, 1], [9]]), on: topology).cpus == [[0, 1], [9]])
        #expect(
            try PlacementPlan(PlacementRequest(cpus: [5, 0, 2, 1], threads: 2), on: topology).cpus == [
                [0, 5], [1, 2],
            ])
    }

    @Test(
        "a CPU that can't be had is an error that names it and the allowed set",
        arguments: [
            ("restricted.xml", [4, 99], PlacementError.Code.absent, 99),
            ("restricted.xml", [-1], .absent, -1),
            ("restricted.xml", [4, 5, 2], .notAllowed, 2),
            ("restricted.xml", [4, 5, 4], .repeated, 4),
            ("offline.xml", [0, 1], .offline, 1),
            ("sparse.xml", [2], .absent, 2),
        ])
    func impossible(name: String, cpus: [Int], code: PlacementError.Code, cpu: Int) throws {
        let topology = try machine(name)
        let error = #expect(throws: PlacementError.self) {
            try PlacementPlan(PlacementRequest(cpus: cpus), on: topology)
        }
        #expect(error?.code == code && error?.cpu == cpu && error?.allowed == topology.allowed)
        #expect(error?.description.contains("CPU \(cpu) is") == true)
        #expect(error?.description.contains("usable here: \(topology.allowed)") == true)
    }

    @Test(
        "a list that doesn't fit is an error",
        arguments: [([], 1, nil), ([[]], 1, nil), ([[0], [1], [2]], 2, nil), ([[0], [1]], 1, 3), ([[0], [1]], 2, 2)]
            as [([[Int]], Int, Int?)])
    func mismatch(cpus: [[Int]], threads: Int, workers: Int?) throws {
        var request = PlacementRequest(cpus: cpus, threads: threads)
        request.workers = workers
        let topology = try machine("pack:2 core:4 pu:2")
        let error = #expect(throws: PlacementError.self) { try PlacementPlan(request, on: topology) }
        #expect(error?.code == .mismatch)
    }
}
