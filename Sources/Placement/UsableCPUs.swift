/// The CPUs of a topology that a plan may use, in topological order, and how they hang together.
struct UsableCPUs {
    /// A usable CPU, and the positions in the topology's lists of what it is part of.
    struct CPU {
        /// The kernel's number.
        let osIndex: Int
        /// Its core.
        let core: Int
        /// How many CPUs of its core come before it: those that others use, then the usable ones of lower rank.
        let thread: Int
        /// Rank of its core's kind, 0 for the most capable.
        let kind: Int
        /// Whether a worker of somebody else has it.
        let isOccupied: Bool
        /// Its package, if known.
        let package: Int?
        /// Its L2 cache, if known.
        var l2: Int?
        /// Its L3 cache, if known.
        var l3: Int?
        /// Its NUMA node, the first if several are local to it.
        var numa: Int?
    }

    /// A stretch of positions, and what users call it.
    struct Part {
        let range: Range<Int>
        let name: String
    }

    /// The CPUs; a position in this list stands for a CPU everywhere in the planner.
    let cpus: [CPU]
    /// The position of each CPU by the kernel's number.
    let positions: [Int: Int]
    /// Packages, NUMA nodes, groups and L3 caches that cover a stretch: what `balanced` shares out over.
    let parts: [Part]
    /// The machine by these.
    let shared: Domain
    /// The machine by these and also L2 caches and cores: where CPUs of one worker are looked for.
    let nearest: Domain

    init(_ topology: Topology, _ selection: Selection) {
        var free = topology.cores.map { $0.cpus.intersection(selection.used).count }
        var occupied = [Int](repeating: 0, count: topology.cores.count)
        var cpus: [CPU] = []
        var positions: [Int: Int] = [:]
        for pu in topology.pus where selection.candidates.contains(pu.osIndex) {
            let core = topology.cores[pu.core]
            let isOccupied = selection.occupied.contains(pu.osIndex)
            positions[pu.osIndex] = cpus.count
            cpus.append(
                CPU(
                    osIndex: pu.osIndex, core: pu.core, thread: isOccupied ? occupied[pu.core] : free[pu.core],
                    kind: core.kind, isOccupied: isOccupied, package: core.package))
            if isOccupied { occupied[pu.core] += 1 } else { free[pu.core] += 1 }
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
        func part(_ set: CPUSet, _ name: String) -> Part? { range(of: set).map { Part(range: $0, name: name) } }
        var parts = topology.packages.compactMap { part($0.cpus, "package \($0.osIndex)") }
        var small = topology.cores.compactMap { range(of: $0.cpus) }
        // From the last to the first, so that of several nodes on the same CPUs the first stays.
        for (index, node) in topology.numaNodes.enumerated().reversed() {
            for cpu in node.cpus { positions[cpu].map { cpus[$0].numa = index } }
        }
        parts += topology.numaNodes.compactMap { part($0.cpus, "NUMA node \($0.osIndex)") }
        parts += topology.groups.compactMap { group in
            part(group.cpus, "\(group.kind.map { "the \($0.lowercased())" } ?? "the group") of CPU \(group.cpus)")
        }
        for (index, cache) in topology.caches.enumerated() {
            if cache.level == 3 {
                part(cache.cpus, "the L3 cache of CPU \(cache.cpus)").map { parts.append($0) }
            } else {
                range(of: cache.cpus).map { small.append($0) }
            }
            let place = cache.level == 3 ? \CPU.l3 : \CPU.l2
            for cpu in cache.cpus { positions[cpu].map { cpus[$0][keyPath: place] = index } }
        }
        self.cpus = cpus
        self.positions = positions
        self.parts = parts
        let large = parts.map(\.range)
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

    /// The usable CPUs by the parts of a kind, each part's positions in topological order; CPUs that are in none are left
    /// out.
    func groups(by domain: PlacementDomain) -> [[Int]] {
        var groups: [[Int]] = []
        var known: [Int: Int] = [:]
        for (position, cpu) in cpus.enumerated() {
            let part: Int? =
                switch domain {
                case .package: cpu.package
                case .numa: cpu.numa
                case .l3: cpu.l3
                case .core: cpu.core
                case .pu: position
                }
            guard let part else { continue }
            if let index = known[part] {
                groups[index].append(position)
            } else {
                known[part] = groups.count
                groups.append([position])
            }
        }
        return groups
    }
}
