/// How a plan comes about: what may be used, what workers can be given there, and what they get.
struct Planning {
    let request: PlacementRequest
    let topology: Topology
    let selection: Selection
    let usable: UsableCPUs
    /// What the workers get, in their order.
    let seats: [Seat]
    /// The parts that workers were shared out over; one that is not divided where they were not.
    let tree: Domain
    /// Notes about the number of workers.
    private let notes: [String]
    private let reasons: Reasons
    private let memory: MemoryChoice

    init(_ request: PlacementRequest, on topology: Topology) throws(PlacementError) {
        self.request = request
        self.topology = topology
        let selection = try Selection(request, on: topology)
        self.selection = selection
        let usable = UsableCPUs(topology, selection)
        self.usable = usable
        let tree = Self.tree(of: usable, request.mode)
        self.tree = tree
        if let threads = request.threads, !(1...selection.candidates.count).contains(threads) {
            throw PlacementError(
                code: .invalidCount, cpu: nil, allowed: topology.allowed,
                problem: "a worker can't have \(threads) threads on \(selection.candidates.count) CPUs",
                cure: "ask for 1 to \(selection.candidates.count) threads per worker")
        }
        let scattered: Set<Int>
        if let entries = request.cpus {
            seats = try Self.seats(listed: entries, request, on: topology, usable)
            (notes, scattered) = ([], [])
        } else {
            let all: Seats
            let count: Int
            if let domain = request.per {
                all = try Self.seats(per: domain, request, on: topology, usable)
                let parts = all.tiers.flatMap { $0.map(\.positions.count) }
                (count, notes) = try Self.count(request, per: domain, of: parts, on: topology)
            } else {
                all = Seats(of: usable, threads: request.threads ?? 1, coresFirst: request.mode != .spread(.pu))
                (count, notes) = try Self.count(request, on: topology, selection)
            }
            seats = Self.choose(count, of: all, request.mode, tree)
            scattered = all.scatteredTiers
        }
        reasons = Reasons(request, topology, usable, seats, scatteredTiers: scattered)
        let cpus = CPUSet(seats.lazy.flatMap(\.positions).map { usable.cpus[$0].osIndex })
        memory = try MemoryChoice(request, on: topology, for: cpus)
    }

    /// The plan.
    func plan() -> PlacementPlan {
        let workers = seats.indices.map { place(at: $0) }
        return PlacementPlan(
            workers: workers, usable: selection.candidates, isOversubscribed: reasons.isOversubscribed,
            notes: notes + reasons.notes(seats: seats, memories: workers.map(\.memory)))
    }

    /// Why each worker is where it is.
    func explanations() -> [[String]] {
        let explanation = Explanation(self)
        return seats.indices.map { explanation.sentences(at: $0) }
    }

    /// The place of the worker at `index`.
    func place(at index: Int) -> PlacementPlan.Worker {
        let positions = seats[index].positions
        let cpus = CPUSet(positions.lazy.map { usable.cpus[$0].osIndex })
        return PlacementPlan.Worker(
            worker: index + 1, cpus: cpus,
            package: usable.common(\.package, of: positions).map { topology.packages[$0].osIndex },
            numa: topology.numaNodes(of: cpus),
            core: usable.commonCore(of: positions).map { topology.cores[$0].osIndex }, memory: memory.memory(of: cpus),
            reason: reasons.reason(for: seats[index], at: index))
    }

    /// The parts over which `mode` shares workers out.
    private static func tree(of usable: UsableCPUs, _ mode: PlacementMode) -> Domain {
        switch mode {
        case .balanced: return usable.shared
        case .compact, .spread(.core), .spread(.pu): return Domain(usable.cpus.indices, dividedBy: [])
        case .spread(let domain):
            let ranges = usable.groups(by: domain).compactMap { group -> Range<Int>? in
                guard let first = group.first, let last = group.last, last - first == group.count - 1 else {
                    return nil
                }
                return first..<(last + 1)
            }
            return Domain(usable.cpus.indices, dividedBy: ranges)
        }
    }

    /// Chooses seats: tier after tier, of the last one a part, spread over `tree`; workers of a part are neighbours.
    private static func choose(_ count: Int, of all: Seats, _ mode: PlacementMode, _ tree: Domain) -> [Seat] {
        let tiers = all.tiers(for: count)
        var seats = Array(tiers.dropLast().joined())
        let last = tiers[tiers.count - 1]
        switch mode {
        case .compact, .spread(.core), .spread(.pu):
            seats += last.prefix(count - seats.count)
        case .balanced, .spread:
            seats += tree.spread(count - seats.count, over: last[...], servesFirst: seats.isEmpty)
            seats.sort { ($0.position, $0.tier) < ($1.position, $1.tier) }
            seats = tree.together(seats[...])
        }
        return seats
    }

    /// A seat for each part of a kind: all of its CPUs that are free, or as many as a worker has threads.
    ///
    /// Parts where nobody else is come before those where others have some CPUs, and last come those where only CPUs of
    /// others are left.
    private static func seats(
        per domain: PlacementDomain, _ request: PlacementRequest, on topology: Topology, _ usable: UsableCPUs
    ) throws(PlacementError) -> Seats {
        let groups = usable.groups(by: domain)
        // Cores come before second threads, as for any workers of one thread.
        if domain == .pu, request.threads ?? 1 == 1 { return Seats(of: usable, threads: 1) }
        guard !groups.isEmpty else {
            throw PlacementError(
                code: .noSuchPart, cpu: nil, allowed: topology.allowed,
                problem: "no parts of the kind '\(domain.rawValue)' are known on this machine",
                cure: "ask for one worker per package, numa, l3, core or pu")
        }
        var tiers = [[[Int]]](repeating: [], count: 3)
        for group in groups {
            let free = group.filter { !usable.cpus[$0].isOccupied }
            let own = free.count >= request.threads ?? 1 ? free : group
            let tier = free.count == group.count ? 0 : own.count == free.count ? 1 : 2
            guard let threads = request.threads else {
                tiers[tier].append(own)
                continue
            }
            guard own.count >= threads else {
                throw PlacementError(
                    code: .invalidCount, cpu: nil, allowed: topology.allowed,
                    problem: "a part of the kind '\(domain.rawValue)' has \(own.count) usable CPUs, not \(threads)",
                    cure: "ask for 1 to \(own.count) threads per worker")
            }
            // Whole cores where they suffice, as for any worker.
            let cores = own.filter { usable.cpus[$0].thread == 0 }
            tiers[tier].append(Array((threads <= cores.count ? cores : own).prefix(threads)))
        }
        return Seats(tiers.filter { !$0.isEmpty }, of: usable)
    }
}
