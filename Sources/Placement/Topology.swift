/// A machine as a value: what it is made of, and which of its CPUs may be used.
///
/// Discovery (module Machine) fills it from hwloc, and tests write it down; the planner only reads it, so that a plan
/// can be made for a machine that nobody has at hand.
///
/// Lists are in hwloc's logical order, which walks the machine depth first: the CPUs of a core, cache, NUMA node or
/// package follow one another in ``pus`` whatever numbers the kernel gave them. The kernel's numbers (OS indices) say
/// nothing about nearness: they may be interleaved over packages, have gaps, and lack offline CPUs.
public struct Topology: Hashable, Codable, Sendable {
    /// A package: what sits in one socket.
    public struct Package: Hashable, Codable, Sendable {
        /// The kernel's number of the package.
        public var osIndex: Int
        /// Its CPUs, by OS index.
        public var cpus: CPUSet

        /// Creates a package.
        public init(osIndex: Int, cpus: CPUSet) {
            self.osIndex = osIndex
            self.cpus = cpus
        }
    }

    /// A NUMA node: memory, and the CPUs that are nearest to it.
    public struct NUMANode: Hashable, Codable, Sendable {
        /// The kernel's number of the node, as memory policies want it.
        public var osIndex: Int
        /// Size of its memory in bytes; 0 where the source doesn't say.
        public var memoryByteCount: UInt64
        /// The CPUs it is local to, by OS index; empty for memory that is local to none (such as CXL expanders).
        public var cpus: CPUSet
        /// What the node is, where the source says so, such as `HBM` or `MCDRAM`.
        public var kind: String?
        /// Bandwidth from its own CPUs in MiB/s, where the source says so: what memory tiers are told apart by.
        public var bandwidth: UInt64?
        /// Whether memory may be taken from it here: a cpuset may keep it from this process.
        public var isUsable = true

        /// Creates a NUMA node.
        public init(
            osIndex: Int, memoryByteCount: UInt64 = 0, cpus: CPUSet, kind: String? = nil, bandwidth: UInt64? = nil
        ) {
            self.osIndex = osIndex
            self.memoryByteCount = memoryByteCount
            self.cpus = cpus
            self.kind = kind
            self.bandwidth = bandwidth
        }
    }

    /// A part of the machine without a name of its own between the others: a die, a cluster of cores, a group of
    /// packages.
    public struct Group: Hashable, Codable, Sendable {
        /// What it is, where the source says so, such as `Die` or `Cluster`.
        public var kind: String?
        /// Its CPUs, by OS index.
        public var cpus: CPUSet

        /// Creates a group.
        public init(kind: String? = nil, cpus: CPUSet) {
            self.kind = kind
            self.cpus = cpus
        }
    }

    /// A level 2 or level 3 cache.
    public struct Cache: Hashable, Codable, Sendable {
        /// 2 or 3.
        public var level: Int
        /// Size in bytes; 0 where the source doesn't say.
        public var byteCount: UInt64
        /// The CPUs that share it, by OS index.
        public var cpus: CPUSet

        /// Creates a cache.
        public init(level: Int, byteCount: UInt64 = 0, cpus: CPUSet) {
            self.level = level
            self.byteCount = byteCount
            self.cpus = cpus
        }
    }

    /// A kind of core, on machines whose cores differ.
    public struct CoreKind: Hashable, Codable, Sendable {
        /// What the source calls it, such as `IntelAtom`; nil if it has no name.
        public var name: String?

        /// Creates a kind.
        public init(name: String? = nil) {
            self.name = name
        }
    }

    /// A core with its hardware threads.
    public struct Core: Hashable, Codable, Sendable {
        /// The kernel's number of the core, unique only within a package; the logical number where it gives none.
        public var osIndex: Int
        /// Its hardware threads, by OS index.
        public var cpus: CPUSet
        /// Position of its package in ``Topology/packages``; nil where the source knows no packages.
        public var package: Int?
        /// Rank among the machine's kinds of cores: 0 is the most capable, and the only one if all are alike.
        public var kind: Int

        /// Creates a core.
        public init(osIndex: Int, cpus: CPUSet, package: Int? = nil, kind: Int = 0) {
            self.osIndex = osIndex
            self.cpus = cpus
            self.package = package
            self.kind = kind
        }
    }

    /// A processing unit: what the kernel calls a CPU, a hardware thread of a core.
    public struct PU: Hashable, Codable, Sendable {
        /// The kernel's number of the CPU.
        public var osIndex: Int
        /// Position of its core in ``Topology/cores``.
        public var core: Int

