import ArgumentParser
import Muster

/// Which machine a command is about.
struct MachineOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Another machine, from a file written by 'lstopo --of xml'.", valueName: "file"))
    var xml: String?

    @Option(help: ArgumentHelp("A made-up machine, such as 'pack:2 numa:2 l3:1 core:8 pu:2'.", valueName: "desc"))
    var synthetic: String?

    /// Whether it is the machine that this process runs on.
    var isThisOne: Bool { xml == nil && synthetic == nil }

    /// The machine that was asked for; this one unless told.
    func topology() throws -> Topology {
        do {
            switch (xml, synthetic) {
            case (nil, nil): return try Topology.discover()
            case (let file?, nil): return try Topology(xmlFile: file)
            case (nil, let description?): return try Topology(synthetic: description)
            case (.some, .some):
                throw UsageError(message: "--xml and --synthetic name different machines; leave one of them out")
            }
        } catch let error as TopologyError where xml != nil || synthetic != nil {
            throw UsageError(message: error.description)
        }
    }
}
