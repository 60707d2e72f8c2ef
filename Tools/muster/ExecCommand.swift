import Agent
import ArgumentParser
import Glibc
import Muster

/// `muster exec`: pinned copies of a command.
struct ExecCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exec",
        abstract: "Runs pinned copies of a command.",
        discussion: """
            Each copy runs on the CPUs that 'muster plan' shows for it, with memory from its own NUMA node where there \
            is some. MUSTER_WORKER (from 1) and MUSTER_WORKERS are set, and OMP_NUM_THREADS and its kin to --threads \
            unless they are set already. Output is not touched. A single copy has the standard input; several have \
            none.

            --report prints to standard error, before the copies' own output as a rule, where each copy was to be and \
            where it is, as the kernel has it the moment before the command begins. A copy that is elsewhere is an error.

            SIGINT, SIGTERM and SIGHUP go on to all copies, which have five seconds to end. What a copy started ends \
            with it, and all copies end with this command.

            Exit code: 0 if all copies exited with 0, 1 if one did not or could not be run, 64 for a mistake in the \
            command line.

            EXAMPLES:
              muster exec --workers 4 --mode compact -- ./stream 1000
              muster exec --workers 2 --threads 8 -- sh -c './solve part$MUSTER_WORKER'
              muster exec --per numa --memory local --report -- ./solve
              muster exec --cpus 3 -- ./latency < trace
            """)

    @OptionGroup var places: WorkerOptions

    @Flag(help: "Print where each copy was to be, and where it is.")
    var report = false

    @Argument(
        parsing: .captureForPassthrough,
        help: ArgumentHelp("The command and its arguments; no shell is asked.", valueName: "command"))
    var words: [String] = []

    func run() async throws {
        let words = try RawArguments.ofProcess.command(words, of: self)
        guard let name = words.first, !name.isEmpty else {
            throw UsageError(message: "no command; write one, such as: muster exec --workers 2 -- ./stream 1000")
        }
        let (plan, reservation, problem) = try reservedPlan()
        guard let executable = ExecutableSearch(path: environmentVariable("PATH")).file(for: name) else {
            let name = String(decoding: name, as: UTF8.self)
            throw WorkFailed(description: "there is no program '\(name)'; write its path, or see PATH")
        }
        for note in plan.notes + [problem].compactMap({ $0 }) {
            FileOutput.standardError.write("muster: \(note)\n")
        }
        let held = WorkerCPUs.hold(plan.workers.map(\.cpus), reservation)
        defer { withExtendedLifetime(held) {} }
        let copies = Copies(count: plan.workers.count)
        let ends = try await copies.run(plan.workers.map { launch(executable, words, $0, of: plan) }) { programs in
            if report { FileOutput.standardError.write(PlacementReport(plan, programs).text + "\n") }
        }
        let failed = zip(plan.workers, ends).filter { $1 != .exited(status: 0) }
        guard failed.isEmpty else {
            var named = failed.prefix(4).map { "worker \($0.worker) \($1)" }
            if failed.count > named.count { named.append("…") }
            let noun = ends.count == 1 ? "copy" : "copies"
            throw WorkFailed(
                description: "\(failed.count) of \(ends.count) \(noun) failed: \(named.joined(separator: ", "))")
        }
    }

    /// The plan, with CPUs that nobody else plans with until this command ends.
    private func reservedPlan() throws -> (plan: PlacementPlan, reservation: CPUReservation?, problem: String?) {
        let request = try places.request()
        let topology = try Topology.discover()
        return try places.usage { () throws(PlacementError) in try CPUReservation.plan(request, on: topology) }
    }

    private func launch(
        _ executable: [UInt8], _ words: [[UInt8]], _ place: PlacementPlan.Worker, of plan: PlacementPlan
    ) -> ProgramLaunch {
        var launch = ProgramLaunch(executable: executable, arguments: words)
        launch.placement = place
        launch.memory = place.memory.map { MemoryPolicy($0) }
        launch.environment = ThreadVariables.values(threads: place.cpus.count) { environmentVariable($0) != nil }
        launch.environment["MUSTER_WORKER"] = "\(place.worker)"
        launch.environment["MUSTER_WORKERS"] = "\(plan.workers.count)"
        return launch
    }
}

/// A variable of this process's environment.
func environmentVariable(_ name: String) -> String? {
    unsafe getenv(name).map { unsafe String(cString: $0) }
}
