extension Planning {
    /// The number of workers asked for, or one per usable core within the cgroup's quota.
    static func count(
        _ request: PlacementRequest, on topology: Topology, _ selection: Selection
    ) throws(PlacementError) -> (Int, notes: [String]) {
        let threads = request.threads ?? 1
        if let count = request.workers {
            return (
                count,
                try check(
                    count, request, cpus: count.multipliedReportingOverflow(by: threads).partialValue, on: topology)
            )
        }
        let free = selection.candidates.subtracting(selection.occupied)
        let places =
            threads == 1
            ? selection.coreCount(of: topology)
            : max(1, (free.count >= threads ? free : selection.candidates).count / threads)
        return withinQuota(places, threads: threads, on: topology)
    }

    /// As many workers as there are places, or fewer where the quota does not feed them.
    fileprivate static func withinQuota(
        _ places: Int, threads: Int = 1, on topology: Topology
    ) -> (count: Int, notes: [String]) {
        guard let quota = quota(of: topology) else { return (places, []) }
        let count = max(1, min(places, ceiling(quota / Double(threads))))
        guard count < places else { return (places, []) }
        return (count, note(quota, "\(count) \(count == 1 ? "worker" : "workers") in place of \(places)"))
    }

    /// The number of workers asked for, or one per part.
    ///
    /// - Parameter sizes: CPUs that a worker of each part gets.
    static func count(
        _ request: PlacementRequest, per domain: PlacementDomain, of sizes: [Int], on topology: Topology
    ) throws(PlacementError) -> (Int, notes: [String]) {
        let parts = sizes.count
        let count = request.workers ?? parts
        let notes = try check(count, request, cpus: sizes.prefix(max(0, count)).reduce(0, +), on: topology)
        guard count <= parts else {
            throw PlacementError(
                code: .invalidCount, cpu: nil, allowed: topology.allowed,
                problem: "\(count) workers were asked for, one per \(domain.rawValue), but there are \(parts)",
                cure: "ask for 1 to \(parts), or leave the number out")
        }
        return (count, notes)
    }

    /// Refuses senseless numbers; a note where the quota doesn't feed them.
    private static func check(
        _ count: Int, _ request: PlacementRequest, cpus: Int, on topology: Topology
    ) throws(PlacementError) -> [String] {
        guard count >= 1, count <= PlacementRequest.largestWorkerCount else {
            throw PlacementError(
                code: .invalidCount, cpu: nil, allowed: topology.allowed, problem: "\(count) workers can't be placed",
                cure: "ask for 1 to \(PlacementRequest.largestWorkerCount) workers")
        }
        guard let quota = quota(of: topology), cpus > ceiling(quota) else { return [] }
        return note(quota, "busy workers will be held back")
    }

    /// The quota, where it is less than the CPUs.
    private static func quota(of topology: Topology) -> Double? {
        topology.cpuQuota.flatMap { $0 > 0 && $0 < Double(topology.allowed.count) ? $0 : nil }
    }

    private static func note(_ quota: Double, _ consequence: String) -> [String] {
        let tenths = Int(quota * 10 + 0.5)
        let number = tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
        return ["the cgroup's quota is the time of \(number) CPUs: \(consequence)"]
    }

    /// The smallest integer that is not below a number above 0; `rounded` would need the C library's mathematics.
    private static func ceiling(_ number: Double) -> Int {
        Double(Int(number)) < number ? Int(number) + 1 : Int(number)
    }
}

extension Topology {
    /// How many workers there are unless told where they are bound to no CPU: one for each that may be used, within the
    /// cgroup's quota; and what is to be said about that.
    package var unboundWorkers: (count: Int, notes: [String]) { Planning.withinQuota(allowed.count, on: self) }
}
