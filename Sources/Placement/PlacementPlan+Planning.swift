extension PlacementPlan {
    /// Plans where the workers of `request` go on `topology`.
    ///
    /// Pure and deterministic: the same request and machine give the same plan everywhere.
    ///
    /// Workers of one thread get cores before hardware threads of cores in use, the most capable kind of core first,
    /// and worker 1 the first of all. `compact` takes cores in topological order, then their second threads in the same
    /// order. `balanced` gives every package the floor or the ceiling of its share in proportion to its usable cores,
    /// every NUMA node and L3 cache inside it likewise (each nesting as this machine nests), and numbers workers so
    /// that neighbours are together. A worker of several threads gets CPUs that follow one another in topological
    /// order (so hardware threads of one core first) inside the smallest domain that holds them. No CPU is given twice
    /// before all are used; then evenly.
    ///
    /// - Throws: ``PlacementError`` if the machine can't meet the request.
    /// - Complexity: O(c log c + w) for c usable CPUs and w workers, w up to ``PlacementRequest/largestWorkerCount``.
    public init(_ request: PlacementRequest, on topology: Topology) throws(PlacementError) {
        let allowed = topology.allowed
        guard !allowed.isEmpty else {
            throw PlacementError(
                code: .noUsableCPU, cpu: nil, allowed: allowed, problem: "the machine has no CPU for workers",
                cure: "widen the CPU mask or cpuset of this process")
        }
        guard request.threads >= 1, request.threads <= allowed.count else {
            throw PlacementError(
                code: .invalidCount, cpu: nil, allowed: allowed,
                problem: "a worker can't have \(request.threads) threads on \(allowed.count) CPUs",
                cure: "ask for 1 to \(allowed.count) threads per worker")
        }
        if let entries = request.cpus {
            try self.init(entries, request, on: topology)
        } else {
            try self.init(spreading: request, on: topology)
        }
    }

    private init(spreading request: PlacementRequest, on topology: Topology) throws(PlacementError) {
        let usable = UsableCPUs(topology)
        let (count, notes) = try Self.workerCount(request, on: topology)
        let all = Seats(of: usable, threads: request.threads)
        let tiers = all.tiers(for: count)
        var seats = Array(tiers.dropLast().joined())
        let last = tiers[tiers.count - 1]
        switch request.mode {
        case .compact:
            seats += last.prefix(count - seats.count)
        case .balanced:
            seats += usable.shared.spread(count - seats.count, over: last[...], servesFirst: seats.isEmpty)
            seats.sort { ($0.position, $0.tier) < ($1.position, $1.tier) }
            seats = usable.shared.together(seats[...])
        }
        let reasons = Reasons(request.mode, topology, usable, seats, scatteredTiers: all.scatteredTiers)
        self.init(
            workers: seats.enumerated().map { index, seat in
                Worker(index + 1, seat.positions, usable, topology, reason: reasons.reason(for: seat, at: index))
            },
            usable: topology.allowed,
            isOversubscribed: reasons.isOversubscribed,
            notes: notes + reasons.notes(threads: request.threads, seats: seats))
    }

    /// The smallest integer that is not below a number above 0; `rounded` would need the C library's mathematics.
    private static func ceiling(_ number: Double) -> Int {
        Double(Int(number)) < number ? Int(number) + 1 : Int(number)
    }

    /// The number of workers asked for, or one per usable core within the cgroup's quota.
    private static func workerCount(
        _ request: PlacementRequest, on topology: Topology
    ) throws(PlacementError) -> (Int, notes: [String]) {
        let quota = topology.cpuQuota.flatMap { $0 > 0 && $0 < Double(topology.allowed.count) ? $0 : nil }
        func note(_ quota: Double, _ consequence: String) -> [String] {
            let tenths = Int(quota * 10 + 0.5)
            let number = tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
            return ["the cgroup's quota is the time of \(number) CPUs: \(consequence)"]
        }
        if let count = request.workers {
            guard count >= 1, count <= PlacementRequest.largestWorkerCount else {
                throw PlacementError(
                    code: .invalidCount, cpu: nil, allowed: topology.allowed,
                    problem: "\(count) workers can't be placed",
                    cure: "ask for 1 to \(PlacementRequest.largestWorkerCount) workers")
            }
            guard let quota, count * request.threads > ceiling(quota) else { return (count, []) }
            return (count, note(quota, "busy workers will be held back"))
        }
        let places =
            request.threads == 1 ? topology.usableCoreCount : topology.allowed.count / request.threads
        guard let quota else { return (places, []) }
        let count = max(1, min(places, ceiling(quota / Double(request.threads))))
        guard count < places else { return (places, []) }
        return (count, note(quota, "\(count) \(count == 1 ? "worker" : "workers") in place of \(places)"))
    }
}

extension PlacementPlan.Worker {
    init(_ worker: Int, _ positions: [Int], _ usable: UsableCPUs, _ topology: Topology, reason: String) {
        self.worker = worker
        cpus = CPUSet(positions.lazy.map { usable.cpus[$0].osIndex })
        package = usable.common(\.package, of: positions).map { topology.packages[$0].osIndex }
        numa = topology.numaNodes(of: cpus)
        core = usable.commonCore(of: positions).map { topology.cores[$0].osIndex }
        self.reason = reason
    }
}
