internal import CHwloc
internal import Glibc
internal import Placement

/// A topology of hwloc's, owned: the only place that calls hwloc.
@safe
struct HwlocTopology: ~Copyable {
    private let topology: hwloc_topology_t

    /// Creates a topology that is yet to be told its source and loaded; nil if there is no memory.
    init?() {
        var created: hwloc_topology_t?
        // SAFETY: `created` outlives the call, which stores a topology in it or fails.
        guard unsafe hwloc_topology_init(&created) == 0, let topology = unsafe created else { return nil }
        unsafe self.topology = topology
    }

    deinit {
        // SAFETY: initialised by `init`, destroyed only here.
        unsafe hwloc_topology_destroy(topology)
    }

    /// Sets XML as the source; false if hwloc refuses it at sight.
    ///
    /// - Parameter text: The XML and a 0 at the end.
    func setXML(_ text: [CChar]) -> Bool {
        // SAFETY: hwloc reads `count` bytes, the last of which must be 0, and copies what it keeps.
        unsafe text.withUnsafeBufferPointer {
            unsafe hwloc_topology_set_xmlbuffer(topology, $0.baseAddress, CInt($0.count)) == 0
        }
    }

    /// Sets a synthetic description as the source; false if it is malformed.
    func setSynthetic(_ description: String) -> Bool {
        // SAFETY: the string ends in 0 and hwloc copies what it keeps.
        unsafe hwloc_topology_set_synthetic(topology, description) == 0
    }

    /// Loads the topology, without what the planner doesn't look at; false, with `errno`, if that fails.
    func load() -> Bool {
        // Disallowed CPUs are wanted, to be shown and to name them in errors. hwloc must not bind this thread to CPU
        // after CPU in order to ask them: it would race with bindings of our own.
        let flags = [
            HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED, HWLOC_TOPOLOGY_FLAG_DONT_CHANGE_BINDING,
            HWLOC_TOPOLOGY_FLAG_NO_DISTANCES,
        ].reduce(0) { $0 | UInt($1.rawValue) }
        // SAFETY: the topology is initialised and not yet loaded, which is when these may be called.
        unsafe hwloc_topology_set_flags(topology, flags)
        unsafe hwloc_topology_set_io_types_filter(topology, HWLOC_TYPE_FILTER_KEEP_IMPORTANT)
        unsafe hwloc_topology_set_icache_types_filter(topology, HWLOC_TYPE_FILTER_KEEP_NONE)
        unsafe hwloc_topology_set_type_filter(topology, HWLOC_OBJ_L1CACHE, HWLOC_TYPE_FILTER_KEEP_NONE)
        unsafe hwloc_topology_set_type_filter(topology, HWLOC_OBJ_MISC, HWLOC_TYPE_FILTER_KEEP_NONE)
        return unsafe hwloc_topology_load(topology) == 0
    }

    /// Whether the loaded topology is the machine that we run on.
    var isThisMachine: Bool {
        // SAFETY: the topology is loaded.
        unsafe hwloc_topology_is_thissystem(topology) != 0
    }

    /// CPUs that exist, that are online, and that may be used.
    var sets: (complete: CPUSet, online: CPUSet, allowed: CPUSet) {
        // SAFETY: the topology is loaded; the sets belong to it and are read at once.
        unsafe (
            CPUSet(hwloc_topology_get_complete_cpuset(topology)), CPUSet(hwloc_topology_get_topology_cpuset(topology)),
            CPUSet(hwloc_topology_get_allowed_cpuset(topology))
        )
    }

    /// The NUMA nodes that memory may be taken from.
    var allowedNodes: CPUSet {
        // SAFETY: the topology is loaded; the set belongs to it and is read at once.
        unsafe CPUSet(hwloc_topology_get_allowed_nodeset(topology))
    }

    /// The objects of a type, in logical order; of groups, which may lie in several depths, the outer ones first.
    func objects(_ type: hwloc_obj_type_t) -> [HwlocObject] {
        // SAFETY: the topology is loaded, so that its objects stay as they are until `deinit`; the one caller is done
        // with them by then.
        let depth = unsafe hwloc_get_type_depth(topology, type)
        let depths: [CInt] =
            switch depth {
            case HWLOC_TYPE_DEPTH_UNKNOWN.rawValue: []
            case HWLOC_TYPE_DEPTH_MULTIPLE.rawValue:
                (unsafe 0..<hwloc_topology_get_depth(topology)).filter {
                    unsafe hwloc_get_depth_type(topology, $0) == type
                }
            default: [depth]
            }
        return depths.flatMap { depth in
            unsafe (0..<hwloc_get_nbobjs_by_depth(topology, depth)).compactMap { index in
                unsafe hwloc_get_obj_by_depth(topology, depth, index).map { unsafe HwlocObject($0) }
            }
        }
    }

