/// The CPUs that a request leaves to choose from.
struct Selection {
    /// CPUs that workers may get.
    let candidates: CPUSet
    /// Those of them that workers of others have: taken last.
    let occupied: CPUSet
    /// CPUs of this machine that are used by others or reserved, candidates or not: their siblings are no idle cores.
    let used: CPUSet

    /// Applies what the request says about CPUs, and nothing else, to what is allowed.
    ///
    /// - Throws: ``PlacementError`` where nothing is left, or the machine has no such device or kind of core.
    init(_ request: PlacementRequest, on topology: Topology) throws(PlacementError) {
        func failure(_ code: PlacementError.Code, _ problem: String, _ cure: String) -> PlacementError {
            PlacementError(code: code, cpu: nil, allowed: topology.allowed, problem: problem, cure: cure)
        }
        guard !topology.allowed.isEmpty else {
            throw failure(
                .noUsableCPU, "the machine has no CPU for workers", "widen the CPU mask or cpuset of this process")
        }
        var rest = topology.allowed.subtracting(request.reserved)
        guard !rest.isEmpty else {
            throw failure(.reserved, "all CPUs are reserved", "reserve fewer")
        }
        if let name = request.coreKind {
            guard let kind = topology.coreKind(named: name) else {
                let names = topology.coreKinds.enumerated().map { rank, kind in
                    kind.name.map { "\(rank) (\($0))" } ?? "\(rank)"
                }
                throw failure(
                    .noSuchKind, "there are no cores of kind \(name)",
                    names.isEmpty
                        ? "all cores are alike; leave the kind out" : "ask for \(names.joined(separator: ", "))")
            }
            let cpus = topology.cores.filter { $0.kind == kind }.reduce(CPUSet()) { $0.union($1.cpus) }
            guard !cpus.isDisjoint(with: rest) else {
                throw failure(.noUsableCPU, "no core of kind \(name) is usable (CPU \(cpus))", "ask for another kind")
            }
            rest = rest.intersection(cpus)
        }
        if let name = request.near {
            guard let device = topology.device(named: name) else {
                throw failure(.noSuchDevice, "there is no device \(name)", topology.deviceAdvice)
            }
            guard !device.cpus.isDisjoint(with: rest) else {
                throw failure(
                    .noUsableCPU, "no usable CPU is near \(name) (CPU \(device.cpus))",
                    "widen the CPU mask or cpuset of this process, or leave the device out")
            }
            rest = rest.intersection(device.cpus)
        }
        let taken = request.occupied.reduce(CPUSet()) { $0.union($1.cpus) }
        candidates = rest
        occupied = rest.intersection(taken)
        used = taken.union(request.reserved)
    }

    /// Cores for workers of one thread each, where no number is given: those that nobody else uses; if there are none,
    /// those with a free CPU; if there are none either, all.
    func coreCount(of topology: Topology) -> Int {
        let free = candidates.subtracting(occupied)
        let idle = topology.cores.count { !$0.cpus.isDisjoint(with: free) && $0.cpus.isDisjoint(with: used) }
        if idle > 0 { return idle }
        let half = topology.cores.count { !$0.cpus.isDisjoint(with: free) }
        return half > 0 ? half : topology.cores.count { !$0.cpus.isDisjoint(with: candidates) }
    }
}

extension Topology {
    /// The rank of the kind of cores that a user calls `name`; nil if there is none.
    ///
    /// - Parameter name: A rank, `P` or `E`, or the system's name; capitals don't matter.
    public func coreKind(named name: String) -> Int? {
        let count = max(1, coreKinds.count)
        if let rank = Int(name) { return (0..<count).contains(rank) ? rank : nil }
        let name = name.lowercased()
        if let rank = coreKinds.firstIndex(where: { $0.name?.lowercased() == name }) { return rank }
        switch name {
        case "p", "performance": return 0
        case "e", "efficiency": return count > 1 ? count - 1 : nil
        default: return nil
        }
    }
}
