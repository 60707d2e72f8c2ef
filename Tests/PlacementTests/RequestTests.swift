import Machine
import Placement
import Testing

/// Plans for what a request may say besides the number and mode, worked out by hand.
@Suite("What a request can ask for")
struct RequestTests {
    private func plan(_ machine: String, _ request: PlacementRequest) throws -> PlacementPlan {
        try PlacementPlan(request, on: try PlacementTests.machine(machine))
    }

    private func failure(_ machine: String, _ request: PlacementRequest) throws -> PlacementError? {
        let topology = try PlacementTests.machine(machine)
        return #expect(throws: PlacementError.self) { try PlacementPlan(request, on: topology) }
    }

    @Test(
        "workers are spread over parts of one kind, and are compact inside each",
        arguments: [
            // Packages of 8 cores, nodes of 4, caches of 2; a core has CPUs 2c and 2c + 1.
            (PlacementDomain.package, 3, [0, 2, 16]), (.package, 5, [0, 2, 4, 16, 18]),
            (.numa, 3, [0, 8, 16]), (.numa, 6, [0, 2, 8, 10, 16, 24]),
            (.l3, 3, [0, 4, 8]), (.l3, 9, [0, 2, 4, 8, 12, 16, 20, 24, 28]),
            (.core, 3, [0, 2, 4]), (.core, 17, [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 1]),
            (.pu, 3, [0, 1, 2]), (.pu, 33, Array(0..<32) + [0]),
        ])
    func spread(domain: PlacementDomain, workers: Int, expected: [Int]) throws {
        let plan = try plan(
            "pack:2 numa:2 l3:2 core:2 pu:2", PlacementRequest(workers: workers, mode: .spread(domain)))
        #expect(plan.cpus == expected.map { [$0] })
    }

