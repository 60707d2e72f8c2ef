import Muster

/// The lines above a picture of a machine.
struct MachineSummary {
    /// What the machine has, in one line.
    let title: String
    /// What may be used of it, and who uses it, a line each.
    let details: [String]

    init(_ topology: Topology, plan: PlacementPlan?) {
        let memory = topology.numaNodes.reduce(UInt64(0)) { sum, node in
            let (memory, isTooLarge) = sum.addingReportingOverflow(node.memoryByteCount)
            return isTooLarge ? .max : memory
        }
        title =
            "Machine: "
            + [
                PictureText.count(topology.packages.count, "package"),
                PictureText.count(topology.numaNodes.count, "NUMA node"),
                PictureText.count(topology.cores.count, "core"), PictureText.count(topology.pus.count, "CPU"),
                memory > 0 ? PictureText.size(memory) : "memory unknown",
            ].joined(separator: ", ")

        var details: [String] = []
        let caches = [3, 2].flatMap { Self.caches(topology, level: $0) }
        if !caches.isEmpty { details.append("Caches: " + caches.joined(separator: ", ")) }
        let list = topology.allowed.isEmpty ? "" : ", \(topology.allowed)"
        let all = PictureText.count(topology.complete.count, "CPU")
        details.append("Usable: \(topology.allowed.count) of \(all)\(list)")
        let absent = topology.complete.subtracting(CPUSet(topology.pus.lazy.map(\.osIndex)))
        if !absent.isEmpty { details.append("Offline or kept from this process: CPU \(absent)") }
        if let quota = topology.cpuQuota { details.append("Quota: the time of \(quota) CPUs") }
        if let plan {
            let taken = plan.workers.reduce(CPUSet()) { $0.union($1.cpus) }
            let workers = PictureText.count(plan.workers.count, "worker")
            let usable = PictureText.count(plan.usable.count, "usable CPU")
            details.append("Plan: \(workers) on \(taken.count) of \(usable)")
            details += plan.notes.map { "note: \($0)" }
        }
        self.details = details
    }

    /// The caches of a level, those of a size together.
    private static func caches(_ topology: Topology, level: Int) -> [String] {
        var counts: [(size: UInt64, count: Int)] = []
        for cache in topology.caches where cache.level == level && !cache.cpus.isEmpty {
            if let same = counts.firstIndex(where: { $0.size == cache.byteCount }) {
                counts[same].count += 1
            } else {
                counts.append((cache.byteCount, 1))
            }
        }
        return counts.map { size, count in "\(count) × L\(level)\(size > 0 ? " \(PictureText.size(size))" : "")" }
    }
}
