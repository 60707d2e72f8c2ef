import CFloors
import Muster

/// From a machine as a value to a plan: what a large machine costs before its first worker starts.
struct Planning: Benchmark {
    let name = "planning"
    let title = "Plan 384 workers on 384 CPUs (2 packages, 12 L3 caches each, 8 cores each, SMT 2)"
    let unit = Unit.milliseconds

    func run(_ host: Host) async throws -> [Series] {
        let machine = try Topology(synthetic: "pack:2 [numa] l3:12 core:8 pu:2")
        func lane(_ key: String, _ label: String, _ request: PlacementRequest) -> Lane {
            Lane(key: key, label: label) {
                let start = floor_seconds()
                for _ in 0..<10 {
                    let plan = try PlacementPlan(request, on: machine)
                    precondition(plan.workers.count > 1)
                }
                return (floor_seconds() - start) * 100
            }
        }
        return try await alternate(
            repeats: 7,
            [
                lane("compact", "compact", PlacementRequest(workers: 384, mode: .compact)),
                lane("balanced", "balanced", PlacementRequest(workers: 384, mode: .balanced)),
                lane("balanced.192", "balanced, 192 workers", PlacementRequest(workers: 192)),
                lane("per.l3", "one per L3 cache", PlacementRequest(per: .l3)),
                Lane(key: "explained", label: "balanced, with explanations") {
                    let start = floor_seconds()
                    let all = try PlacementPlan.explanations(of: PlacementRequest(workers: 384), on: machine)
                    precondition(all.count == 384)
                    return (floor_seconds() - start) * 1e3
                },
                Lane(key: "discovery", label: "hwloc: load the made-up machine") {
                    let start = floor_seconds()
                    _ = try Topology(synthetic: "pack:2 [numa] l3:12 core:8 pu:2")
                    return (floor_seconds() - start) * 1e3
                },
            ])
    }
}
