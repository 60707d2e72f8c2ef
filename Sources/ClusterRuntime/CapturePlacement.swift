import Placement

/// Of which memory workers have the large arrays that a map captures.
public struct CapturePlacement: Hashable, Sendable {
    private enum Kind { case perHost, perNUMANode }
    private let kind: Kind

    /// One copy for all workers of a host.
    public static let perHost = CapturePlacement(kind: .perHost)

    /// One copy on each NUMA node where a worker sits, for the workers there: for arrays that bodies read so much that the
    /// way to another node's memory is what holds them up.
    ///
    /// A worker is on a node if it was placed there, and nowhere else; all others have one copy in common, which may lie
    /// anywhere. A copy is made when the first worker of its node needs it. On a host with one node, and where a container
    /// forbids to place memory, which is said once, all have the copy in common. Where a node has no room for its copy, a
    /// part of that lies elsewhere; that is said, too.
    ///
    /// Arrays of less than 64 KiB, and all that is no array of numbers, come to each worker by themselves anyway.
    public static let perNUMANode = CapturePlacement(kind: .perNUMANode)

    /// The node whose copy a worker gets; nil for the one in common.
    ///
    /// - Parameters:
    ///   - numa: The nodes of the CPUs that it was placed on; none if it was not placed.
    ///   - nodes: Those of its host that memory can be placed on, if there are several. Asked for only if it matters.
    func node(ofWorkerOn numa: [Int], among nodes: @autoclosure () -> Set<Int>) -> Int? {
        guard kind == .perNUMANode, numa.count == 1, let node = numa.first else { return nil }
        let nodes = nodes()
        return nodes.count > 1 && nodes.contains(node) ? node : nil
    }
}

extension PlacementPlan.Worker {
    /// The nodes that its own memory comes from, where they are its own; else those of its CPUs.
    var homeNodes: [Int] {
        guard let memory, memory.mode != .interleave else { return numa }
        return memory.nodes
    }
}

/// One of the copies of captures: where it lies.
struct CaptureCopy: Hashable, Sendable {
    /// What the links to the workers of a host have in common.
    let memory: ObjectIdentifier
    /// The NUMA node it was placed on; nil for the copy that all other workers have in common.
    let node: Int?
}
