/// The CPUs of a topology that a plan may use, in topological order, and how they hang together.
struct UsableCPUs {
    /// A usable CPU, and the positions in the topology's lists of what it is part of.
    struct CPU {
        /// The kernel's number.
        let osIndex: Int
        /// Its core.
        let core: Int
        /// Which of its core's usable CPUs it is, from 0.
        let thread: Int
        /// Rank of its core's kind, 0 for the most capable.
        let kind: Int
        /// Its package, if known.
        let package: Int?
        /// Its L2 cache, if known.
        var l2: Int?
        /// Its L3 cache, if known.
        var l3: Int?
        /// Its NUMA node, the first if several are local to it.
        var numa: Int?
    }

    /// The CPUs; a position in this list stands for a CPU everywhere in the planner.
    let cpus: [CPU]
    /// The position of each CPU by the kernel's number.
    let positions: [Int: Int]
    /// The machine by packages, NUMA nodes and L3 caches: what `balanced` shares out over.
    let shared: Domain
    /// The machine by these and also L2 caches and cores: where CPUs of one worker are looked for.
    let nearest: Domain

    init(_ topology: Topology) {
        var threads = [Int](repeating: 0, count: topology.cores.count)
        var cpus: [CPU] = []
        var positions: [Int: Int] = [:]
        for pu in topology.pus where topology.allowed.contains(pu.osIndex) {
            let core = topology.cores[pu.core]
            positions[pu.osIndex] = cpus.count
            cpus.append(
                CPU(
                    osIndex: pu.osIndex, core: pu.core, thread: threads[pu.core], kind: core.kind,
                    package: core.package))
            threads[pu.core] += 1
        }

        /// The range of positions that `set` covers, nil if it is none.
        func range(of set: CPUSet) -> Range<Int>? {
            var (low, high, count) = (Int.max, -1, 0)
            for cpu in set {
                guard let position = positions[cpu] else { continue }
                (low, high, count) = (min(low, position), max(high, position), count + 1)
            }
            return count > 0 && high - low + 1 == count ? low..<(high + 1) : nil
        }
        var large = topology.packages.compactMap { range(of: $0.cpus) }
        var small = topology.cores.compactMap { range(of: $0.cpus) }
        // From the last to the first, so that of several nodes on the same CPUs the first stays.
        for (index, node) in topology.numaNodes.enumerated().reversed() {
            large += range(of: node.cpus).map { [$0] } ?? []
            for cpu in node.cpus { positions[cpu].map { cpus[$0].numa = index } }
        }
        for (index, cache) in topology.caches.enumerated() {
            let range = range(of: cache.cpus).map { [$0] } ?? []
            if cache.level == 3 { large += range } else { small += range }
            let place = cache.level == 3 ? \CPU.l3 : \CPU.l2
            for cpu in cache.cpus { positions[cpu].map { cpus[$0][keyPath: place] = index } }
        }
        self.cpus = cpus
        self.positions = positions
        shared = Domain(cpus.indices, dividedBy: large)
        nearest = Domain(cpus.indices, dividedBy: large + small)
    }

    /// The kinds of the usable cores, the most capable first.
    var kinds: [Int] { Set(cpus.lazy.map(\.kind)).sorted() }

    /// What the CPUs at all `positions` have in common by `part`, such as their package; nil if they differ.
    func common(_ part: KeyPath<CPU, Int?>, of positions: [Int]) -> Int? {
        guard let first = positions.first, let index = cpus[first][keyPath: part] else { return nil }
        return positions.allSatisfy { cpus[$0][keyPath: part] == index } ? index : nil
    }

    /// The core that CPUs at all `positions` are threads of; nil if there are several.
    func commonCore(of positions: [Int]) -> Int? {
        guard let first = positions.first else { return nil }
        return positions.allSatisfy { cpus[$0].core == cpus[first].core } ? cpus[first].core : nil
    }
}
