public import ArgumentParser
public import Muster

extension PlacementMode: ExpressibleByArgument {}

/// `muster plan`: where workers would go, and why.
struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Shows where workers would go, and why.",
        discussion: """
            Nothing is started or bound. Workers of one thread get whole cores before two share one. 'compact' takes \
            neighbouring cores; 'balanced' shares packages, NUMA nodes and L3 caches out evenly.

            EXAMPLES:
              muster plan --workers 6 --mode balanced
              muster plan --threads 4 --synthetic 'pack:2 l3:2 core:8 pu:2'
              muster plan --cpus 0-3,8 --json

            --json prints one document, with the kernel's numbers (OS indices); 'package' and 'core' are null where a \
            worker's CPUs lie in several:
              {"workers":[{"worker":1,"cpus":[0],"package":0,"numa":[0],
               "core":0,"reason":"…"}],"usable":[0,1]}
            """)

    @OptionGroup var places: WorkerOptions

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var machine: MachineOptions

    func run() throws {
        let plan = try places.plan(on: try machine.topology())
        try FileOutput.standardOutput.writeLine(json ? plan.json.text : plan.table(mode: places.spread))
    }
}

extension PlacementPlan {
    /// The plan as `muster plan --json` prints it.
    var json: JSON {
        let workers = workers.map { worker in
            JSON.object([
                "worker": .integer(worker.worker), "cpus": .list(worker.cpus), "package": .optional(worker.package),
                "numa": .list(worker.numa), "core": .optional(worker.core), "reason": .string(worker.reason),
            ])
        }
        return .object(["workers": .array(workers), "usable": .list(usable)])
    }

    /// The plan as a table of 80 columns, as far as CPU lists allow, and what is to be said about it.
    ///
    /// - Parameter mode: How workers were spread; nil for a list of CPUs.
    func table(mode: PlacementMode?) -> String {
        let count = "\(workers.count) \(workers.count == 1 ? "worker" : "workers")"
        let places = "\(usable.count) usable \(usable.count == 1 ? "CPU" : "CPUs")"
        var lines = wrapped("\(count), \(mode?.rawValue ?? "as listed"), on \(places): \(usable)", indent: 2) + [""]
        let rows = workers.map { worker in
            [
                String(worker.worker), worker.cpus.description, worker.numa.map(String.init).joined(separator: ","),
                worker.reason,
            ]
        }
        lines += Table(header: ["worker", "cpus", "numa", "why"], rows: rows).lines()
        if !notes.isEmpty { lines.append("") }
        for note in notes { lines += wrapped("note: " + note, indent: 6) }
        return lines.joined(separator: "\n")
    }
}
