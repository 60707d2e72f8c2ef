import Agent
import Machine
import Muster

/// Plan and reality of a command's copies, side by side.
struct PlacementReport {
    /// The lines, joined.
    let text: String

    /// - Parameter programs: The copies, in the order of the plan's workers.
    init(_ plan: PlacementPlan, _ programs: [RunningProgram]) {
        let rows = zip(plan.workers, programs).map { worker, program -> [String] in
            let (cpus, memory) = (program.binding?.cpus, program.binding?.memory)
            let planned = [worker.cpus.description, worker.memory?.description ?? "as is"]
            let real = [cpus?.description ?? "unknown", memory?.description ?? "unknown"]
            return [
                String(worker.worker), String(program.process), planned[0], real[0], planned[1], real[1],
                PlacementReport.verdict(worker, program),
            ]
        }
        let header = ["worker", "process", "planned", "cpus", "planned", "memory", "verdict"]
        text = Table(header: header, rows: rows).lines().joined(separator: "\n")
    }

    private static func verdict(_ worker: PlacementPlan.Worker, _ program: RunningProgram) -> String {
        guard let binding = program.binding else { return "unknown" }
        if let difference = binding.difference(from: worker, memory: program.memory) { return difference }
        if worker.memory != nil, program.memory == nil { return "ok, without the memory policy" }
        return program.memory != nil && binding.memory == nil ? "ok, but the memory can't be read" : "ok"
    }
}