    /// The kinds of cores, the most capable first, each with its name where it has one; empty where hwloc can't rank
    /// them, or there is one.
    var kinds: [(name: String?, cpus: CPUSet)] {
        // SAFETY: the topology is loaded; the bitmap is ours, freed at the end. Names belong to the topology, and are
        // copied.
        let count = unsafe hwloc_cpukinds_get_nr(topology, 0)
        guard count > 1, let set = unsafe hwloc_bitmap_alloc() else { return [] }
        defer { unsafe hwloc_bitmap_free(set) }
        var kinds: [(name: String?, cpus: CPUSet)] = []
        for kind in (0..<count).reversed() {
            var efficiency: CInt = -1
            var infoCount: UInt32 = 0
            var infos: UnsafeMutablePointer<hwloc_info_s>?
            guard
                unsafe hwloc_cpukinds_get_info(topology, UInt32(kind), set, &efficiency, &infoCount, &infos, 0) == 0,
                efficiency >= 0
            else { return [] }
            var name: String?
            if let infos = unsafe infos {
                for index in 0..<Int(infoCount) where unsafe strcmp(infos[index].name, "CoreType") == 0 {
                    name = unsafe text(infos[index].value)
                }
            }
            let cpus = unsafe CPUSet(set)
            kinds.append((name, cpus))
        }
        return kinds
    }

    /// The CPUs of the smallest part of the machine that a device hangs on.
    fileprivate func cpusNear(_ device: hwloc_obj_t) -> CPUSet {
        // SAFETY: the topology is loaded, and the device one of its objects.
        guard let part = unsafe hwloc_get_non_io_ancestor_obj(topology, device) else { return [] }
        return unsafe CPUSet(part.pointee.cpuset)
    }

    /// Bandwidth in MiB/s of a NUMA node from its own CPUs; nil if unknown.
    func bandwidth(of node: HwlocObject) -> UInt64? {
        let bandwidth = unsafe node.bandwidth(in: topology)
        return bandwidth > 0 ? bandwidth : nil
    }
}

/// An object of a loaded topology; not to be kept longer than that.
@safe
struct HwlocObject {
    private let object: hwloc_obj_t

    fileprivate init(_ object: hwloc_obj_t) { unsafe self.object = object }

    // SAFETY: (for all of these) the topology is alive and loaded, so that the object is there and doesn't change.

    /// Position among the objects of its type.
    var logicalIndex: Int { unsafe Int(object.pointee.logical_index) }

    /// The kernel's number, or the logical one where it gave none.
    var osIndex: Int {
        let index = unsafe object.pointee.os_index
        return index == .max ? logicalIndex : Int(index)
    }

    /// Its CPUs that are online.
    var cpus: CPUSet { unsafe CPUSet(object.pointee.cpuset) }

    /// What it is in detail, such as `MCDRAM`, where the source says so.
    var subtype: String? { unsafe object.pointee.subtype.map { unsafe text($0) } }

    /// Size of a NUMA node's own memory or of a cache in bytes; 0 if unknown, and for other objects.
    var byteCount: UInt64 { unsafe UInt64(muster_hwloc_size(object)) }

    /// Bandwidth in MiB/s of a NUMA node from its own CPUs; 0 if unknown.
    fileprivate func bandwidth(in topology: hwloc_topology_t) -> UInt64 {
        unsafe UInt64(muster_hwloc_bandwidth(topology, object))
    }

    /// What the operating system calls it, where it has a name.
    var name: String? { unsafe object.pointee.name.map { unsafe text($0) } }

    /// A text that the source notes of it, such as `PCIVendor`.
    func info(_ name: String) -> String? {
        unsafe hwloc_obj_get_info_by_name(object, name).map { unsafe text($0) }
    }

    /// Class of a PCI device in the PCI standard; 0 for other objects.
    var pciClass: UInt32 { unsafe muster_hwloc_pci_class(object) }

    /// Address of a PCI device; not to be asked of other objects.
    var pciAddress: UInt64 { unsafe muster_hwloc_pci_address(object) }

    /// What an operating system's device is for; -1 for other objects.
    var osDeviceType: CInt { unsafe muster_hwloc_os_device_type(object) }

    /// The CPUs that are near a device: those of the smallest part of the machine that it hangs on.
    func nearCPUs(in topology: borrowing HwlocTopology) -> CPUSet { unsafe topology.cpusNear(object) }

    /// The object of `type` that holds this one.
    func ancestor(_ type: hwloc_obj_type_t) -> HwlocObject? {
        unsafe muster_hwloc_ancestor(object, type).map { unsafe HwlocObject($0) }
    }
}

/// A text of hwloc's with a `?` for every control character: it comes from drivers and files, and goes to terminals.
private func text(_ characters: UnsafePointer<CChar>) -> String {
    // SAFETY: the caller has a text that ends in 0, which is copied.
    var text = unsafe String(cString: characters)
    guard text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else { return text }
    text.unicodeScalars = String.UnicodeScalarView(
        text.unicodeScalars.lazy.map { $0.properties.generalCategory == .control ? "?" : $0 })
    return text
}

extension CPUSet {
    /// The CPUs of a bitmap of hwloc's; those of an infinite one up to the largest number.
    fileprivate init(_ set: hwloc_const_bitmap_t?) {
        self.init()
        guard let set = unsafe set else { return }
        // SAFETY: the caller has a bitmap that nobody changes during the call.
        var cpu = unsafe hwloc_bitmap_first(set)
        while cpu >= 0, Int(cpu) <= CPUSet.largestCPU {
            insert(Int(cpu))
            cpu = unsafe hwloc_bitmap_next(set, cpu)
        }
    }
}