    @Test("one worker per part has all its CPUs, or as many as it has threads, of whole cores where they suffice")
    func per() throws {
        let machine = "pack:2 numa:2 core:2 pu:2"
        let nodes = try plan(machine, PlacementRequest(per: .numa))
        #expect(nodes.cpus == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11], [12, 13, 14, 15]])
        #expect(nodes.workers.map(\.numa) == [[0], [1], [2], [3]])
        #expect(nodes.workers[1].reason == "4 CPUs on NUMA node 1, one worker per numa")
        #expect(
            try plan(machine, PlacementRequest(per: .numa, threads: 2)).cpus == [[0, 2], [4, 6], [8, 10], [12, 14]])
        #expect(
            try plan(machine, PlacementRequest(per: .numa, threads: 3)).cpus == [
                [0, 1, 2], [4, 5, 6], [8, 9, 10], [12, 13, 14],
            ])
        #expect(try plan(machine, PlacementRequest(per: .package)).cpus == [Array(0..<8), Array(8..<16)])
        #expect(try plan(machine, PlacementRequest(per: .core)).cpus.count == 8)
        // Cores before second threads: those of each node, and with two workers one in either package.
        #expect(
            try plan(machine, PlacementRequest(per: .pu)).cpus
                == [0, 4, 8, 12].flatMap { [[$0], [$0 + 2], [$0 + 1], [$0 + 3]] })
        #expect(try plan(machine, PlacementRequest(per: .pu, workers: 2)).cpus == [[0], [8]])
        #expect(try failure(machine, PlacementRequest(per: .pu, threads: 2))?.code == .invalidCount)
        // Two of four nodes, one in either package.
        #expect(try plan(machine, PlacementRequest(per: .numa, workers: 2)).workers.map(\.numa) == [[0], [2]])
        var compact = PlacementRequest(per: .numa, workers: 2)
        compact.mode = .compact
        #expect(try plan(machine, compact).workers.map(\.numa) == [[0], [1]])
        #expect(try failure(machine, PlacementRequest(per: .numa, workers: 5))?.code == .invalidCount)
        #expect(try failure(machine, PlacementRequest(per: .numa, threads: 5))?.code == .invalidCount)
        #expect(try failure(machine, PlacementRequest(per: .l3))?.code == .noSuchPart)
        // Parts where others have CPUs come after those where nobody is, and last those where nothing else is left.
        for mode in [PlacementMode.balanced, .compact] {
            var shared = PlacementRequest(per: .numa, workers: 3)
            shared.mode = mode
            shared.occupied = [Occupation(owner: "process 7", cpus: [0, 4, 5, 6, 7])]
            #expect(try plan(machine, shared).cpus == [[8, 9, 10, 11], [12, 13, 14, 15], [1, 2, 3]])
            #expect(try plan(machine, shared).notes.isEmpty)
            shared.workers = 1
            #expect(try plan(machine, shared).cpus == [[8, 9, 10, 11]])
            shared.workers = 4
            #expect(try plan(machine, shared).notes.contains { $0.hasPrefix("CPUs 4-7 are in use") })
            shared.workers = 5
            #expect(try failure(machine, shared)?.code == .invalidCount)
        }
        // Only what is allowed: two cores of either package.
        #expect(try plan("restricted.xml", PlacementRequest(per: .package)).cpus == [[4, 5, 6, 7], [8, 9, 10, 11]])
    }

    @Test("reserved CPUs go to nobody, and their siblings to no worker while a core is idle")
    func reserved() throws {
        var request = PlacementRequest(mode: .compact)
        request.reserved = [0, 1, 4]
        // Cores 1 and 3 of four are wholly free; the default is one worker on each.
        let plan = try plan("pack:1 core:4 pu:2", request)
        #expect(plan.cpus == [[2], [6]] && plan.usable == [2, 3, 5, 6, 7])
        request.workers = 4
        #expect(try self.plan("pack:1 core:4 pu:2", request).cpus == [[2], [6], [3], [5]])
        request.reserved = CPUSet(0..<8)
        #expect(try failure("pack:1 core:4 pu:2", request)?.code == .reserved)
        var listed = PlacementRequest(cpus: [3, 4])
        listed.reserved = [4]
        let error = try failure("pack:1 core:4 pu:2", listed)
        #expect(error?.code == .reserved && error?.cpu == 4)
    }

    @Test("CPUs of others come last, their siblings before them, and sharing is said")
    func occupied() throws {
        let machine = "pack:1 core:4 pu:2"
        var request = PlacementRequest(workers: 2, mode: .compact)
        request.occupied = [Occupation(owner: "process 7", cpus: [0, 2]), Occupation(owner: "process 9", cpus: [4])]
        #expect(try plan(machine, request).cpus == [[6], [1]])
        #expect(try plan(machine, request).notes.count == 1)  // two workers on the cores of others, or siblings
        request.workers = 6
        let six = try plan(machine, request)
        #expect(six.cpus == [[6], [1], [3], [5], [7], [0]] && !six.isOversubscribed)
        #expect(six.notes.contains("CPU 0 is in use by workers of process 7 already, and shared with them"))
        #expect(six.workers[5].reason == "core 0 of package 0: all others are in use")
        // Without a number: as many as there are cores that nobody uses; if none is left, as there are cores.
        request.workers = nil
        #expect(try plan(machine, request).cpus == [[6]])
        request.occupied = [Occupation(owner: "process 7", cpus: CPUSet(0..<8))]
        #expect(try plan(machine, request).cpus == [[0], [2], [4], [6]])
        #expect(
            try plan(machine, request).notes.contains(
                "CPUs 0,2,4,6 are in use by workers of process 7 already, and shared with them"))
        // Several threads, balanced: the free package.
        var pairs = PlacementRequest(workers: 2, threads: 2)
        pairs.occupied = [Occupation(owner: "process 7", cpus: CPUSet(0..<8))]
        #expect(try plan("pack:2 core:4 pu:2", pairs).cpus == [[8, 9], [10, 11]])
    }

    @Test("a kind of core can be asked for by rank, letter or name")
    func kinds() throws {
        // Small cores 0, 1, 4, 5, large ones 2, 3, 6, 7.
        for (name, cpus) in [
            ("P", [[2], [3], [6], [7]]), ("large", [[2], [3], [6], [7]]), ("1", [[0], [1], [4], [5]]),
        ] {
            var request = PlacementRequest()
            request.coreKind = name
            #expect(try plan("kinds.xml", request).cpus == cpus, "\(name)")
        }
        var request = PlacementRequest()
        request.coreKind = "Medium"
        let error = try failure("kinds.xml", request)
        #expect(error?.code == .noSuchKind && error?.cure == "ask for 0 (Large), 1 (Small)")
        request.coreKind = "E"
        #expect(try failure("pack:1 core:4 pu:1", request)?.code == .noSuchKind)
        request.coreKind = "P"
        #expect(try plan("pack:1 core:4 pu:1", request).workers.count == 4)
    }

    @Test("workers near a device are on its CPUs, and have its memory")
    func near() throws {
        var topology = try machine("pack:2 [numa] core:4 pu:1")
        topology.devices = [
            .init(kind: .gpu, names: ["card0", "cuda0"], busID: "0000:3b:00.0", cpus: CPUSet(0..<4)),
            .init(kind: .gpu, names: [], busID: "0000:af:00.0", cpus: CPUSet(4..<8)),
            .init(kind: .network, names: ["ib0"], busID: "0001:af:00.0", cpus: CPUSet(4..<8)),
        ]
        for name in ["gpu1", "0000:af:00.0", "AF:00.0", "ib0", "nic0", "0001:af:00.0"] {
            var request = PlacementRequest(workers: 2)
            request.near = name
            let plan = try PlacementPlan(request, on: topology)
            #expect(plan.cpus == [[4], [5]] && plan.workers.allSatisfy { $0.memory?.nodes == [1] }, "\(name)")
        }
        for name in ["cuda0", "gpu0", "3b:00.0"] {
            var request = PlacementRequest()
            request.near = name
            #expect(try PlacementPlan(request, on: topology).cpus == [[0], [1], [2], [3]], "\(name)")
        }
        for name in ["gpu2", "gpu-1", "gpu", "eth9", "", "00:00.0"] {
            var request = PlacementRequest()
            request.near = name
            let error = #expect(throws: PlacementError.self) { try PlacementPlan(request, on: topology) }
            #expect(error?.code == .noSuchDevice && error?.cure.contains("card0, 0000:af:00.0, ib0") == true)
        }
        topology.allowed = [0, 1]
        var request = PlacementRequest()
        request.near = "ib0"
        let error = #expect(throws: PlacementError.self) { try PlacementPlan(request, on: topology) }
        #expect(error?.code == .noUsableCPU && error?.problem == "no usable CPU is near ib0 (CPU 4-7)")
    }
}

