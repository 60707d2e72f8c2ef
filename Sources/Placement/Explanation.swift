/// Why workers are where they are, in sentences.
struct Explanation {
    private let planning: Planning
    private let request: PlacementRequest
    private let topology: Topology
    private let usable: UsableCPUs
    private let seats: [Seat]
    /// The workers on each position.
    private var owners: [[Int]]
    /// How many workers, and how many cores, begin before each position.
    private var workersBefore = [0]
    private var coresBefore = [0]

    init(_ planning: Planning) {
        self.planning = planning
        (request, topology) = (planning.request, planning.topology)
        (usable, seats) = (planning.usable, planning.seats)
        owners = [[Int]](repeating: [], count: usable.cpus.count)
        var begun = [Int](repeating: 0, count: usable.cpus.count)
        for (index, seat) in seats.enumerated() {
            begun[seat.position] += 1
            for position in seat.positions { owners[position].append(index + 1) }
        }
        for position in usable.cpus.indices {
            let isNewCore = position == 0 || usable.cpus[position].core != usable.cpus[position - 1].core
            workersBefore.append(workersBefore[position] + begun[position])
            coresBefore.append(coresBefore[position] + (isNewCore ? 1 : 0))
        }
    }

    /// Why the worker at `index` is where it is, and not beside.
    func sentences(at index: Int) -> [String] {
        let seat = seats[index]
        return order(of: seat, at: index) + kinds(of: seat) + siblings(of: seat) + others(of: seat)
            + [memoryLine(of: planning.place(at: index))]
    }

    /// Which rule led to the place: a list, a share of a part within a part, or the order of the machine.
    private func order(of seat: Seat, at index: Int) -> [String] {
        if request.cpus != nil { return ["its CPUs are those of entry \(index + 1) of the list"] }
        var lines: [String] = []
        if let domain = request.per {
            lines.append(
                "one worker per \(domain.rawValue), with \(request.threads.map { "\($0) of its" } ?? "all") CPUs")
        }
        let shares = shares(of: seat)
        lines += shares
        if shares.isEmpty {
            switch request.mode {
            case .spread(.pu): lines.append("hardware threads are taken one after another")
            case .balanced where request.per == nil:
                lines.append("there is one part to share workers out over: the first cores in topological order")
            default: if request.per == nil { lines.append("\(request.mode): the first cores in topological order") }
            }
        }
        if request.per == nil, seat.positions.count == 1, request.mode != .spread(.pu) {
            let cpu = usable.cpus[seat.position]
            if !cpu.isOccupied, cpu.thread > 0 {
                lines.append(
                    "a \(Reasons.ordinal(cpu.thread + 1)) thread of its core, since no core is left that is idle as a whole"
                )
            }
        }
        return lines
    }

    /// The shares of the parts around a seat, from the outermost in.
    private func shares(of seat: Seat) -> [String] {
        var lines: [String] = []
        var domain = planning.tree
        while let part = domain.parts.first(where: { $0.range.contains(seat.position) }) {
            let (outer, inner) = (workers(in: domain.range), workers(in: part.range))
            if domain.parts.count > 1 {
                lines.append(
                    """
                    \(name(of: part.range)) gets \(inner) of \(outer) workers: it has \(cores(in: part.range)) of \
                    \(cores(in: domain.range)) usable cores
                    """)
            }
            domain = part
        }
        return lines
    }

    private func workers(in range: Range<Int>) -> Int {
        workersBefore[range.upperBound] - workersBefore[range.lowerBound]
    }

    private func cores(in range: Range<Int>) -> Int { coresBefore[range.upperBound] - coresBefore[range.lowerBound] }

    private func name(of range: Range<Int>) -> String {
        usable.parts.first { $0.range == range }?.name ?? "CPU \(CPUSet(usable.cpus[range].lazy.map(\.osIndex)))"
    }

