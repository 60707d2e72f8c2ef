import Placement
import Testing

/// Plans worked out by hand from the rules: cores before their second threads; compact in topological order; balanced
/// by packages, NUMA nodes and L3 caches in proportion to usable cores, what the floors leave to parts without workers
/// first, then to the largest remainder and the first of equals; neighbouring workers together.
@Suite("Placement plan")
struct PlacementPlanTests {
    /// A machine, a number of workers, and the CPU of each in both modes.
    struct Example: Sendable, CustomTestStringConvertible {
        let machine: String
        let workers: Int
        let compact: [Int]
        let balanced: [Int]

        init(_ machine: String, compact: [Int], balanced: [Int]) {
            (self.machine, self.compact, self.balanced) = (machine, compact, balanced)
            workers = compact.count
        }

        var testDescription: String { "\(workers) on \(machine)" }
    }

    static let examples = [
        // One package, no second threads.
        Example("pack:1 core:4 pu:1", compact: [0], balanced: [0]),
        Example("pack:1 core:4 pu:1", compact: [0, 1, 2], balanced: [0, 1, 2]),
        Example("pack:1 core:4 pu:1", compact: [0, 1, 2, 3, 0, 1], balanced: [0, 1, 2, 3, 0, 1]),

        // Two packages of four cores of two threads; core c has CPUs 2c and 2c + 1.
        Example("pack:2 core:4 pu:2", compact: [0, 2], balanced: [0, 8]),
        Example("pack:2 core:4 pu:2", compact: [0, 2, 4], balanced: [0, 2, 8]),
        Example("pack:2 core:4 pu:2", compact: [0, 2, 4, 6, 8], balanced: [0, 2, 4, 8, 10]),
        Example(
            "pack:2 core:4 pu:2", compact: [0, 2, 4, 6, 8, 10, 12, 14, 1, 3],
            balanced: [0, 2, 4, 6, 1, 8, 10, 12, 14, 9]),
        Example(
            "pack:2 core:4 pu:2", compact: [0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15, 0],
            balanced: [0, 2, 4, 6, 1, 3, 5, 7, 0, 8, 10, 12, 14, 9, 11, 13, 15]),

        // Four threads per core.
        Example("pack:1 core:2 pu:4", compact: [0, 4, 1], balanced: [0, 4, 1]),
        Example("pack:1 core:2 pu:4", compact: [0, 4, 1, 5, 2, 6, 3, 7], balanced: [0, 4, 1, 5, 2, 6, 3, 7]),

        // Two NUMA nodes per package, each with two cores of two threads: node n has CPUs 4n to 4n + 3.
        Example("pack:2 numa:2 core:2 pu:2", compact: [0, 2, 4], balanced: [0, 4, 8]),
        Example("pack:2 numa:2 core:2 pu:2", compact: [0, 2, 4, 6], balanced: [0, 4, 8, 12]),
        Example("pack:2 numa:2 core:2 pu:2", compact: [0, 2, 4, 6, 8], balanced: [0, 2, 4, 8, 12]),

        // Several L3 caches, two cores each.
        Example("pack:1 l3:4 core:2 pu:1", compact: [0, 1, 2], balanced: [0, 2, 4]),
        Example("pack:1 l3:4 core:2 pu:1", compact: [0, 1, 2, 3, 4], balanced: [0, 1, 2, 4, 6]),

        // Clusters of four cores: groups count as caches do.
        Example("pack:2 group:2 core:4 pu:1", compact: [0, 1, 2], balanced: [0, 4, 8]),
        Example("pack:2 group:2 core:4 pu:1", compact: [0, 1, 2, 3, 4], balanced: [0, 1, 4, 8, 12]),

        // All three levels: packages of 8 CPUs, nodes of 4, caches of 2.
        Example("pack:2 numa:2 l3:2 core:2 pu:1", compact: [0, 1, 2], balanced: [0, 4, 8]),
        Example("pack:2 numa:2 l3:2 core:2 pu:1", compact: [0, 1, 2, 3, 4, 5], balanced: [0, 2, 4, 8, 10, 12]),
        Example(
            "pack:2 numa:2 l3:2 core:2 pu:1", compact: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
            balanced: [0, 1, 2, 4, 6, 8, 9, 10, 12, 14]),

        // Packages inside NUMA nodes: nodes first.
        Example("numa:2 pack:2 core:2 pu:1", compact: [0, 1], balanced: [0, 4]),
        Example("numa:2 pack:2 core:2 pu:1", compact: [0, 1, 2], balanced: [0, 2, 4]),

        // Allowed: CPUs 4 to 11, two cores of either package.
        Example("restricted.xml", compact: [4, 6, 8], balanced: [4, 6, 8]),
        Example("restricted.xml", compact: [4, 6], balanced: [4, 8]),
        Example("restricted.xml", compact: [4, 6, 8, 10, 5], balanced: [4, 6, 5, 8, 10]),
        Example("restricted.xml", compact: [4, 6, 8, 10, 5, 7, 9, 11, 4], balanced: [4, 6, 5, 7, 4, 8, 10, 9, 11]),

        // Online: CPU 0 (half a core), 4 to 7 (two cores), 12 to 15 (two cores of the other package).
        Example("offline.xml", compact: [0, 4], balanced: [0, 12]),
        Example("offline.xml", compact: [0, 4, 6], balanced: [0, 4, 12]),
        Example("offline.xml", compact: [0, 4, 6, 12], balanced: [0, 4, 12, 14]),
        Example("offline.xml", compact: [0, 4, 6, 12, 14, 5], balanced: [0, 4, 6, 5, 12, 14]),

        // Numbers with gaps, as POWER has them: cores 0-1, 8-9, 80-81, 88-89.
        Example("sparse.xml", compact: [0, 8], balanced: [0, 80]),
        Example("sparse.xml", compact: [0, 8, 80], balanced: [0, 8, 80]),
        Example("sparse.xml", compact: [0, 8, 80, 88, 1], balanced: [0, 8, 1, 80, 88]),

        // Even numbers on one package, odd ones on the other, second threads 8 higher.
        Example("interleaved.xml", compact: [0, 2, 4, 6], balanced: [0, 2, 1, 3]),
        Example("interleaved.xml", compact: [0, 2, 4, 6, 1, 3, 5, 7, 8], balanced: [0, 2, 4, 6, 8, 1, 3, 5, 7]),

        // A package of one core (CPU 0) and one of four (4 to 7). Shares of 2: 0.4 and 1.6; of 3: 0.6 and 2.4.
        Example("uneven-packages.xml", compact: [0], balanced: [0]),
        Example("uneven-packages.xml", compact: [0, 4], balanced: [0, 4]),
        Example("uneven-packages.xml", compact: [0, 4, 5], balanced: [0, 4, 5]),

        // A cache of four cores (0 to 3) and one of one (4). Shares of 2: 1.6 and 0.4; of 3: 2.4 and 0.6. Of the first
        // remainders that of the cache that has nobody yet counts more.
        Example("uneven-caches.xml", compact: [0, 1], balanced: [0, 4]),
        Example("uneven-caches.xml", compact: [0, 1, 2], balanced: [0, 1, 4]),
        Example("uneven-caches.xml", compact: [0, 1, 2, 3], balanced: [0, 1, 2, 4]),

        // Each package has two small cores (0, 1 and 4, 5) and then two large ones (2, 3 and 6, 7).
        Example("kinds.xml", compact: [2], balanced: [2]),
        Example("kinds.xml", compact: [2, 3, 6], balanced: [2, 3, 6]),
        Example("kinds.xml", compact: [2, 3], balanced: [2, 6]),
        Example("kinds.xml", compact: [2, 3, 6, 7, 0], balanced: [2, 3, 0, 6, 7]),
    ]

