/// The CPUs of a topology that a plan may use, in topological order, and how they hang together.
struct UsableCPUs {
    /// A usable CPU.
    struct CPU {
        /// The kernel's number.
        let osIndex: Int
        /// Position of its core in the topology.
        let core: Int
        /// Which of its core's usable CPUs it is, from 0.
        let thread: Int
        /// Rank of its core's kind, 0 for the most capable.
        let kind: Int
    }

    /// The CPUs; a position in this list stands for a CPU everywhere in the planner.
    let cpus: [CPU]
    /// The machine by packages, NUMA nodes and L3 caches: what `balanced` shares out over.
    let shared: Domain
    /// The machine by these and also L2 caches and cores: where CPUs of one worker are looked for.
    let nearest: Domain

    init(_ topology: Topology) {
        var threads = [Int](repeating: 0, count: topology.cores.count)
        var cpus: [CPU] = []
        for pu in topology.pus where topology.allowed.contains(pu.osIndex) {
            let kind = topology.cores[pu.core].kind
            cpus.append(CPU(osIndex: pu.osIndex, core: pu.core, thread: threads[pu.core], kind: kind))
            threads[pu.core] += 1
        }
        var positions: [Int: Int] = [:]
        for (position, cpu) in cpus.enumerated() { positions[cpu.osIndex] = position }

        /// The range of positions that `set` covers, nil if it is none.
        func range(of set: CPUSet) -> Range<Int>? {
            var (low, high, count) = (Int.max, -1, 0)
            for cpu in set {
                guard let position = positions[cpu] else { continue }
                (low, high, count) = (min(low, position), max(high, position), count + 1)
            }
            return count > 0 && high - low + 1 == count ? low..<(high + 1) : nil
        }
        let caches = topology.caches
        let large =
            topology.packages.compactMap { range(of: $0.cpus) }
            + topology.numaNodes.compactMap { range(of: $0.cpus) }
            + caches.lazy.filter { $0.level == 3 }.compactMap { range(of: $0.cpus) }
        let small =
            caches.lazy.filter { $0.level == 2 }.compactMap { range(of: $0.cpus) }
            + topology.cores.compactMap { range(of: $0.cpus) }
        self.cpus = cpus
        shared = Domain(cpus.indices, dividedBy: large)
        nearest = Domain(cpus.indices, dividedBy: large + small)
    }

    /// The kinds of the usable cores, the most capable first.
    var kinds: [Int] { Set(cpus.lazy.map(\.kind)).sorted() }
}
