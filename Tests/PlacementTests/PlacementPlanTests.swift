import Machine
import Placement
import Testing

@Suite("Placement plan")
struct PlacementPlanTests {
    @Test(
        "compact takes cores in order, then their siblings; balanced shares packages out",
        arguments: [
            (PlacementMode.compact, 3, [[0], [2], [4]]),
            (.compact, 9, [[0], [2], [4], [6], [8], [10], [12], [14], [1]]),
            (.balanced, 3, [[0], [2], [8]]),
            (.balanced, 9, [[0], [2], [4], [6], [1], [8], [10], [12], [14]]),
        ])
    func modes(mode: PlacementMode, workers: Int, expected: [[Int]]) throws {
        let topology = try Topology(synthetic: "pack:2 core:4 pu:2")
        let plan = try PlacementPlan(PlacementRequest(workers: workers, mode: mode), on: topology)
        #expect(plan.workers.map { Array($0.cpus) } == expected)
    }
}
