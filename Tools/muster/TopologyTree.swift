import Muster

/// A machine as an indented tree: packages, NUMA nodes, L3 caches and cores as this machine nests them.
struct TopologyTree {
    /// A part of the machine with a line of its own.
    private struct Part {
        let name: String
        let cpus: CPUSet
        var cores: [Int] = []
        var parts: [Part] = []
    }

    /// Cores up to which each has a line; on larger machines those that are alike share one, to fit a screen or two.
    private static let largestCoreListing = 8

    private let topology: Topology

    init(_ topology: Topology) { self.topology = topology }

    /// The lines, joined.
    var text: String {
        let present = CPUSet(topology.pus.lazy.map(\.osIndex))
        var root = Part(name: "", cpus: present)
        for part in parts() { insert(part, into: &root) }
        for (index, core) in topology.cores.enumerated() { insert(index, core.cpus, into: &root) }
        sort(&root)
        var lines = summary
        lines += root.parts.flatMap { self.lines(of: $0, depth: 0) } + coreLines(root.cores, depth: 0)
        for node in topology.numaNodes where node.cpus.isEmpty {
            lines.append("NUMA node \(node.osIndex)\(Self.details(node)): no CPU")
        }
        let absent = topology.complete.subtracting(present)
        if !absent.isEmpty { lines += wrapped("Offline or kept from this process: CPU \(absent)", indent: 2) }
        return lines.joined(separator: "\n")
    }

    private var summary: [String] {
        func count(_ number: Int, _ what: String) -> String { "\(number) \(what)\(number == 1 ? "" : "s")" }
        let memory = topology.numaNodes.reduce(UInt64(0)) { sum, node in
            let (memory, isTooLarge) = sum.addingReportingOverflow(node.memoryByteCount)
            return isTooLarge ? .max : memory
        }
        let parts = [
            count(topology.packages.count, "package"), count(topology.numaNodes.count, "NUMA node"),
            count(topology.cores.count, "core"), count(topology.pus.count, "CPU"),
            memory > 0 ? Self.size(memory) : "memory unknown",
        ]
        let usable = "\(topology.allowed.count) of \(count(topology.complete.count, "CPU"))"
        let list = topology.allowed.isEmpty ? "" : ", \(topology.allowed)"
        var lines = ["Machine: " + parts.joined(separator: ", ")] + wrapped("Usable: \(usable)\(list)", indent: 2)
        if let quota = topology.cpuQuota { lines.append("Quota: the time of \(quota) CPUs") }
        return lines
    }

    /// Packages, NUMA nodes and L3 caches, each after everything that holds it.
    private func parts() -> [Part] {
        let packages = topology.packages.map { Part(name: "Package \($0.osIndex)", cpus: $0.cpus) }
        var nodes: [Part] = []
        for node in topology.numaNodes where !node.cpus.isEmpty {
            let name = "NUMA node \(node.osIndex)\(Self.details(node))"
            if let same = nodes.lastIndex(where: { $0.cpus == node.cpus }) {
                nodes[same] = Part(name: "\(nodes[same].name), \(name)", cpus: node.cpus)
            } else {
                nodes.append(Part(name: name, cpus: node.cpus))
            }
        }
        let caches = topology.caches.filter { $0.level == 3 && !$0.cpus.isEmpty }.map { cache in
            Part(name: "L3 cache" + (cache.byteCount > 0 ? " (\(Self.size(cache.byteCount)))" : ""), cpus: cache.cpus)
        }
        let all = (packages + nodes + caches).enumerated()
        return all.sorted { (-$0.element.cpus.count, $0.offset) < (-$1.element.cpus.count, $1.offset) }.map(\.element)
    }

    private func insert(_ part: Part, into root: inout Part) {
        if !part.cpus.isEmpty, let holder = root.parts.firstIndex(where: { part.cpus.isSubset(of: $0.cpus) }) {
            insert(part, into: &root.parts[holder])
        } else {
            root.parts.append(part)
        }
    }

    private func insert(_ core: Int, _ cpus: CPUSet, into root: inout Part) {
        if let holder = root.parts.firstIndex(where: { cpus.isSubset(of: $0.cpus) }) {
            insert(core, cpus, into: &root.parts[holder])
        } else {
            root.cores.append(core)
        }
    }

    /// Puts parts in topological order.
    private func sort(_ root: inout Part) {
        let keyed = root.parts.map { part in
            (part: part, position: topology.pus.firstIndex { part.cpus.contains($0.osIndex) } ?? .max)
        }
        root.parts = keyed.sorted { $0.position < $1.position }.map(\.part)
        for index in root.parts.indices { sort(&root.parts[index]) }
    }

    private func lines(of part: Part, depth: Int) -> [String] {
        let line = String(repeating: "  ", count: depth) + part.name + (part.cpus.isEmpty ? ": no CPU" : "")
        return wrapped(line, indent: 2 * depth + 2) + part.parts.flatMap { lines(of: $0, depth: depth + 1) }
            + coreLines(part.cores, depth: depth + 1)
    }

    private func coreLines(_ cores: [Int], depth: Int) -> [String] {
        var runs: [[Int]] = []
        for core in cores {
            if topology.cores.count > Self.largestCoreListing, let last = runs.last?.last, isAlike(core, last) {
                runs[runs.count - 1].append(core)
            } else {
                runs.append([core])
            }
        }
        let indent = String(repeating: "  ", count: depth)
        let hasKinds = topology.cores.contains { $0.kind > 0 }
        return runs.flatMap { run in
            let cpus = run.reduce(CPUSet()) { $0.union(topology.cores[$1].cpus) }
            let first = topology.cores[run[0]]
            var name = run.count == 1 ? "Core \(first.osIndex)" : "\(run.count) cores"
            if run.count > 1, first.cpus.count > 1 { name += " of \(first.cpus.count) CPUs" }
            if hasKinds { name += ", kind \(first.kind)" }
            let barred = cpus.subtracting(topology.allowed)
            let mark = barred.isEmpty ? "" : barred == cpus ? " (not usable)" : " (not usable: \(barred))"
            return wrapped("\(indent)\(name): CPU \(cpus)\(mark)", indent: indent.count + 2)
        }
    }

    private func isAlike(_ one: Int, _ other: Int) -> Bool {
        let (one, other) = (topology.cores[one], topology.cores[other])
        return one.kind == other.kind && one.cpus.count == other.cpus.count
            && one.cpus.isDisjoint(with: topology.allowed) == other.cpus.isDisjoint(with: topology.allowed)
    }

    private static func details(_ node: Topology.NUMANode) -> String {
        let details = [node.kind, node.memoryByteCount > 0 ? size(node.memoryByteCount) : nil].compactMap { $0 }
        return details.isEmpty ? "" : " (\(details.joined(separator: ", ")))"
    }

    /// A size in the largest unit that leaves at least one of it, to a tenth below ten.
    static func size(_ byteCount: UInt64) -> String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
        var unit = 0
        var value = Double(byteCount)
        while value >= 1024, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        let tenths = Int((value * 10).rounded())
        return tenths < 100 && tenths % 10 != 0
            ? "\(tenths / 10).\(tenths % 10) \(units[unit])" : "\((tenths + 5) / 10) \(units[unit])"
    }
}
