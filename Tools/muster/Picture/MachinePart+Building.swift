import Muster

extension MachinePart {
    /// The machine as a tree of parts, with every core in one of them.
    init(_ topology: Topology) {
        self.init(kind: .machine, cpus: CPUSet(topology.pus.lazy.map(\.osIndex)))
        var beside = MachinePart(kind: .beside, labels: ["Without CPUs here"], cpus: [])
        let coreCPUs = CoreCPUs(topology)
        for part in topology.boxes(coreCPUs) {
            if part.cpus.isEmpty { beside.labels += part.labels } else { insert(part) }
        }
        for node in topology.numaNodes where coreCPUs.areSplit(by: node.cpus) {
            update(at: node.cpus) { $0.labels.append("\(node.label): CPU \(node.cpus)") }
        }
        for (index, core) in topology.cores.enumerated() {
            update(at: core.cpus.intersection(cpus)) { $0.cores.append(index) }
        }
        for device in topology.shownDevices {
            update(at: device.cpus.isEmpty ? cpus : device.cpus) { $0.devices.append(device) }
        }
        let positions = Dictionary(
            topology.pus.enumerated().map { ($1.osIndex, $0) }, uniquingKeysWith: { first, _ in first })
        arrange(topology) { cpus in cpus.lazy.compactMap { positions[$0] }.min() ?? .max }
        if beside.labels.count > 1 { parts.append(beside) }
    }

    private mutating func insert(_ part: MachinePart) {
        if let holder = parts.firstIndex(where: { part.cpus.isSubset(of: $0.cpus) }) {
            parts[holder].insert(part)
        } else {
            parts.append(part)
        }
    }

    /// Changes the smallest part that holds `cpus`.
    private mutating func update(at cpus: CPUSet, _ change: (inout MachinePart) -> Void) {
        if let holder = parts.firstIndex(where: { cpus.isSubset(of: $0.cpus) }) {
            parts[holder].update(at: cpus, change)
        } else {
            change(&self)
        }
    }

    /// Puts parts in topological order, with a part of their own for cores beside other parts and for each kind of
    /// core.
    private mutating func arrange(_ topology: Topology, position: (CPUSet) -> Int) {
        let kinds = Set(topology.cores.map(\.kind)).count > 1 ? topology.coreKindNames : [:]
        arrange(topology, kinds: kinds, position: position)
    }

    private mutating func arrange(_ topology: Topology, kinds: [Int: String], position: (CPUSet) -> Int) {
        for index in parts.indices { parts[index].arrange(topology, kinds: kinds, position: position) }
        var runs: [MachinePart] = []
        for core in cores {
            let cpus = topology.cores[core].cpus
            if let last = runs.last?.cores.last, topology.cores[last].kind == topology.cores[core].kind,
                parts.isEmpty || last == core - 1
            {
                runs[runs.count - 1].cores.append(core)
                runs[runs.count - 1].cpus = runs[runs.count - 1].cpus.union(cpus)
            } else {
                runs.append(MachinePart(kind: .run, cpus: cpus, cores: [core]))
            }
        }
        for index in runs.indices {
            guard let name = kinds[topology.cores[runs[index].cores[0]].kind] else { continue }
            runs[index].labels = [PictureText.count(runs[index].cores.count, name)]
        }
        if parts.isEmpty, runs.count == 1 {
            labels += runs[0].labels
        } else {
            cores = []
            let all = (parts + runs).map { (part: $0, position: position($0.cpus)) }
            parts = all.enumerated().sorted {
                ($0.element.position, $0.offset) < ($1.element.position, $1.offset)
            }.map(\.element.part)
        }
    }
}

extension Topology {
    /// Packages, NUMA nodes, groups and caches, those with the same CPUs as one; each after all that hold it.
    fileprivate func boxes(_ coreCPUs: CoreCPUs) -> [MachinePart] {
        var boxes: [MachinePart] = []
        var positions: [CPUSet: Int] = [:]
        func add(_ kind: MachinePart.Kind, _ label: String?, _ cpus: CPUSet) {
            if let same = positions[cpus], !cpus.isEmpty {
                if let label { boxes[same].labels.append(label) }
            } else {
                positions[cpus] = boxes.count
                boxes.append(MachinePart(kind: kind, labels: [label ?? "Group"], cpus: cpus))
            }
        }
        for package in packages where !coreCPUs.areSplit(by: package.cpus) {
            add(.package, "Package \(package.osIndex)", package.cpus)
        }
        for node in numaNodes where !coreCPUs.areSplit(by: node.cpus) { add(.numaNode, node.label, node.cpus) }
        for group in groups where !coreCPUs.areSplit(by: group.cpus) {
            add(.group, group.kind.map(PictureText.cleaned), group.cpus)
        }
        for level in [3, 2] {
            let shared = caches.filter { $0.level == level && !$0.cpus.isEmpty && !coreCPUs.areSplit(by: $0.cpus) }
            for cache in shared {
                // Each core's own L2 cache is in the summary: a box for each would say the same many times.
                if level == 3 || coreCPUs.cores(of: cache.cpus).count > 1 {
                    let size = cache.byteCount > 0 ? " \(PictureText.size(cache.byteCount))" : ""
                    add(.cache, "L\(level)\(size)", cache.cpus)
                }
            }
        }
        let sizes = boxes.map(\.cpus.count)
        return boxes.indices.sorted { (-sizes[$0], $0) < (-sizes[$1], $1) }.map { boxes[$0] }
    }

    /// What a core of each kind is called.
    fileprivate var coreKindNames: [Int: String] {
        var names: [Int: String] = [:]
        let kinds = Set(cores.map(\.kind))
        for kind in kinds {
            let name = coreKinds.indices.contains(kind) ? coreKinds[kind].name : nil
            names[kind] =
                switch name {
                case "IntelCore": "P-core"
                case "IntelAtom": "E-core"
                case let name?: "\(PictureText.cleaned(name)) core"
                // Where the source tells two kinds apart and no more, they are what everyone calls P and E.
                case nil where kinds.count == 2 && kind <= 1: kind == 0 ? "P-core" : "E-core"
                case nil: "kind-\(kind) core"
                }
        }
        return names
    }
}

/// Which CPUs belong to a core; asked for each of thousands of caches.
private struct CoreCPUs {
    private let cores: [Int: Int]
    private let counts: [Int]

    init(_ topology: Topology) {
        cores = Dictionary(topology.pus.map { ($0.osIndex, $0.core) }, uniquingKeysWith: { first, _ in first })
        var counts = Array(repeating: 0, count: topology.cores.count)
        for core in cores.values { counts[core] += 1 }
        self.counts = counts
    }

    /// The cores that have some of these CPUs.
    func cores(of cpus: CPUSet) -> Set<Int> { Set(cpus.lazy.compactMap { cores[$0] }) }

    /// Whether only some CPUs of a core are among these, so that no box around whole cores can stand for them.
    func areSplit(by cpus: CPUSet) -> Bool {
        let present = cpus.lazy.filter { cores[$0] != nil }.count
        return cores(of: cpus).reduce(0) { $0 + counts[$1] } != present
    }
}

extension Topology.NUMANode {
    /// What stands for it in a picture, such as `NUMA 0 (HBM, 16 GiB)`.
    fileprivate var label: String {
        let details = [kind.map(PictureText.cleaned), memoryByteCount > 0 ? PictureText.size(memoryByteCount) : nil]
            .compactMap { $0 }
        return "NUMA \(osIndex)" + (details.isEmpty ? "" : " (\(details.joined(separator: ", ")))")
    }
}
