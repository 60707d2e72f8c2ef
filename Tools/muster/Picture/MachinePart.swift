import Muster

/// A part of a machine that a picture draws as one box, with the parts or cores that lie in it.
///
/// What holds the same CPUs is one part: a package that is a NUMA node with one L3 cache is a box with three labels.
struct MachinePart {
    /// What a part is; where several things hold the same CPUs, the first of these.
    enum Kind: Hashable {
        /// The whole, which has no box.
        case machine
        case package, numaNode, group, cache
        /// Cores that have no box around them: of one kind, or beside boxes.
        case run
        /// What has no CPUs here.
        case beside
        /// Parts that are left out because they are like the one before.
        case repetition
    }

    let kind: Kind
    /// What stands at the top of the box.
    var labels: [String] = []
    /// The numbers of its CPUs, where the CPUs themselves don't show theirs.
    var cpuLabel: String?
    /// The CPUs in it, by OS index.
    var cpus: CPUSet
    /// The devices near it.
    var devices: [ShownDevices] = []
    /// Parts in it, in topological order; none if it has cores.
    var parts: [MachinePart] = []
    /// Positions of its cores in the topology; none if it has parts.
    var cores: [Int] = []
    /// Whether it is one of a row of small parts that are alike: without labels, which then stand in what holds it.
    var isSlim = false

    /// Whether it is drawn with a border.
    var hasBorder: Bool {
        switch kind {
        case .machine, .run, .repetition: false
        case .package, .numaNode, .group, .cache, .beside: !isSlim
        }
    }

    /// All cores in it, in topological order.
    var allCores: [Int] { cores + parts.flatMap(\.allCores) }
}

extension MachinePart {
    /// Cores beyond which parts that are alike are drawn once: 512 cores are more than two screens.
    private static let largestCoreCount = 512

    /// The machine as a picture shows it.
    ///
    /// - Parameter isRoomy: Whether each core has a box, and no part has to make do with less than its own.
    init(_ topology: Topology, cells: PictureCells, isRoomy: Bool) {
        self.init(topology)
        if !isRoomy {
            slim()
            if cells.hasWorkers { numberCPUs() }
        }
        let cpus = topology.cpusByCore
        fold(limit: Self.largestCoreCount) { core in
            // A core with workers is like no other.
            guard cpus[core].allSatisfy({ cells.workers(on: $0).isEmpty }) else { return core }
            let usable = cpus[core].count { cells.isUsable($0) }
            return -1 - cpus[core].count - usable << 16 - topology.cores[core].kind << 32
        }
    }

    /// Draws groups and L2 caches of few cores without labels where they are alike, and says in what holds them how
    /// many there are.
    private mutating func slim() {
        for index in parts.indices { parts[index].slim() }
        guard parts.count > 1, let first = parts.first, !first.labels.isEmpty,
            parts.allSatisfy({ part in
                part.parts.isEmpty && part.devices.isEmpty && part.labels == first.labels && part.cores.count > 1
                    && (part.kind == .group || part.kind == .cache && !part.labels[0].hasPrefix("L3"))
            })
        else { return }
        labels.append("\(parts.count) × \(first.labels.joined(separator: ", "))")
        for index in parts.indices {
            parts[index].labels = []
            parts[index].isSlim = true
        }
    }

    /// Adds the CPUs' numbers to the labels of the smallest boxes, for pictures in which workers take their place.
    private mutating func numberCPUs() {
        for index in parts.indices where !parts[index].isSlim { parts[index].numberCPUs() }
        if kind != .machine, !cores.isEmpty || parts.contains(where: \.isSlim) { cpuLabel = "CPU \(cpus)" }
    }

    /// Leaves out parts that are like the one before them, level by level, while the machine has more than `limit`
    /// cores to draw, and says so in their place.
    ///
    /// - Parameter look: What a core looks like; parts are alike if all their cores look the same.
    private mutating func fold(limit: Int, look: (_ core: Int) -> Int) {
        guard allCores.count > limit else { return }
        var kept: [MachinePart] = []
        var index = 0
        while index < parts.count {
            let part = parts[index]
            kept.append(part)
            index += 1
            let shape = part.shape(look)
            let start = index
            while index < parts.count, parts[index].shape(look) == shape { index += 1 }
            if index - start == 1 { kept.append(parts[start]) }
            guard index - start > 1 else { continue }
            let cpus = parts[start..<index].reduce(CPUSet()) { $0.union($1.cpus) }
            let names = [parts[start], parts[index - 1]].compactMap(\.labels.first)
            let range = names.count == 2 && names[0] != names[1] ? " (\(names[0]) to \(names[1]))" : ""
            kept.append(
                MachinePart(
                    kind: .repetition, labels: ["and \(index - start) more like it\(range)", "CPU \(cpus)"],
                    cpus: cpus))
        }
        parts = kept
        for index in parts.indices { parts[index].fold(limit: limit, look: look) }
    }

    /// What has to be equal for parts to count as alike: everything but their numbers.
    private func shape(_ look: (Int) -> Int) -> [String] {
        let words: [String] = labels.map { label in
            let words = label.split(separator: " ")
            switch words.first {
            case "Package", "NUMA": return ([words[0]] + words.dropFirst(2)).joined(separator: " ")
            default: return label
            }
        }
        return ["\(kind)"] + words + devices.map { "\($0.name) \($0.model)" } + ["("]
            + cores.map { String(look($0)) } + parts.flatMap { $0.shape(look) } + [")"]
    }
}