    private func kinds(of seat: Seat) -> [String] {
        guard usable.kinds.count > 1 else { return [] }
        let kinds = Set(seat.positions.map { usable.cpus[$0].kind }).sorted()
        let which =
            (kinds.count == 1 ? "kind " : "kinds ")
            + kinds.map { kind in
                let name = topology.coreKinds.indices.contains(kind) ? topology.coreKinds[kind].name : nil
                return "\(kind)\(name.map { " (\($0))" } ?? "")"
            }.joined(separator: ", ")
        guard kinds.count == 1, let kind = kinds.first else { return ["cores of \(which)"] }
        // Whoever lists CPUs, or wants a part's, has chosen by something else.
        if request.cpus != nil || request.per != nil { return ["a core of \(which)"] }
        return [
            kind == usable.kinds[0]
                ? "a core of \(which), the most capable: these are taken first"
                : "a core of \(which): all more capable ones have workers"
        ]
    }

    /// What is with the other hardware threads of the seat's cores.
    private func siblings(of seat: Seat) -> [String] {
        let own = Set(seat.positions.map { usable.cpus[$0].osIndex })
        let cores = Set(seat.positions.map { usable.cpus[$0].core }).sorted()
        return cores.flatMap { core in
            topology.cores[core].cpus.filter { !own.contains($0) }.map { cpu in
                "its sibling CPU \(cpu) \(state(of: cpu))"
            }
        }
    }

    private func state(of cpu: Int) -> String {
        guard topology.online.contains(cpu) else { return "is offline" }
        guard topology.allowed.contains(cpu) else { return "is not allowed here" }
        if request.reserved.contains(cpu) { return "is reserved" }
        if let position = usable.positions[cpu], !owners[position].isEmpty {
            return "has \(names(ofWorkersAt: position))"
        }
        if let other = request.occupied.first(where: { $0.cpus.contains(cpu) }) {
            return "has a worker of \(other.owner)"
        }
        if request.cpus != nil { return "is not in the list" }
        if usable.positions[cpu] == nil { return "is not of the kind, or not near the device, that was asked for" }
        if request.per != nil { return "stays idle: there are more CPUs than threads of workers" }
        if request.mode == .spread(.pu) { return "stays idle: there is no worker left for it" }
        if request.threads ?? 1 > 1 { return "stays idle: places that begin on another's core are taken last" }
        return "stays idle: a second thread of a core is taken when no core is left"
    }

    /// The workers on a CPU: their numbers, or how many they are where that would be long.
    private func names(ofWorkersAt position: Int) -> String {
        let workers = owners[position]
        if workers.count > 16 { return "\(workers.count) workers" }
        return "\(workers.count == 1 ? "worker" : "workers") \(CPUSet(workers))"
    }

    /// Who else is on the seat's CPUs.
    private func others(of seat: Seat) -> [String] {
        seat.positions.compactMap { position in
            let cpu = usable.cpus[position].osIndex
            if let other = request.occupied.first(where: { $0.cpus.contains(cpu) }) {
                return "CPU \(cpu) has a worker of \(other.owner), too: there are not enough others"
            }
            guard owners[position].count > 1 else { return nil }
            return "CPU \(cpu) is shared by \(names(ofWorkersAt: position)): there are more workers than CPUs"
        }
    }

    private func memoryLine(of worker: PlacementPlan.Worker) -> String {
        guard let memory = worker.memory else {
            if request.memory == .none { return "memory: as this process has it" }
            return worker.numa.count > 1
                ? "memory: from the node of the CPU that touches it first, since its CPUs are on several"
                : "memory: from the nearest node, as the kernel finds it: none is known to be local"
        }
        let nodes = "node \(CPUSet(memory.nodes))"
        let others = worker.numa.filter { !memory.nodes.contains($0) }
        let rest = others.isEmpty ? "" : "; node \(CPUSet(others)) is local too, of another kind"
        switch memory.mode {
        case .local: return "memory: from \(nodes) only, local to its CPUs\(rest)"
        case .preferred: return "memory: from \(nodes) while there is some, local to its CPUs\(rest)"
        case .interleave: return "memory: from \(nodes) in turn, those of all workers"
        case .none: return "memory: as this process has it"
        }
    }
}