        /// Creates a processing unit.
        public init(osIndex: Int, core: Int) {
            self.osIndex = osIndex
            self.core = core
        }
    }

    /// A device that is nearer to some CPUs than to others: a GPU, a network interface, a disk.
    public struct Device: Hashable, Codable, Sendable {
        /// What a device is for.
        public enum Kind: String, Hashable, Codable, Sendable, CaseIterable {
            /// Graphics and computing.
            case gpu
            /// Ethernet, InfiniBand and their like.
            case network
            /// Disks, and memory that is used as one.
            case storage
            /// Anything else.
            case other
        }

        /// What it is for.
        public var kind: Kind
        /// What the kernel and drivers call it, such as `eth0` or `cuda0`; may be empty.
        public var names: [String]
        /// Its address on the PCI bus, such as `0000:3b:00.0`; nil if it has none.
        public var busID: String?
        /// Maker and model, where the source says so.
        public var model: String?
        /// The CPUs it is local to, by OS index.
        public var cpus: CPUSet

        /// Creates a device.
        public init(kind: Kind, names: [String], busID: String? = nil, model: String? = nil, cpus: CPUSet) {
            self.kind = kind
            self.names = names
            self.busID = busID
            self.model = model
            self.cpus = cpus
        }
    }

    /// Packages, in logical order.
    public var packages: [Package]
    /// NUMA nodes, in logical order; several may be local to the same CPUs (DRAM beside HBM).
    public var numaNodes: [NUMANode]
    /// Groups, in logical order, the outer before the inner.
    public var groups: [Group]
    /// Caches of level 2 and 3, in logical order level by level.
    public var caches: [Cache]
    /// The kinds of cores, by ``Core/kind``; one or none if all are alike.
    public var coreKinds: [CoreKind]
    /// Cores, in logical order: the position in this list is the logical index.
    public var cores: [Core]
    /// Processing units that are online, in logical order, allowed or not.
    public var pus: [PU]
    /// Devices, in the order of the buses.
    public var devices: [Device]
    /// CPUs that exist, online or not.
    public var complete: CPUSet
    /// CPUs that are online.
    public var online: CPUSet
    /// CPUs that may be used here: inherited mask ∩ cpuset ∩ online. A plan never leaves it.
    public var allowed: CPUSet
    /// CPUs' worth of time per unit of time that the cgroup grants, nil if it sets no limit.
    ///
    /// It bounds the default number of workers, not the CPUs they may use.
    public var cpuQuota: Double?

    /// Creates a topology from its parts, in logical order.
    ///
    /// - Parameters:
    ///   - online: CPUs that are online; those of `pus` unless told.
    ///   - complete: CPUs that exist; the online ones unless told.
    ///   - allowed: CPUs that may be used; the online ones unless told. Others than `pus` are left out.
    public init(
        packages: [Package] = [], numaNodes: [NUMANode] = [], groups: [Group] = [], caches: [Cache] = [],
        coreKinds: [CoreKind] = [], cores: [Core], pus: [PU], devices: [Device] = [], complete: CPUSet? = nil,
        online: CPUSet? = nil, allowed: CPUSet? = nil, cpuQuota: Double? = nil
    ) {
        precondition(pus.allSatisfy { cores.indices.contains($0.core) }, "every PU names a core of the list")
        let present = CPUSet(pus.lazy.map(\.osIndex))
        self.packages = packages
        self.numaNodes = numaNodes
        self.groups = groups
        self.caches = caches
        self.coreKinds = coreKinds
        self.cores = cores
        self.pus = pus
        self.devices = devices
        self.online = online ?? present
        self.complete = (complete ?? present).union(present)
        self.allowed = (allowed ?? present).intersection(present)
        self.cpuQuota = cpuQuota
    }

    /// Number of cores with at least one CPU that may be used.
    public var usableCoreCount: Int {
        cores.reduce(0) { $0 + ($1.cpus.isDisjoint(with: allowed) ? 0 : 1) }
    }

    /// The NUMA nodes that have memory local to any of `cpus`, by OS index, in rising order.
    ///
    /// Linux makes nodes of CPUs without memory too: where slots are empty, and in virtual machines.
    public func numaNodes(of cpus: CPUSet) -> [Int] {
        numaNodes.filter { !$0.cpus.isDisjoint(with: cpus) && hasMemory($0) }.map(\.osIndex).sorted()
    }

    /// Whether a node has memory, as far as the source knows; some know no sizes at all.
    func hasMemory(_ node: NUMANode) -> Bool {
        node.memoryByteCount > 0 || numaNodes.allSatisfy { $0.memoryByteCount == 0 }
    }
}