/// Which nodes memory comes from.
@Suite("Memory of a plan")
struct PlanMemoryTests {
    private func memory(
        _ topology: Topology, _ mode: MemoryMode, tier: String? = nil, workers: Int = 2, threads: Int = 1
    ) throws -> [PlacementPlan.Memory?] {
        var request = PlacementRequest(workers: workers, threads: threads)
        request.memory = mode
        request.memoryTier = tier
        return try PlacementPlan(request, on: topology).workers.map(\.memory)
    }

    @Test("local, preferred and interleaved memory is that of the workers' nodes")
    func modes() throws {
        let topology = try machine("pack:2 numa:2 core:2 pu:1")
        for mode in [MemoryMode.local, .preferred] {
            #expect(try memory(topology, mode).map { $0?.nodes } == [[0], [2]])
            #expect(try memory(topology, mode).allSatisfy { $0?.mode == mode })
        }
        #expect(try memory(topology, .interleave).map { $0?.nodes } == [[0, 2], [0, 2]])
        #expect(try memory(topology, .none) == [nil, nil])
        // Four threads are on two nodes: bound to both, but none is preferred for all.
        #expect(try memory(topology, .local, workers: 1, threads: 4).map { $0?.nodes } == [[0, 1]])
        #expect(try memory(topology, .preferred, workers: 1, threads: 4) == [nil])
    }

