public import Placement

extension MemoryPolicy {
    /// The policy by which a worker's memory comes from where the plan says.
    public init(_ plan: PlacementPlan.Memory) {
        let nodes = Set(plan.nodes)
        switch plan.mode {
        case .local: self = .bind(nodes)
        case .preferred: self = .preferred(plan.nodes[0])
        case .interleave: self = .interleave(nodes)
        case .none: self = .default
        }
    }
}
