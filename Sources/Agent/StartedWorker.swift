import Glibc
import Machine
package import Placement
package import Transport

/// A worker of this host that is up, and what it has.
package struct StartedWorker: Sendable {
    /// The process, and the link to it.
    package let process: WorkerProcess
    /// What it says of itself.
    package let hello: Hello
    /// Where it was put; `nil` if that was left to the kernel.
    package let placement: PlacementPlan.Worker?
    /// How it was started, for the next in its place.
    let launch: WorkerLaunch
    /// Its CPUs, if it has some of its own: for as long as somebody is in its place.
    let held: WorkerCPUs?

    /// Waits until it has ended, and tells how; then its CPUs are free.
    package func end() async -> WorkerEnd {
        let end = await process.end.get()
        await leavePlace()
        return end
    }

    /// It has ended, and none comes in its place: its CPUs are free.
    package func leavePlace() async { await held?.release() }

    /// Starts another worker in its place, after it has ended; that takes over its CPUs.
    package func again(
        startLimit: Double,
        output: (@Sendable (_ line: [UInt8], _ worker: Int, _ stream: CInt) -> Void)? = nil
    ) async throws -> StartedWorker {
        var started: StartedWorker?
        try await HostAgent(startLimit: startLimit, output: output).start([launch]) { _, process, hello in
            started = StartedWorker(process: process, hello: hello, placement: placement, launch: launch, held: held)
        }
        guard let started else { preconditionFailure("a start hands the worker over, or throws") }
        return started
    }
}

extension HostAgent {
    /// Starts the workers that somebody wants on this host, and hands each over when it is up.
    ///
    /// CPUs that workers of other clusters of the same user have are taken last. This process's own threads keep off
    /// planned workers' CPUs where they may use any other.
    ///
    /// - Parameters:
    ///   - output: Where the lines go that the workers print; this process's own output unless told.
    ///   - note: Is told what the user should know, a sentence each.
    ///   - ready: Called for the workers in the order of the plan, whichever is up first.
    /// - Throws: `PlacementError` for an impossible request, `TopologyError`, ``LaunchError``, ``WorkerStartError``;
    ///   another error where the system, or its limit on open files, does not allow for as many. Then none is left.
    package static func start(
        _ request: HostRequest,
        output: (@Sendable (_ line: [UInt8], _ worker: Int, _ stream: CInt) -> Void)? = nil, note: (String) -> Void,
        ready: (StartedWorker) async throws -> Void
    ) async throws {
        let (places, reservation) = try request.chosenPlaces(note: note)
        let launches = places.map { request.launch(in: $0) }
        // Ended with the workers that they are handed to, or here.
        let held = WorkerCPUs.hold(places.compactMap { $0?.cpus }, reservation)
        var said: Set<String> = []
        try await HostAgent(startLimit: request.startLimit, output: output).start(launches) { index, process, hello in
            for warning in process.warnings where said.insert(warning).inserted { note(warning) }
            let held = held.isEmpty ? nil : held[index]
            try await ready(
                StartedWorker(
                    process: process, hello: hello, placement: places[index], launch: launches[index], held: held))
        }
    }
}

extension HostRequest {
    /// A place for each worker; `nil` is one of the kernel's choice.
    fileprivate func chosenPlaces(
        note: (String) -> Void
    ) throws -> (places: [PlacementPlan.Worker?], reservation: CPUReservation?) {
        switch places {
        case .unbound(let count):
            let (number, notes) = try count.map { ($0, []) } ?? Topology.discover().unboundWorkers
            guard number >= 1 else {
                throw LaunchError(
                    "\(number) workers were asked for; ask for at least one, or give no number for one per CPU")
            }
            guard number <= PlacementRequest.largestWorkerCount else {
                throw LaunchError(
                    """
                    \(number) workers were asked for, which is taken for a mistake; \
                    \(PlacementRequest.largestWorkerCount) is the most
                    """)
            }
            for text in notes { note(text) }
            return ([PlacementPlan.Worker?](repeating: nil, count: number), nil)
        case .planned(let wanted):
            let (plan, reservation, problem) = try CPUReservation.plan(wanted, on: .discover())
            for text in plan.notes { note(text) }
            if let problem { note(problem) }
            return (plan.workers, reservation)
        }
    }

    fileprivate func launch(in place: PlacementPlan.Worker?) -> WorkerLaunch {
        var launch = WorkerLaunch()
        launch.executable = executable
        launch.flags = flags
        launch.directory = directory
        launch.environment = environment
        launch.placement = place
        launch.memory = place?.memory.map { MemoryPolicy($0) }
        if setsThreadVariables {
            let variables = ThreadVariables.values(threads: place?.cpus.count ?? 1) { name in
                unsafe environment[name] != nil || getenv(name) != nil
            }
            launch.environment.merge(variables) { mine, _ in mine }
        }
        return launch
    }
}
