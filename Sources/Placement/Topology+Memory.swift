extension Topology {
    /// What kind of memory a node has: the source's word for it, or what its bandwidth and place tell.
    ///
    /// `HBM` for the fast ones of several nodes on the same CPUs (and for `MCDRAM`, its name on one machine), `CXL` where
    /// the source says something that begins so, `far` for memory that is local to no CPU; else `DRAM`.
    ///
    /// - Parameter index: Position in ``numaNodes``.
    public func memoryTier(ofNode index: Int) -> String {
        let node = numaNodes[index]
        if let kind = node.kind?.uppercased() {
            if kind == "MCDRAM" { return "HBM" }
            return kind.hasPrefix("CXL") ? "CXL" : kind
        }
        if node.cpus.isEmpty { return "far" }
        let others = numaNodes.indices.filter { $0 != index && numaNodes[$0].cpus == node.cpus }
        if let bandwidth = node.bandwidth, others.contains(where: { numaNodes[$0].bandwidth ?? .max < bandwidth }) {
            return "HBM"
        }
        return "DRAM"
    }

    /// The kinds of memory that the machine has.
    public var memoryTiers: [String] {
        var tiers: [String] = []
        for index in numaNodes.indices where offersMemory(index) {
            let tier = memoryTier(ofNode: index)
            if !tiers.contains(tier) { tiers.append(tier) }
        }
        return tiers
    }

    /// The nodes that memory for work on `cpus` comes from, by OS index in rising order: those local to them, of the
    /// smallest part of the machine, of one tier.
    ///
    /// - Parameter tier: One of ``memoryTiers``; where none of it is local to `cpus`, all of it. Unless told, the ordinary
    ///   memory that is local; none if there is none, as on CPUs without memory of their own.
    func memoryNodes(of cpus: CPUSet, tier: String? = nil) -> [Int] {
        let near = numaNodes.indices.filter { index in
            let own = numaNodes[index].cpus
            guard offersMemory(index), !own.isDisjoint(with: cpus) else { return false }
            // Memory that hangs on the whole machine is not local where some is nearer.
            return !numaNodes.indices.contains { other in
                let cpus = numaNodes[other].cpus.intersection(cpus)
                return offersMemory(other) && !cpus.isEmpty && numaNodes[other].cpus != own
                    && numaNodes[other].cpus.isSubset(of: own)
            }
        }
        let indices: [Int]
        if let tier {
            let wanted = near.filter { memoryTier(ofNode: $0) == tier }
            // Slower memory often hangs on no CPU or on all.
            let all = numaNodes.indices.lazy.filter { offersMemory($0) && memoryTier(ofNode: $0) == tier }
            indices = wanted.isEmpty ? Array(all) : wanted
        } else {
            let ordinary = near.filter { memoryTier(ofNode: $0) == "DRAM" }
            indices = ordinary.isEmpty ? near : ordinary
        }
        return indices.map { numaNodes[$0].osIndex }.sorted()
    }

    /// Whether a node has memory that may be used here.
    private func offersMemory(_ index: Int) -> Bool { numaNodes[index].isUsable && hasMemory(numaNodes[index]) }
}

extension PlacementPlan {
    /// Where a worker's memory comes from.
    public struct Memory: Hashable, Codable, Sendable {
        /// How its nodes are used; never ``MemoryMode/none``.
        public let mode: MemoryMode
        /// The nodes, by OS index in rising order, at least one.
        public let nodes: [Int]
    }
}

extension PlacementPlan.Memory: CustomStringConvertible {
    /// Mode and nodes, such as `local 0` or `interleave 0-3`.
    public var description: String { "\(mode.rawValue) \(CPUSet(nodes))" }
}

/// Chooses workers' memory.
struct MemoryChoice {
    private let topology: Topology
    private let mode: MemoryMode
    private let tier: String?
    /// The nodes of all workers, for interleaving.
    private let common: [Int]

    /// - Parameter cpus: Those of all workers.
    /// - Throws: ``PlacementError`` if the machine has no memory of the tier asked for.
    init(_ request: PlacementRequest, on topology: Topology, for cpus: CPUSet) throws(PlacementError) {
        self.topology = topology
        mode = request.memory
        tier = request.memoryTier.map { $0.uppercased() == "FAR" ? "far" : $0.uppercased() }
        if let tier, !topology.memoryTiers.contains(tier) {
            let tiers = topology.memoryTiers.joined(separator: ", ")
            throw PlacementError(
                code: .noSuchMemory, cpu: nil, allowed: topology.allowed,
                problem: "there is no memory of the kind \(request.memoryTier ?? "")",
                cure: tiers.isEmpty ? "no memory is known here; leave it out" : "there is \(tiers)")
        }
        common = mode == .interleave ? topology.memoryNodes(of: cpus, tier: tier) : []
    }

    /// The memory of a worker on `cpus`; nil to leave it as it is.
    func memory(of cpus: CPUSet) -> PlacementPlan.Memory? {
        switch mode {
        case .none: return nil
        case .interleave: return common.isEmpty ? nil : PlacementPlan.Memory(mode: mode, nodes: common)
        case .local, .preferred:
            let nodes = topology.memoryNodes(of: cpus, tier: tier)
            // A worker that spans nodes takes its memory from where each of its threads runs.
            guard !nodes.isEmpty, mode == .local || nodes.count == 1 || tier != nil else { return nil }
            return PlacementPlan.Memory(mode: mode, nodes: nodes)
        }
    }
}
