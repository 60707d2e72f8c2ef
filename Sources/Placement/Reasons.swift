/// Why each worker is where it is, in short sentences.
struct Reasons {
    /// A part of the machine that `balanced` gives a share of the workers, and what users call it.
    private typealias Share = (part: KeyPath<UsableCPUs.CPU, Int?>, name: (Int) -> String)

    private let request: PlacementRequest
    private let topology: Topology
    private let usable: UsableCPUs
    private let workerCount: Int
    private let scatteredTiers: Set<Int>
    /// Workers of each CPU.
    private let loads: [Int]
    /// The outermost parts that there are several of, and the number of workers in each; nil unless workers are shared
    /// out over parts.
    private let share: (Share, workers: [Int: Int])?

    init(
        _ request: PlacementRequest, _ topology: Topology, _ usable: UsableCPUs, _ seats: [Seat],
        scatteredTiers: Set<Int>
    ) {
        self.request = request
        self.topology = topology
        self.usable = usable
        self.scatteredTiers = scatteredTiers
        workerCount = seats.count
        var loads = [Int](repeating: 0, count: usable.cpus.count)
        for seat in seats {
            for position in seat.positions { loads[position] += 1 }
        }
        self.loads = loads
        let parts: [(PlacementDomain, Share)] = [
            (.package, (\.package, { "package \(topology.packages[$0].osIndex)" })),
            (.numa, (\.numa, { "NUMA node \(topology.numaNodes[$0].osIndex)" })),
            (.l3, (\.l3, { "the L3 cache of CPU \(topology.caches[$0].cpus)" })),
        ]
        let wanted: [Share] =
            switch request.mode {
            case .compact: []
            case .balanced: parts.map(\.1)
            case .spread(let domain): parts.filter { $0.0 == domain }.map(\.1)
            }
        let several = wanted.first {
            Set(usable.cpus.lazy.compactMap { [part = $0.part] in $0[keyPath: part] }).count > 1
        }
        share = several.map { share in
            var workers: [Int: Int] = [:]
            for seat in seats {
                if let part = usable.common(share.part, of: seat.positions) { workers[part, default: 0] += 1 }
            }
            return (share, workers)
        }
    }

    /// Why the worker at `index` got `seat`.
    func reason(for seat: Seat, at index: Int) -> String {
        var text = place(of: seat)
        let load = seat.positions.lazy.map { loads[$0] }.max() ?? 1
        if request.cpus != nil { return text + ", as listed" }
        if let domain = request.per {
            return text + ", one worker per \(domain.rawValue)" + (load > 1 ? "; shared by \(load)" : "")
        }
        if seat.positions.count > 1, scatteredTiers.contains(seat.tier) {
            text += ", apart: no smaller part has \(seat.positions.count) CPUs left"
        }
        let cpu = usable.cpus[seat.position]
        if cpu.isOccupied {
            text += ": all others are in use"
        } else if seat.positions.count == 1, cpu.thread > 0, request.mode != .spread(.pu) {
            text += ": no idle core is left"
        } else if workerCount > 1, let (share, workers) = share,
            let part = usable.common(share.part, of: seat.positions)
        {
            let name = share.name(part)
            let count = "\(workers[part] ?? 0) of \(workerCount) workers"
            text += text.hasSuffix(name) ? ", which gets \(count)" : "; \(name) gets \(count)"
        } else if index == 0 {
            text += ", first in topological order"
        } else if seat.positions.count == 1 {
            text += cpu.kind > usable.kinds[0] ? ", of a less capable kind" : ", next in topological order"
        }
        return load > 1 ? text + "; shared by \(load)" : text
    }

    /// The smallest part of the machine that holds a seat, in words.
    func place(of seat: Seat) -> String {
        let positions = seat.positions
        let package = usable.common(\.package, of: positions).map { "package \(topology.packages[$0].osIndex)" }
        let of = package.map { " of \($0)" } ?? ""
        let count = positions.count == 1 ? "" : "\(positions.count) CPUs "
        if let core = usable.commonCore(of: positions) {
            let name = "core \(topology.cores[core].osIndex)\(of)"
            guard positions.count == 1 else { return "\(count)of \(name)" }
            let thread = usable.cpus[positions[0]].thread
            return thread == 0 ? name : "\(Self.ordinal(thread + 1)) thread of \(name)"
        }
        if usable.common(\.l2, of: positions) != nil { return "\(count)on one L2 cache\(of)" }
        if usable.common(\.l3, of: positions) != nil { return "\(count)on one L3 cache\(of)" }
        if topology.numaNodes.count > 1, let node = usable.common(\.numa, of: positions) {
            return "\(count)on NUMA node \(topology.numaNodes[node].osIndex)"
        }
        return package.map { "\(count)of \($0)" } ?? "\(count)across the machine"
    }

