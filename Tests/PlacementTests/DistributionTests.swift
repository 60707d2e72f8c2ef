import CHwloc
import Machine
import Placement
import Testing

/// `balanced` beside what `hwloc-distrib` does, on machines and allowed sets made at random.
@Suite("Balanced beside hwloc-distrib")
struct DistributionTests {
    /// How many different parts of each kind workers are on.
    private struct Spread {
        var packages = 0
        var nodes = 0
        var caches = 0
        var cores = 0

        init(of cpus: [Int], on topology: Topology) {
            func count(_ parts: [CPUSet]) -> Int { parts.count { part in cpus.contains { part.contains($0) } } }
            packages = count(topology.packages.map(\.cpus))
            nodes = count(topology.numaNodes.map(\.cpus))
            caches = count(topology.caches.filter { $0.level == 3 }.map(\.cpus))
            cores = count(topology.cores.map(\.cpus))
        }
    }

    /// More where there is time.
    private static let seedCount = UInt64(environment("MUSTER_TEST_SEEDS") ?? "") ?? 300

    @Test("it is never worse in spread", arguments: 0..<seedCount)
    func spread(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let description = RandomMachine.description(&random)
        var topology = try Topology(synthetic: description)
        // Whole cores: hwloc shares out by CPUs and the planner by cores, so that half cores have other proportions.
        if !seed.isMultiple(of: 3) {
            let cores = RandomMachine.part(of: CPUSet(topology.cores.indices), &random)
            topology.allowed = cores.reduce(CPUSet()) { $0.union(topology.cores[$1].cpus) }
        }
        let cpuCount = topology.allowed.count
        let distribution = try Distribution(description, allowed: topology.allowed)
        for workers in Set([1, 2, 3, cpuCount / 2, cpuCount, Int.random(in: 1...cpuCount, using: &random)]).sorted()
        where workers > 0 {
            let theirs = Spread(of: distribution.cpus(for: workers), on: topology)
            let plan = try PlacementPlan(PlacementRequest(workers: workers), on: topology)
            let ours = Spread(of: plan.workers.compactMap(\.cpus.min), on: topology)
            #expect(
                ours.packages >= theirs.packages && ours.nodes >= theirs.nodes && ours.caches >= theirs.caches
                    && ours.cores >= theirs.cores,
                "\(workers) workers on \(description) with \(topology.allowed): \(ours), hwloc's \(theirs)")
        }
    }
}

/// What hwloc's own distribution does: `hwloc-distrib --single`.
@safe
private struct Distribution: ~Copyable {
    private let topology: hwloc_topology_t

    init(_ description: String, allowed: CPUSet) throws {
        var created: hwloc_topology_t?
        unsafe hwloc_topology_init(&created)
        unsafe topology = created!
        let set = unsafe hwloc_bitmap_alloc()
        for cpu in allowed { _ = unsafe hwloc_bitmap_set(set, UInt32(cpu)) }
        let isReady =
            unsafe hwloc_topology_set_synthetic(topology, description) == 0 && hwloc_topology_load(topology) == 0
            && hwloc_topology_restrict(topology, set, 0) == 0
        unsafe hwloc_bitmap_free(set)
        try #require(isReady)
    }

    deinit { unsafe hwloc_topology_destroy(topology) }

    /// One CPU for each of `count` workers.
    func cpus(for count: Int) -> [Int] {
        var roots: [hwloc_obj_t?] = unsafe [hwloc_get_root_obj(topology)]
        var sets = unsafe [hwloc_cpuset_t?](repeating: nil, count: count)
        let code = unsafe hwloc_distrib(topology, &roots, 1, &sets, UInt32(count), .max, 0)
        precondition(code == 0)
        var cpus: [Int] = []
        for index in 0..<count {
            unsafe hwloc_bitmap_singlify(sets[index])
            cpus.append(Int(unsafe hwloc_bitmap_first(sets[index])))
            unsafe hwloc_bitmap_free(sets[index])
        }
        return cpus
    }
}
