import ArgumentParser
import Muster

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
              muster plan --per numa --memory local
              muster plan --workers 2 --near gpu0 --explain
              muster plan --cpus 0-3,8 --json

            On this machine, CPUs that other clusters of yours have are taken last.

            --json prints one document, with the kernel's numbers (OS indices); 'package' and 'core' are null where a \
            worker's CPUs lie in several, and 'memory' where its memory is left as it is:
              {"workers":[{"worker":1,"cpus":[0],"package":0,"numa":[0],
               "core":0,"reason":"…","memory":{"mode":"preferred",
               "nodes":[0]}}],"usable":[0,1]}
            With --explain each worker has an 'explanation', too, a list of sentences.
            """)

    @OptionGroup var places: WorkerOptions

    @Flag(help: "Tell for each worker why it is there, and not beside.")
    var explain = false

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var machine: MachineOptions

    func run() throws {
        var request = try places.request()
        let topology = try machine.topology()
        if machine.isThisOne { request.occupied = CPUReservation.occupations() }
        let (plan, explanations) = try places.usage { () throws(PlacementError) in
            (
                try PlacementPlan(request, on: topology),
                explain ? try PlacementPlan.explanations(of: request, on: topology) : nil
            )
        }
        try FileOutput.standardOutput.writeLine(
            json ? plan.json(explanations).text : plan.table(request, explanations))
    }
}

extension PlacementPlan {
    /// The plan as `muster plan --json` prints it.
    func json(_ explanations: [[String]]?) -> JSON {
        let workers = workers.enumerated().map { index, worker in
            let memory: JSON =
                worker.memory.map { .object(["mode": .string($0.mode.rawValue), "nodes": .list($0.nodes)]) } ?? .null
            var members: [(String, JSON)] = [
                ("worker", .integer(worker.worker)), ("cpus", .list(worker.cpus)),
                ("package", .optional(worker.package)), ("numa", .list(worker.numa)), ("core", .optional(worker.core)),
                ("reason", .string(worker.reason)), ("memory", memory),
            ]
            if let explanations {
                members.append(("explanation", .array(explanations[index].map { .string($0) })))
            }
            return JSON.object(members)
        }
        return .object(["workers": .array(workers), "usable": .list(usable)])
    }

    /// The plan as a table of 80 columns, as far as CPU lists allow, and what is to be said about it.
    ///
    /// - Parameters:
    ///   - request: What was asked for.
    ///   - explanations: Sentences to put in place of the table's short reasons; nil for the table.
    func table(_ request: PlacementRequest, _ explanations: [[String]]? = nil) -> String {
        let count = "\(workers.count) \(workers.count == 1 ? "worker" : "workers")"
        let places = "\(usable.count) usable \(usable.count == 1 ? "CPU" : "CPUs")"
        let how =
            request.cpus != nil ? "as listed" : request.per.map { "one per \($0.rawValue)" } ?? "\(request.mode)"
        var lines = wrapped("\(count), \(how), on \(places): \(usable)", indent: 2) + [""]
        if let explanations {
            for (worker, sentences) in zip(workers, explanations) {
                lines += wrapped("worker \(worker.worker): CPU \(worker.cpus), \(worker.reason)", indent: 2)
                for sentence in sentences { lines += wrapped("  - " + sentence, indent: 4) }
            }
        } else {
            // What is as usual takes no room.
            let hasMemory = request.memory != .preferred || request.memoryTier != nil
            let rows = workers.map { worker in
                [String(worker.worker), worker.cpus.description, worker.numa.map(String.init).joined(separator: ",")]
                    + (hasMemory ? [worker.memory.map { "\($0)" } ?? "as is"] : []) + [worker.reason]
            }
            let header = ["worker", "cpus", "numa"] + (hasMemory ? ["memory"] : []) + ["why"]
            lines += Table(header: header, rows: rows).lines()
        }
        if !notes.isEmpty { lines.append("") }
        for note in notes { lines += wrapped("note: " + note, indent: 6) }
        return lines.joined(separator: "\n")
    }
}
