import ArgumentParser
import Muster

/// `muster topology`: the machine and its CPUs that may be used, and where workers would be.
struct TopologyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "topology",
        abstract: "Shows the machine, its usable CPUs, NUMA nodes, caches and devices.",
        discussion: """
            Usable are the online CPUs of the mask that this process was given, within its cpuset. Numbers are the \
            kernel's (OS indices). With options for workers, the plan is drawn on the machine: the same as 'muster \
            plan' with these options, which also says why.

            EXAMPLES:
              muster topology
              muster topology --workers 6 --mode compact
              muster topology --synthetic 'pack:2 numa:2 l3:1 core:8 pu:2'
              muster topology --workers 6 --threads 2 --svg plan.svg
              muster topology --xml node17.xml --json

            Colours are used in a terminal, unless NO_COLOR is set or TERM is dumb; boxes are drawn with ASCII where \
            the locale is not UTF-8. A drawing (SVG) stands by itself, fits a page, and names each CPU and its \
            workers: <g id="cpu0" data-workers="1">.

            --json prints one document:
              packages, numa, groups, caches, cores, cpus: in topological order, each
                with its kernel's number 'os' and the 'cpus' it holds; 'memory' and
                'bytes' are sizes in bytes, 'bandwidth' is in MiB/s; a core's
                'package' is the package's 'os' and its 'kind' the position in
                'kinds', 0 for the most capable; a CPU's 'core' is the core's
                'logical'
              devices: 'names' are the kernel's and drivers', 'bus' the PCI
                address; 'cpus' are near it
              complete, online, usable: lists of CPUs
              quota: CPUs' worth of time that the cgroup grants, or null
            """)

    @Flag(help: "Print JSON.")
    var json = false

    @Option(help: ArgumentHelp("Draw the same as SVG; '-' for standard output.", valueName: "file"))
    var svg: String?

    @Option(
        name: [.customLong("colour"), .customLong("color")],
        help: ArgumentHelp("Colours in a terminal; auto unless told.", valueName: "auto|always|never"))
    var color = ColorChoice.auto

    @OptionGroup var places: WorkerOptions

    @OptionGroup var machine: MachineOptions

    func run() throws {
        let isPlanned = !places.isEmpty
        if json, svg != nil { throw UsageError(message: "--json and --svg are two outputs; leave one of them out") }
        if json, isPlanned {
            throw UsageError(message: "--json prints the machine; for workers on it: muster plan --json")
        }
        if svg == "" { throw UsageError(message: "--svg names no file; write one, or '-' for standard output") }
        let topology = try machine.topology()
        if json { return try FileOutput.standardOutput.writeLine(topology.json.text) }
        let occupied = isPlanned && machine.isThisOne ? CPUReservation.occupations() : []
        let plan = isPlanned ? try places.plan(on: topology, occupied: occupied) : nil
        if let svg {
            let drawing = SVGPicture.document(of: topology, plan: plan)
            if svg == "-" { return try FileOutput.standardOutput.writeLine(drawing) }
            return try FileOutput.write("\(drawing)\n", toFile: svg)
        }
        let picture = TerminalPicture(topology, plan: plan, screen: Screen(color: color))
        try FileOutput.standardOutput.writeLine(picture.text)
    }
}

extension Topology {
    /// The machine as `muster topology --json` prints it.
    var json: JSON {
        let nodes = numaNodes.map { node in
            JSON.object([
                "os": .integer(node.osIndex), "memory": .integer(Int(clamping: node.memoryByteCount)),
                "kind": .optional(node.kind), "bandwidth": .optional(node.bandwidth.map { Int(clamping: $0) }),
                "cpus": .list(node.cpus),
            ])
        }
        let caches = caches.map { cache in
            JSON.object([
                "level": .integer(cache.level), "bytes": .integer(Int(clamping: cache.byteCount)),
                "cpus": .list(cache.cpus),
            ])
        }
        let groups = groups.map { JSON.object(["kind": .optional($0.kind), "cpus": .list($0.cpus)]) }
        let kinds = coreKinds.map { JSON.object(["name": .optional($0.name)]) }
        let devices = devices.map { device in
            JSON.object([
                "kind": .string(device.kind.rawValue), "names": .array(device.names.map { .string($0) }),
                "bus": .optional(device.busID), "model": .optional(device.model), "cpus": .list(device.cpus),
            ])
        }
        let cores = cores.enumerated().map { index, core in
            JSON.object([
                "logical": .integer(index), "os": .integer(core.osIndex),
                "package": .optional(core.package.map { packages[$0].osIndex }), "kind": .integer(core.kind),
                "cpus": .list(core.cpus),
            ])
        }
        let cpus = pus.enumerated().map { index, pu in
            JSON.object(["logical": .integer(index), "os": .integer(pu.osIndex), "core": .integer(pu.core)])
        }
        let sockets = packages.map { JSON.object(["os": .integer($0.osIndex), "cpus": .list($0.cpus)]) }
        return .object([
            "packages": .array(sockets), "numa": .array(nodes), "groups": .array(groups), "caches": .array(caches),
            "kinds": .array(kinds), "cores": .array(cores), "cpus": .array(cpus), "devices": .array(devices),
            "complete": .list(complete), "online": .list(online), "usable": .list(allowed),
            "quota": cpuQuota.map { .number($0) } ?? .null,
        ])
    }
}
