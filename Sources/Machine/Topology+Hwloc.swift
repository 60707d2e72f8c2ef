internal import CHwloc
internal import Placement

extension Topology {
    /// Takes over what hwloc has loaded.
    init(_ hwloc: borrowing HwlocTopology) {
        let packages = hwloc.objects(HWLOC_OBJ_PACKAGE)
        let packagePositions = Dictionary(
            packages.enumerated().map { ($1.logicalIndex, $0) }, uniquingKeysWith: { first, _ in first })
        let caches = [(2, HWLOC_OBJ_L2CACHE), (3, HWLOC_OBJ_L3CACHE)].flatMap { level, type in
            hwloc.objects(type).map { Cache(level: level, byteCount: $0.byteCount, cpus: $0.cpus) }
        }
        let groups = [HWLOC_OBJ_GROUP, HWLOC_OBJ_DIE].flatMap { type in
            hwloc.objects(type).map { group in
                Group(kind: group.subtype ?? (type == HWLOC_OBJ_DIE ? "Die" : nil), cpus: group.cpus)
            }
        }
        let coreKinds = hwloc.kinds
        var kinds: [Int: Int] = [:]
        for (kind, cores) in coreKinds.enumerated() {
            for cpu in cores.cpus { kinds[cpu] = kind }
        }
        var cores: [Core] = []
        var corePositions: [Int: Int] = [:]
        var pus: [PU] = []
        // A file may claim any number; those beyond what a set holds are no CPUs of a real machine.
        for pu in hwloc.objects(HWLOC_OBJ_PU) where pu.osIndex <= CPUSet.largestCPU {
            // Where no cores are known, a CPU counts as one.
            let object = pu.ancestor(HWLOC_OBJ_CORE)
            if let object, let core = corePositions[object.logicalIndex] {
                pus.append(PU(osIndex: pu.osIndex, core: core))
                continue
            }
            if let object { corePositions[object.logicalIndex] = cores.count }
            let cpus = object?.cpus ?? [pu.osIndex]
            pus.append(PU(osIndex: pu.osIndex, core: cores.count))
            cores.append(
                Core(
                    osIndex: (object ?? pu).osIndex, cpus: cpus,
                    package: pu.ancestor(HWLOC_OBJ_PACKAGE).flatMap { packagePositions[$0.logicalIndex] },
                    kind: cpus.lazy.compactMap { kinds[$0] }.min() ?? 0))
        }
        let sets = hwloc.sets
        let allowedNodes = hwloc.allowedNodes
        self.init(
            packages: packages.map { Package(osIndex: $0.osIndex, cpus: $0.cpus) },
            numaNodes: hwloc.objects(HWLOC_OBJ_NUMANODE).filter { $0.osIndex <= CPUSet.largestCPU }.map { object in
                var node = NUMANode(
                    osIndex: object.osIndex, memoryByteCount: object.byteCount, cpus: object.cpus, kind: object.subtype,
                    bandwidth: hwloc.bandwidth(of: object))
                node.isUsable = allowedNodes.contains(node.osIndex)
                return node
            },
            groups: groups.filter { !$0.cpus.isEmpty }, caches: caches,
            coreKinds: coreKinds.map { CoreKind(name: $0.name) }, cores: cores, pus: pus,
            devices: Device.all(in: hwloc), complete: sets.complete, online: sets.online, allowed: sets.allowed)
    }
}