    static func ordinal(_ number: Int) -> String {
        switch (number % 10, number % 100) {
        case (1, let tens) where tens != 11: "\(number)st"
        case (2, let tens) where tens != 12: "\(number)nd"
        case (3, let tens) where tens != 13: "\(number)rd"
        default: "\(number)th"
        }
    }
}

extension Reasons {
    /// What the user should be told about workers that share CPUs or cores, or whose CPUs are apart.
    ///
    /// - Parameter memories: Those of the workers, in their order.
    func notes(seats: [Seat], memories: [PlacementPlan.Memory?]) -> [String] {
        let threads = request.threads ?? 1
        let what = threads == 1 ? "\(workerCount) workers" : "\(workerCount) workers of \(threads) threads"
        let least = loads.min() ?? 0
        let most = loads.max() ?? 0
        var notes: [String] = []
        if most > 1 {
            let shared = CPUSet(loads.indices.lazy.filter { loads[$0] > 1 }.map { usable.cpus[$0].osIndex })
            let cpus = loads.count == 1 ? "1 CPU" : "\(loads.count) CPUs"
            let some = shared.count == 1 ? "CPU \(shared)" : "each of CPUs \(shared)"
            let which = loads.count == 1 ? "it" : least > 1 ? "every CPU" : some
            let by = least == most || least <= 1 ? "\(most)" : "\(least) or \(most)"
            notes.append("\(what) on \(cpus): \(which) is shared by \(by)")
        } else if threads == 1, request.cpus == nil, request.per == nil,
            seats.contains(where: { usable.cpus[$0.position].thread > 0 && !usable.cpus[$0.position].isOccupied })
        {
            let cores = Set(seats.lazy.map { usable.cpus[$0.position].core }).count
            let noun = cores == 1 ? "core" : "cores"
            notes.append("\(what) on \(cores) \(noun): hardware threads of one core share its units")
        }
        if threads > 1, most <= 1, request.cpus == nil {
            let apart = CPUSet(seats.indices.lazy.filter { scatteredTiers.contains(seats[$0].tier) }.map { $0 + 1 })
            if let first = apart.min {
                let who = apart.count == 1 ? "worker \(first)" : "workers \(apart)"
                notes.append("\(who): CPUs that are left over between those of others, and so apart")
            }
        }
        if request.memory == .local || request.memoryTier != nil {
            let bare = CPUSet(memories.indices.lazy.filter { memories[$0] == nil }.map { $0 + 1 })
            if !bare.isEmpty {
                let who = bare.count == 1 ? "worker \(bare)" : "workers \(bare)"
                notes.append("\(who): no memory is local to the CPUs, so that the kernel takes the nearest")
            }
        }
        guard !request.occupied.isEmpty else { return notes }
        let chosen = CPUSet(seats.lazy.flatMap(\.positions).map { usable.cpus[$0].osIndex })
        return notes + sharingNotes(chosen, request)
    }

    /// Which CPUs others have too; one sentence for those that share the same ones, however many they are.
    private func sharingNotes(_ chosen: CPUSet, _ request: PlacementRequest) -> [String] {
        var shared: [(cpus: CPUSet, owners: [String])] = []
        for other in request.occupied {
            let common = CPUSet(chosen.filter { other.cpus.contains($0) })
            guard !common.isEmpty else { continue }
            if let index = shared.firstIndex(where: { $0.cpus == common }) {
                shared[index].owners.append(other.owner)
            } else {
                shared.append((common, [other.owner]))
            }
        }
        return shared.map { common, owners in
            let which = common.count == 1 ? "CPU \(common) is" : "CPUs \(common) are"
            let others = owners.count > 3 ? ["\(owners.count - 2) others"] : []
            let named = owners.prefix(others.isEmpty ? 3 : 2) + others
            let who =
                named.count == 1
                ? named[0] : named.dropLast().joined(separator: ", ") + " and " + named[named.count - 1]
            return "\(which) in use by workers of \(who) already, and shared with them"
        }
    }

    /// Whether a CPU has more than one worker.
    var isOversubscribed: Bool { loads.contains { $0 > 1 } }
}