    @Test("workers go where the rules put them", arguments: examples)
    func rules(example: Example) throws {
        let topology = try machine(example.machine)
        for (mode, expected) in [(PlacementMode.compact, example.compact), (.balanced, example.balanced)] {
            let plan = try PlacementPlan(PlacementRequest(workers: example.workers, mode: mode), on: topology)
            #expect(plan.cpus == expected.map { [$0] }, "\(mode)")
            #expect(plan.workers.map(\.worker) == Array(1...example.workers))
        }
    }

    @Test("machines of thousands of CPUs and of 24 packages are planned like small ones")
    func large() throws {
        let plan = try PlacementPlan(
            PlacementRequest(workers: 4096), on: try machine("pack:4 [numa] core:1024 pu:2"))
        #expect(plan.cpus == (0..<4096).map { [2 * $0] } && plan.usable == CPUSet(0..<8192))
        let many = try PlacementPlan(PlacementRequest(workers: 48), on: try machine("pack:24 core:8 pu:1"))
        #expect(many.cpus == (0..<24).flatMap { [[8 * $0], [8 * $0 + 1]] })
    }

    @Test("only worker 1 is owed a place: later ones go where the share is largest")
    func secondThreads() throws {
        // Package 0 has a whole core and half of another, package 1 four whole ones: one and four second threads.
        var topology = try machine("pack:2 core:4 pu:2")
        topology.allowed = [0, 1, 2, 8, 9, 10, 11, 12, 13, 14, 15]
        let plan = try PlacementPlan(PlacementRequest(workers: 7, mode: .balanced), on: topology)
        #expect(plan.cpus == [0, 2, 8, 10, 12, 14, 9].map { [$0] })
        #expect(plan.notes == ["7 workers on 6 cores: hardware threads of one core share its units"])
    }

