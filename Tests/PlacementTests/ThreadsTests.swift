import Placement
import Testing

@Suite("Workers of several threads")
struct ThreadsTests {
    @Test(
        "a worker gets CPUs that are adjacent inside the smallest domain that holds them",
        arguments: [
            // Two threads fill a core.
            ("pack:2 core:4 pu:2", 2, PlacementMode.compact, [[0, 1], [2, 3], [4, 5]]),
            ("pack:2 core:4 pu:2", 2, .balanced, [[0, 1], [2, 3], [8, 9]]),
            // Four fill a NUMA node of two cores.
            ("pack:2 numa:2 core:2 pu:2", 4, .compact, [[0, 1, 2, 3], [4, 5, 6, 7]]),
            ("pack:2 numa:2 core:2 pu:2", 4, .balanced, [[0, 1, 2, 3], [8, 9, 10, 11]]),
            // Three don't fill a node: the fourth CPU stays free rather than to go to a worker of another node.
            ("pack:2 numa:2 core:2 pu:2", 3, .compact, [[0, 1, 2], [4, 5, 6], [8, 9, 10], [12, 13, 14]]),
            ("pack:2 numa:2 core:2 pu:2", 3, .balanced, [[0, 1, 2], [8, 9, 10]]),
            // No worker begins on a core in use while another core is free.
            ("pack:1 core:4 pu:4", 2, .compact, [[0, 1], [4, 5], [8, 9], [12, 13], [2, 3]]),
            ("pack:1 l3:2 core:3 pu:2", 3, .compact, [[0, 1, 2], [6, 7, 8], [3, 4, 5]]),
            // A cache of three cores holds one worker of two cores.
            ("pack:1 l3:2 core:3 pu:2", 4, .compact, [[0, 1, 2, 3], [6, 7, 8, 9]]),
            // An L2 cache is a domain, too.
            ("pack:1 l2:2 core:3 pu:1", 2, .compact, [[0, 1], [3, 4]]),
            // Larger than any part: across the machine.
            ("pack:2 core:2 pu:1", 3, .balanced, [[0, 1, 2]]),
            // Gaps in the numbers are no gaps in the machine.
            ("sparse.xml", 4, .compact, [[0, 1, 8, 9], [80, 81, 88, 89]]),
            ("restricted.xml", 4, .balanced, [[4, 5, 6, 7], [8, 9, 10, 11]]),
            // Large cores first.
            ("kinds.xml", 2, .compact, [[2, 3], [6, 7], [0, 1], [4, 5]]),
            ("kinds.xml", 2, .balanced, [[2, 3], [6, 7]]),
        ])
    func adjacent(name: String, threads: Int, mode: PlacementMode, expected: [[Int]]) throws {
        let request = PlacementRequest(workers: expected.count, mode: mode, threads: threads)
        let plan = try PlacementPlan(request, on: try machine(name))
        #expect(plan.cpus == expected)
        #expect(!plan.isOversubscribed && plan.notes.isEmpty)
    }

    @Test("what is left over between workers is used before a CPU is given twice, and the plan says so")
    func leftOver() throws {
        let topology = try machine("pack:1 l3:2 core:3 pu:2")
        let plan = try PlacementPlan(PlacementRequest(workers: 3, mode: .compact, threads: 4), on: topology)
        #expect(plan.cpus == [[0, 1, 2, 3], [6, 7, 8, 9], [4, 5, 10, 11]])
        #expect(plan.notes == ["worker 3: CPUs that are left over between those of others, and so apart"])
        #expect(plan.workers[2].core == nil && plan.workers[2].package == 0 && !plan.isOversubscribed)
    }

    @Test("then CPUs are given again in the same order, evenly")
    func again() throws {
        // Five CPUs, two per worker: 0-1, 2-3, then 4 and 0 again, 1-2, 3-4.
        let plan = try PlacementPlan(
            PlacementRequest(workers: 5, mode: .compact, threads: 2), on: try machine("pack:1 core:5 pu:1"))
        #expect(plan.cpus == [[0, 1], [2, 3], [0, 4], [1, 2], [3, 4]])
        #expect(plan.isOversubscribed)
        #expect(plan.notes == ["5 workers of 2 threads on 5 CPUs: every CPU is shared by 2"])
    }

    @Test("a reason names the part of the machine that holds the worker")
    func reasons() throws {
        let topology = try machine("pack:2 numa:2 l3:2 core:2 pu:2")
        func reason(_ threads: Int) throws -> String {
            try PlacementPlan(PlacementRequest(workers: 1, mode: .compact, threads: threads), on: topology)
                .workers[0].reason
        }
        #expect(try reason(2) == "2 CPUs of core 0 of package 0, first in topological order")
        #expect(try reason(4) == "4 CPUs on one L3 cache of package 0, first in topological order")
        #expect(try reason(5) == "5 CPUs on NUMA node 0, first in topological order")
        #expect(try reason(9) == "9 CPUs of package 0, first in topological order")
        #expect(try reason(17) == "17 CPUs across the machine, first in topological order")
    }
}