    @Test("of several kinds the ordinary is taken, and another one where it is asked for")
    func tiers() throws {
        var topology = try machine("pack:2 [numa(memory=16GB)] core:2 pu:1")
        let (first, second) = (topology.numaNodes[0].cpus, topology.numaNodes[1].cpus)
        topology.numaNodes[0].bandwidth = 20_000
        topology.numaNodes += [
            .init(osIndex: 2, memoryByteCount: 1 << 30, cpus: first, bandwidth: 90_000),
            .init(osIndex: 3, memoryByteCount: 1 << 30, cpus: second, kind: "MCDRAM"),
            .init(osIndex: 4, memoryByteCount: 1 << 40, cpus: first.union(second), kind: "CXL-DRAM"),
            .init(osIndex: 5, memoryByteCount: 1 << 40, cpus: []),
            .init(osIndex: 6, memoryByteCount: 0, cpus: [], kind: "HBM"),
        ]
        #expect(topology.memoryTiers == ["DRAM", "HBM", "CXL", "far"])
        #expect(try memory(topology, .local).map { $0?.nodes } == [[0], [1]])
        #expect(try memory(topology, .local, tier: "HBM").map { $0?.nodes } == [[2], [3]])
        #expect(try memory(topology, .local, tier: "hbm").map { $0?.nodes } == [[2], [3]])
        #expect(try memory(topology, .local, tier: "CXL").map { $0?.nodes } == [[4], [4]])
        #expect(try memory(topology, .preferred, tier: "far").map { $0?.nodes } == [[5], [5]])
        #expect(try memory(topology, .interleave, tier: "HBM").map { $0?.nodes } == [[2, 3], [2, 3]])
        let error = #expect(throws: PlacementError.self) { try memory(topology, .local, tier: "NVM") }
        #expect(error?.code == .noSuchMemory && error?.cure == "there is DRAM, HBM, CXL, far")
    }

    @Test("CPUs without memory of their own leave it to the kernel, and nodes without memory are nobody's")
    func without() throws {
        var topology = try machine("pack:2 [numa(memory=16GB)] core:2 pu:1")
        topology.numaNodes[1].memoryByteCount = 0
        #expect(try memory(topology, .local).map { $0?.nodes } == [[0], nil])
        var request = PlacementRequest(workers: 2)
        request.memory = .local
        #expect(
            try PlacementPlan(request, on: topology).notes == [
                "worker 2: no memory is local to the CPUs, so that the kernel takes the nearest"
            ])
        topology.numaNodes = []
        #expect(try memory(topology, .local) == [nil, nil] && memory(topology, .interleave) == [nil, nil])
    }
}