    @Test("worker 1 is on the most capable core, even if that is in the last package")
    func kindsByPackage() throws {
        var topology = try machine("pack:2 core:2 pu:1")
        for core in 0..<2 { topology.cores[core].kind = 1 }
        for mode in [PlacementMode.compact, .balanced] {
            let plan = try PlacementPlan(PlacementRequest(workers: 3, mode: mode), on: topology)
            #expect(plan.cpus == [[2], [3], [0]])
        }
    }

    @Test("a machine written down by hand is planned like any other, also if its parts don't nest")
    func byHand() throws {
        let cores = (0..<4).map { Topology.Core(osIndex: $0, cpus: [$0]) }
        let topology = Topology(
            numaNodes: [.init(osIndex: 0, cpus: [0, 1, 2]), .init(osIndex: 1, cpus: [2, 3])],
            caches: [.init(level: 3, cpus: [0, 2])], cores: cores, pus: (0..<4).map { .init(osIndex: $0, core: $0) })
        let plan = try PlacementPlan(PlacementRequest(workers: 2), on: topology)
        // The first node divides the machine; what crosses its end or has gaps does not. Shares of 2: 1.5 and 0.5, and
        // what is left goes where nobody is yet.
        #expect(plan.cpus == [[0], [3]])
        #expect(plan.workers[0].package == nil && plan.workers[0].numa == [0])
    }

    @Test("a node without memory is none of a worker's, unless no node is known to have any")
    func nodesWithoutMemory() throws {
        let cores = (0..<3).map { Topology.Core(osIndex: $0, cpus: [$0]) }
        var topology = Topology(
            numaNodes: [0, 8, 0].enumerated().map { .init(osIndex: $0, memoryByteCount: $1, cpus: [$0]) },
            cores: cores, pus: (0..<3).map { .init(osIndex: $0, core: $0) })
        let request = PlacementRequest(workers: 3, mode: .balanced)
        #expect(try PlacementPlan(request, on: topology).workers.map(\.numa) == [[], [1], []])
        topology.numaNodes[1].memoryByteCount = 0
        #expect(try PlacementPlan(request, on: topology).workers.map(\.numa) == [[0], [1], [2]])
    }

    @Test("a worker says what it is on")
    func facts() throws {
        let plan = try PlacementPlan(
            PlacementRequest(workers: 2, mode: .balanced), on: try machine("pack:2 numa:2 core:2 pu:2"))
        let worker = plan.workers[1]
        #expect(worker.worker == 2 && worker.cpus == [8] && worker.package == 1 && worker.numa == [2])
        #expect(worker.core == 4 && worker.reason == "core 4 of package 1, which gets 1 of 2 workers")
        #expect(plan.usable == CPUSet(0..<16) && plan.notes.isEmpty && !plan.isOversubscribed)
    }

