public import Placement

extension MemoryPolicy {
    /// The policy by which a worker's memory comes from where the plan says; it may have a ``fallback``.
    public init(_ plan: PlacementPlan.Memory) {
        let nodes = Set(plan.nodes)
        switch plan.mode {
        case .local: self = .bind(nodes)
        case .preferred: self = plan.nodes.count == 1 ? .preferred(plan.nodes[0]) : .preferredMany(nodes)
        // By their weights where the kernel has any, as it is for nodes of different speed.
        case .interleave: self = plan.nodes.count == 1 ? .interleave(nodes) : .weightedInterleave(nodes)
        case .none: self = .default
        }
    }
}
