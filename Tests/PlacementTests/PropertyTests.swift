import Machine
import Placement
import Testing

/// What holds of every plan, on many machines and for every number of workers.
@Suite("Properties of plans")
struct PropertyTests {
    static let shapes = [
        "pack:1 core:1 pu:1", "pack:1 core:1 pu:8", "pack:1 core:7 pu:1", "pack:2 core:4 pu:2", "pack:2 core:3 pu:4",
        "pack:3 core:5 pu:1", "pack:2 numa:2 core:3 pu:2", "pack:2 l3:4 core:3 pu:2", "pack:2 numa:2 l3:2 core:2 pu:2",
        "numa:2 pack:2 core:3 pu:2", "pack:2 [numa] [numa] l2:4 core:2 pu:2", "pack:1 l3:3 l2:2 core:2 pu:1",
        "numa:4 pu:2",
        "restricted.xml", "offline.xml", "sparse.xml", "interleaved.xml", "uneven-packages.xml", "uneven-caches.xml",
        "kinds.xml",
    ]

    @Test("on made-up machines", arguments: shapes)
    func shape(name: String) throws {
        try check(try machine(name), named: name)
    }

    @Test("on machines of which a random part is allowed", arguments: 0..<40)
    func randomSubset(seed: Int) throws {
        let name = Self.shapes[seed % 13]
        var topology = try machine(name)
        var random = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1
        topology.allowed = CPUSet(
            topology.allowed.filter { _ in
                random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return random >> 62 != 0
            })
        guard !topology.allowed.isEmpty else { return }
        try check(topology, named: "\(name) with \(topology.allowed)")
    }

    @Test("on machines made at random", arguments: 0..<400)
    func randomMachine(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let description = RandomMachine.description(&random)
        var topology = try Topology(synthetic: description)
        if !seed.isMultiple(of: 4) { topology.allowed = RandomMachine.part(of: topology.allowed, &random) }
        let count = topology.allowed.count
        let name = "\(description) with \(topology.allowed)"
        for mode in [PlacementMode.compact, .balanced] {
            for workers in [
                1, 2, count / 3 + 1, count / 2 + 1, count, count + 1, Int.random(in: 1...count, using: &random),
            ] {
                let plan = try PlacementPlan(PlacementRequest(workers: workers, mode: mode), on: topology)
                #expect(problem(of: plan, mode, on: topology) == nil, "\(workers) workers, \(mode), on \(name)")
            }
        }
        for domain in PlacementDomain.allCases {
            let workers = Int.random(in: 1...count, using: &random)
            let plan = try PlacementPlan(PlacementRequest(workers: workers, mode: .spread(domain)), on: topology)
            #expect(loadProblem(of: plan, on: topology) == nil, "\(workers) workers over \(domain), on \(name)")
        }
    }

    @Test("compact is the first usable cores in topological order", arguments: shapes)
    func compact(name: String) throws {
        let topology = try machine(name)
        guard topology.coreKinds.count < 2 else { return }
        let usable = topology.cores.compactMap { core in
            topology.pus.first { core.cpus.contains($0.osIndex) && topology.allowed.contains($0.osIndex) }?.osIndex
        }
        for workers in 1...usable.count {
            let plan = try PlacementPlan(PlacementRequest(workers: workers, mode: .compact), on: topology)
            #expect(plan.cpus == usable.prefix(workers).map { [$0] })
        }
    }

