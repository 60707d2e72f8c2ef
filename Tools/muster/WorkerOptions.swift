import ArgumentParser
import Muster

/// How many workers a command has, and where they go.
struct WorkerOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Number of workers; one per usable core unless told.", valueName: "n"))
    var workers: Int?

    @Option(help: ArgumentHelp("How to spread them; balanced unless told.", valueName: "compact|balanced"))
    var mode: PlacementMode?

    @Option(help: ArgumentHelp("Threads, and so CPUs, of each worker.", valueName: "t"))
    var threads = 1

    @Option(
        help: ArgumentHelp(
            "CPUs in place of a mode, such as 0-3,8: one per worker in this order, or --threads of them.",
            valueName: "list"))
    var cpus: String?

    /// How workers are spread; `nil` for a list of CPUs.
    var spread: PlacementMode? { cpus == nil ? mode ?? .balanced : nil }

    /// The plan for a machine.
    ///
    /// - Throws: ``UsageError`` for a request that can't be met there.
    func plan(on topology: @autoclosure () throws -> Topology) throws -> PlacementPlan {
        let request = try request()
        let topology = try topology()
        do throws(PlacementError) {
            return try PlacementPlan(request, on: topology)
        } catch  where error.code != .noUsableCPU {
            throw UsageError(message: error.description)
        }
    }

    /// What is asked of the planner.
    func request() throws -> PlacementRequest {
        guard let cpus else {
            return PlacementRequest(workers: workers, mode: mode ?? .balanced, threads: threads)
        }
        guard mode == nil else {
            throw UsageError(message: "--cpus says where each worker goes; leave --mode out")
        }
        do throws(CPUListError) {
            var request = PlacementRequest(cpus: try CPUSet.list(parsing: cpus), threads: threads)
            request.workers = workers
            return request
        } catch {
            throw UsageError(message: error.description)
        }
    }
}
