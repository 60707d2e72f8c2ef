import ArgumentParser
import Muster

/// `muster topology`: the machine and its CPUs that may be used.
struct TopologyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "topology",
        abstract: "Shows the machine, its usable CPUs, NUMA nodes and caches.",
        discussion: """
            Usable are the online CPUs of the mask that this process was given, within its cpuset. Numbers are the \
            kernel's (OS indices).

            EXAMPLES:
              muster topology
              muster topology --synthetic 'pack:2 numa:2 l3:1 core:8 pu:2'
              muster topology --xml node17.xml --json

            --json prints one document:
              packages, numa, caches, cores, cpus: in topological order, each with
                its kernel's number 'os' and the 'cpus' it holds; 'memory' and
                'bytes' are sizes in bytes; a core's 'package' is the package's 'os'
                and its 'kind' 0 for the most capable; a CPU's 'core' is the core's
                'logical'
              complete, online, usable: lists of CPUs
              quota: CPUs' worth of time that the cgroup grants, or null
            """)

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var machine: MachineOptions

    func run() throws {
        let topology = try machine.topology()
        try FileOutput.standardOutput.writeLine(json ? topology.json.text : TopologyTree(topology).text)
    }
}

extension Topology {
    /// The machine as `muster topology --json` prints it.
    var json: JSON {
        let nodes = numaNodes.map { node in
            JSON.object([
                "os": .integer(node.osIndex), "memory": .integer(Int(clamping: node.memoryByteCount)),
                "kind": .optional(node.kind), "cpus": .list(node.cpus),
            ])
        }
        let caches = caches.map { cache in
            JSON.object([
                "level": .integer(cache.level), "bytes": .integer(Int(clamping: cache.byteCount)),
                "cpus": .list(cache.cpus),
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
            "packages": .array(sockets), "numa": .array(nodes), "caches": .array(caches), "cores": .array(cores),
            "cpus": .array(cpus), "complete": .list(complete), "online": .list(online), "usable": .list(allowed),
            "quota": cpuQuota.map { .number($0) } ?? .null,
        ])
    }
}