    @Test("with reservations and others' workers, on machines made at random", arguments: 0..<200)
    func constrained(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed &+ 1_000_000)
        let description = RandomMachine.description(&random)
        let topology = try Topology(synthetic: description)
        var request = PlacementRequest(mode: [.compact, .balanced][Int(seed % 2)])
        let all = Array(topology.allowed)
        request.reserved = CPUSet(all.filter { _ in Int.random(in: 0..<8, using: &random) == 0 })
        let taken = CPUSet(all.filter { _ in Int.random(in: 0..<3, using: &random) == 0 })
        request.occupied = [Occupation(owner: "process 1", cpus: taken)]
        let candidates = topology.allowed.subtracting(request.reserved)
        guard !candidates.isEmpty else { return }
        for workers in 1...candidates.count + 1 {
            request.workers = workers
            let plan = try PlacementPlan(request, on: topology)
            let used = plan.workers.reduce(CPUSet()) { $0.union($1.cpus) }
            #expect(used.isSubset(of: candidates), "\(workers) on \(description)")
            #expect(used.count == min(workers, candidates.count), "\(workers) on \(description)")
            // Nobody's CPU is shared while a free one is idle.
            let isShared = !used.isDisjoint(with: taken)
            #expect(!isShared || candidates.subtracting(taken).isSubset(of: used), "\(workers) on \(description)")
            #expect(isShared == plan.notes.contains { $0.contains("process 1") })
        }
    }

    @Test("on real machines that hwloc's developers collected")
    func realMachines() throws {
        let directory =
            environment("MUSTER_TOPOLOGIES") ?? testDirectory + "/../../../shared/topologies"
        let files = files(in: directory).filter { $0.hasSuffix(".xml") }
        guard !files.isEmpty else {
            print("skipped: no ../shared/topologies")
            return
        }
        for file in files { try check(try Topology(xmlFile: "\(directory)/\(file)"), named: file) }
    }

    private func check(_ topology: Topology, named name: String) throws {
        let count = topology.allowed.count
        for mode in [PlacementMode.compact, .balanced] {
            // Twice over on small machines; on large ones, where it takes seconds, until CPUs are shared.
            for workers in 1...(count > 64 ? count + 3 : 2 * count + 1) {
                let plan = try PlacementPlan(PlacementRequest(workers: workers, mode: mode), on: topology)
                let problem = problem(of: plan, mode, on: topology)
                #expect(problem == nil, "\(workers) workers, \(mode), on \(name)")
            }
            for threads in 2...5 where threads <= count {
                for workers in 1...(count / threads + 2) {
                    let request = PlacementRequest(workers: workers, mode: mode, threads: threads)
                    let plan = try PlacementPlan(request, on: topology)
                    #expect(plan.workers.allSatisfy { $0.cpus.count == threads })
                    #expect(loadProblem(of: plan, on: topology) == nil, "\(workers) × \(threads), \(mode), on \(name)")
                }
            }
        }
    }

    /// What is wrong with a plan of workers of one thread, nil if nothing is.
    private func problem(of plan: PlacementPlan, _ mode: PlacementMode, on topology: Topology) -> String? {
        if let problem = loadProblem(of: plan, on: topology) { return problem }
        guard plan.workers.allSatisfy({ $0.cpus.count == 1 }) else { return "a worker has several CPUs" }
        // Cores before second threads: workers per core differ by no more than what cores have room for.
        var loads = [Int](repeating: 0, count: topology.cores.count)
        var cores: [Int: Int] = [:]
        for pu in topology.pus { cores[pu.osIndex] = pu.core }
        for worker in plan.workers { loads[cores[worker.cpus.min ?? -1] ?? 0] += 1 }
        let usable = topology.cores.indices.filter { !topology.cores[$0].cpus.isDisjoint(with: topology.allowed) }
        let idle = usable.filter { loads[$0] == 0 }
        if !idle.isEmpty, usable.contains(where: { loads[$0] > 1 }) { return "a core is doubled while another idles" }
        // The most capable kind first.
        if let best = idle.map({ topology.cores[$0].kind }).min(),
            usable.contains(where: { loads[$0] > 0 && topology.cores[$0].kind > best })
        {
            return "a less capable core is used while a better one idles"
        }
        return mode == .balanced ? balanceProblem(of: plan, cores: usable.count, on: topology) : nil
    }

    /// Whether a CPU is not allowed, or has two workers more than another.
    private func loadProblem(of plan: PlacementPlan, on topology: Topology) -> String? {
        var loads: [Int: Int] = [:]
        for cpu in topology.allowed { loads[cpu] = 0 }
        for worker in plan.workers {
            for cpu in worker.cpus {
                guard let load = loads[cpu] else { return "CPU \(cpu) is not allowed" }
                loads[cpu] = load + 1
            }
        }
        let (least, most) = (loads.values.min() ?? 0, loads.values.max() ?? 0)
        // Workers of several threads may leave fewer CPUs free than one needs.
        let threads = plan.workers[0].cpus.count
        let total = plan.workers.count * threads
        if most > 1, most - least > 1 { return "CPUs have \(least) to \(most) workers" }
        if total <= topology.allowed.count, most > 1 { return "a CPU is given twice before all are used" }
        return plan.isOversubscribed == (most > 1) ? nil : "oversubscription is not told"
    }

    /// Whether a package has not its share in proportion to its cores, or its workers are not neighbours.
    private func balanceProblem(of plan: PlacementPlan, cores: Int, on topology: Topology) -> String? {
        let packages = plan.workers.map { $0.package ?? -1 }
        let runs = packages.indices.filter { $0 == 0 || packages[$0] != packages[$0 - 1] }
        if runs.count != Set(packages).count { return "workers of a package are not together" }
        let hasKinds = topology.cores.contains { $0.kind > 0 }
        let holdsPackages = topology.numaNodes.contains { node in
            node.cpus != topology.online
                && topology.packages.contains { $0.cpus != node.cpus && $0.cpus.isSubset(of: node.cpus) }
        }
        guard plan.workers.count <= cores, !hasKinds, !holdsPackages else { return nil }
        for (index, package) in topology.packages.enumerated() {
            let own = topology.cores.count { $0.package == index && !$0.cpus.isDisjoint(with: topology.allowed) }
            let share = Double(plan.workers.count * own) / Double(cores)
            let count = packages.count { $0 == package.osIndex }
            // Worker 1 is on the first core, whatever share that core's package has.
            if count < Int(share.rounded(.down)) || count > Int(share.rounded(.up)) {
                return "package \(package.osIndex) has \(count) workers, its share is \(share)"
            }
        }
        return nil
    }
}