    @Test("workers that are bound to no CPU are as many as there are CPUs, or as the quota feeds")
    func unbound() throws {
        var topology = try machine("pack:1 core:4 pu:2")
        #expect(topology.unboundWorkers == (8, []))
        topology.cpuQuota = 1.5
        #expect(topology.unboundWorkers.count == 2)
        #expect(
            topology.unboundWorkers.notes == ["the cgroup's quota is the time of 1.5 CPUs: 2 workers in place of 8"])
        topology.cpuQuota = 8
        #expect(topology.unboundWorkers == (8, []))
    }

    @Test("without a number there is one worker per usable core, or as many as the quota feeds")
    func defaultCount() throws {
        var topology = try machine("pack:2 core:4 pu:2")
        #expect(try PlacementPlan(PlacementRequest(), on: topology).workers.count == 8)
        #expect(try PlacementPlan(PlacementRequest(threads: 4), on: topology).workers.count == 4)
        topology.cpuQuota = 2.5
        let plan = try PlacementPlan(PlacementRequest(), on: topology)
        #expect(plan.workers.count == 3)
        #expect(plan.notes == ["the cgroup's quota is the time of 2.5 CPUs: 3 workers in place of 8"])
        #expect(try PlacementPlan(PlacementRequest(threads: 4), on: topology).workers.count == 1)
        let more = try PlacementPlan(PlacementRequest(workers: 4), on: topology)
        #expect(more.notes == ["the cgroup's quota is the time of 2.5 CPUs: busy workers will be held back"])
        // All CPUs of a part count.
        let whole = try PlacementPlan(PlacementRequest(per: .package), on: topology)
        #expect(whole.notes == more.notes)
        topology.cpuQuota = 0.5
        let one = try PlacementPlan(PlacementRequest(), on: topology)
        #expect(one.notes == ["the cgroup's quota is the time of 0.5 CPUs: 1 worker in place of 8"])
        #expect(one.workers.map(\.reason) == ["core 0 of package 0, first in topological order"])
        topology.cpuQuota = 100
        #expect(try PlacementPlan(PlacementRequest(), on: topology).workers.count == 8)
    }

    @Test("more workers than CPUs share them evenly, and the plan says so")
    func oversubscribed() throws {
        let topology = try machine("pack:1 core:4 pu:1")
        let five = try PlacementPlan(PlacementRequest(workers: 5), on: topology)
        #expect(five.isOversubscribed && five.notes == ["5 workers on 4 CPUs: CPU 0 is shared by 2"])
        let seven = try PlacementPlan(PlacementRequest(workers: 7), on: topology)
        #expect(seven.notes == ["7 workers on 4 CPUs: each of CPUs 0-2 is shared by 2"])
        let ten = try PlacementPlan(PlacementRequest(workers: 10), on: topology)
        #expect(ten.notes == ["10 workers on 4 CPUs: every CPU is shared by 2 or 3"])
        #expect(ten.workers[0].reason.hasSuffix("; shared by 3"))
        let one = try PlacementPlan(PlacementRequest(workers: 2), on: try machine("pack:1 core:1 pu:1"))
        #expect(one.notes == ["2 workers on 1 CPU: it is shared by 2"])
    }

    @Test("a plan for a machine without usable CPUs, or for a senseless number, is an error")
    func impossible() throws {
        var topology = try machine("pack:1 core:4 pu:1")
        for workers in [0, -1, PlacementRequest.largestWorkerCount + 1, .max] {
            let error = #expect(throws: PlacementError.self) {
                try PlacementPlan(PlacementRequest(workers: workers), on: topology)
            }
            #expect(error?.code == .invalidCount && error?.allowed == [0, 1, 2, 3])
        }
        for threads in [0, -1, 5, .max] {
            let error = #expect(throws: PlacementError.self) {
                try PlacementPlan(PlacementRequest(threads: threads), on: topology)
            }
            #expect(error?.code == .invalidCount)
        }
        topology.allowed = []
        let error = #expect(throws: PlacementError.self) { try PlacementPlan(PlacementRequest(), on: topology) }
        #expect(error?.code == .noUsableCPU)
    }
}
