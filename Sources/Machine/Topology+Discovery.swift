internal import Glibc
public import Placement
internal import Synchronization

extension Topology {
    /// This machine, with the CPUs that this process may use.
    ///
    /// Discovered once per process, and not at all in a worker whose driver has done so: it was given what that found.
    /// Later calls give the same value. What may be used is the mask the process was given ∩ its cpuset ∩ what is online.
    ///
    /// - Throws: ``TopologyError`` if hwloc fails, or environment variables put another machine in this one's place.
    /// - Complexity: The first call takes some milliseconds on a small machine, tens on the largest.
    public static func discover() throws(TopologyError) -> Topology {
        try discovered.get()
    }

    /// Reads a machine that hwloc exported (`lstopo --of xml`, hwloc 2).
    ///
    /// Its allowed set is what the file says, whatever this process may use.
    ///
    /// - Throws: ``TopologyError`` if the file can't be read, is no such XML, or is of hwloc 3.
    public init(xmlFile: String) throws(TopologyError) {
        try self.init(xml: try readXML(xmlFile), named: xmlFile)
    }

    /// Reads a machine from the text of a file; `name` is the file's in errors.
    init(xml text: [UInt8], named name: String) throws(TopologyError) {
        try checkXML(text, named: name)
        let failure = TopologyError(
            code: .notTopology, source: topologyFile(name), problem: "is no topology that hwloc can load",
            cure: "write one with hwloc 2: lstopo --of xml FILE")
        let text = text.map { CChar(bitPattern: $0) } + [0]
        guard let hwloc = HwlocTopology(), hwloc.setXML(text), hwloc.load() else { throw failure }
        self.init(hwloc)
        guard !pus.isEmpty else { throw failure }
    }

    /// Makes up a machine from hwloc's synthetic description, such as `pack:2 numa:2 l3:1 core:8 pu:2`.
    ///
    /// - Throws: ``TopologyError`` if the description is malformed.
    public init(synthetic: String) throws(TopologyError) {
        guard let hwloc = HwlocTopology(), hwloc.setSynthetic(synthetic), hwloc.load() else {
            throw TopologyError(
                code: .badDescription, source: "the synthetic description '\(synthetic)'", problem: "is malformed",
                cure: "write levels from the outside in, such as: pack:2 numa:2 l3:1 core:8 pu:2")
        }
        self.init(hwloc)
    }

    /// What ``discover()`` has found in this process, as far as it was called.
    package static var known: Topology? { found.withLock { $0 } }

    /// Lets ``discover()`` take what another process of this host has found, if it has not been called yet.
    ///
    /// - Parameter load: Called once, when the topology is asked for; nil to explore the machine after all.
    package static func inherit(_ load: @escaping @Sendable () -> Topology?) {
        source.withLock { $0 = Source(load: load) }
    }

    private struct Source {
        let load: @Sendable () -> Topology?
    }

    private static let source = Mutex<Source?>(nil)
    private static let found = Mutex<Topology?>(nil)

    private static let discovered = Result { () throws(TopologyError) in
        // The mask is read before hwloc could touch it.
        let inherited = inheritedAffinity
        if let load = source.withLock({ $0?.load }), var topology = load() {
            if !inherited.isEmpty { topology.allowed = topology.allowed.intersection(inherited) }
            found.withLock { $0 = topology }
            return topology
        }
        // hwloc would ask for ever, with larger masks each time.
        guard !inherited.isEmpty else {
            throw TopologyError(
                code: .discovery, source: "this machine",
                problem: "does not tell which CPUs this process may use: sched_getaffinity(2) fails",
                cure: "allow that system call")
        }
        guard let hwloc = HwlocTopology(), hwloc.load() else {
            throw TopologyError(
                code: .discovery, source: "this machine",
                problem: "could not be explored by hwloc: \(errorText(errno))",
                cure: "check that /sys is mounted")
        }
        guard hwloc.isThisMachine else {
            throw TopologyError(
                code: .otherMachine, source: "this machine",
                problem: "is hidden by another one in hwloc's environment variables",
                cure: "unset HWLOC_XMLFILE, HWLOC_SYNTHETIC and HWLOC_FSROOT, or name that machine with --xml")
        }
        var topology = Topology(hwloc)
        topology.allowed = topology.allowed.intersection(inherited)
        topology.cpuQuota = CPUQuota.read()
        found.withLock { [topology] in $0 = topology }
        return topology
    }
}