@Suite("Explanations")
struct ExplanationTests {
    @Test("tell the shares, the siblings and the memory")
    func balanced() throws {
        let topology = try machine("pack:2 numa:2 core:2 pu:2")
        let all = try PlacementPlan.explanations(of: PlacementRequest(workers: 3), on: topology)
        #expect(
            all[1] == [
                "package 0 gets 2 of 3 workers: it has 4 of 8 usable cores",
                "NUMA node 1 gets 1 of 2 workers: it has 2 of 4 usable cores",
                "its sibling CPU 5 stays idle: a second thread of a core is taken when no core is left",
                "memory: from node 1 while there is some, local to its CPUs",
            ])
    }

    @Test("tell who has a sibling, and why a second thread is taken")
    func siblings() throws {
        var topology = try machine("pack:1 core:3 pu:2")
        topology.allowed = [0, 1, 2, 3, 4]
        var request = PlacementRequest(workers: 4, mode: .compact)
        request.reserved = [3]
        let all = try PlacementPlan.explanations(of: request, on: topology)
        // Whole cores: 0 and 2 (half of it allowed); then CPU 2, whose sibling is reserved, and CPU 1.
        #expect(all[0].contains("its sibling CPU 1 has worker 3"))
        #expect(all[1].contains("its sibling CPU 5 is not allowed here"))
        #expect(all[2].contains("a 2nd thread of its core, since no core is left that is idle as a whole"))
        #expect(all[3].contains("its sibling CPU 3 is reserved"))
        request.occupied = [Occupation(owner: "process 7", cpus: [4])]
        request.workers = 1
        let others = try PlacementPlan.explanations(of: request, on: topology)
        #expect(
            others[0].contains("its sibling CPU 1 stays idle: a second thread of a core is taken when no core is left"))
    }

    @Test("tell the kind of core, the list and what is shared")
    func others() throws {
        let kinds = try PlacementPlan.explanations(of: PlacementRequest(workers: 5), on: try machine("kinds.xml"))
        #expect(kinds[0].contains("a core of kind 0 (Large), the most capable: these are taken first"))
        #expect(kinds.joined().contains("a core of kind 1 (Small): all more capable ones have workers"))
        let listed = try PlacementPlan.explanations(
            of: PlacementRequest(cpus: [3, 1]), on: try machine("pack:1 core:4 pu:1"))
        #expect(listed[1][0] == "its CPUs are those of entry 2 of the list")
        let shared = try PlacementPlan.explanations(
            of: PlacementRequest(workers: 3), on: try machine("pack:1 core:2 pu:1"))
        #expect(shared[0].contains("CPU 0 is shared by workers 1,3: there are more workers than CPUs"))
    }

    @Test("say nothing of how cores are taken where the request says which")
    func chosen() throws {
        let kinds = try machine("kinds.xml")  // small cores 0, 1, 4, 5, large ones 2, 3, 6, 7
        let listed = try PlacementPlan.explanations(of: PlacementRequest(cpus: [0]), on: kinds)
        #expect(listed[0].contains("a core of kind 1 (Small)"))
        let whole = try PlacementPlan.explanations(of: PlacementRequest(per: .package), on: kinds)
        #expect(!whole.joined().contains { $0.hasSuffix("taken first") || $0.hasSuffix("have workers") })
        let one = try machine("pack:1 core:2 pu:2")
        for (request, state) in [
            (PlacementRequest(per: .core, threads: 1), "stays idle: there are more CPUs than threads of workers"),
            (PlacementRequest(workers: 1, mode: .spread(.pu)), "stays idle: there is no worker left for it"),
            (
                PlacementRequest(workers: 1, threads: 3),
                "stays idle: places that begin on another's core are taken last"
            ),
        ] {
            let sentences = try PlacementPlan.explanations(of: request, on: one)[0]
            #expect(sentences.contains { $0.hasPrefix("its sibling CPU") && $0.hasSuffix(state) }, "\(sentences)")
        }
        var near = PlacementRequest(workers: 1)
        near.near = "eth0"
        var topology = one
        topology.devices = [.init(kind: .network, names: ["eth0"], cpus: [0, 2])]
        #expect(
            try PlacementPlan.explanations(of: near, on: topology)[0].contains(
                "its sibling CPU 1 is not of the kind, or not near the device, that was asked for"))
    }

    @Test("stay short where many share a CPU")
    func crowd() throws {
        let all = try PlacementPlan.explanations(
            of: PlacementRequest(workers: 5000), on: try machine("pack:1 core:1 pu:2"))
        #expect(all[0].contains("CPU 0 is shared by 2500 workers: there are more workers than CPUs"))
        #expect(all[0].contains("its sibling CPU 1 has 2500 workers"))
    }
}
