import Machine
import Placement
import Remote
import Synchronization
package import Transport

/// The part of the driver, or of a launched job, that runs the workers of one host.
package struct HostAgent: Sendable {
    /// Seconds that a worker has to reach its first `withCluster`.
    package var startLimit: Double
    /// Where the lines go that workers print.
    package var output: @Sendable (_ line: [UInt8], _ worker: Int, _ stream: CInt) -> Void

    /// - Parameter output: This process's own output unless told.
    package init(
        startLimit: Double = 60,
        output: (@Sendable (_ line: [UInt8], _ worker: Int, _ stream: CInt) -> Void)? = nil
    ) {
        self.startLimit = startLimit
        self.output = output ?? WorkerOutput.print
    }

    /// Starts workers, all at the same time, and hands each over when it is up.
    ///
    /// - Parameter ready: Called for the workers in the order of `launches`, whichever is up first; with the position
    ///   there.
    /// - Throws: The first failure; then all of them have been ended.
    package func start(
        _ launches: [WorkerLaunch], ready: (Int, WorkerProcess, Hello) async throws -> Void
    ) async throws {
        try OpenFiles.reserve(launches.count)
        defer { OpenFiles.release(launches.count) }
        let started = Started()
        do {
            try await withThrowingTaskGroup { group in
                for (index, launch) in launches.enumerated() {
                    group.addTask { [startLimit, output] in
                        let (worker, hello) = try await WorkerProcess.start(
                            launch, startLimit: startLimit, output: output)
                        started.workers.withLock { $0[index] = (worker, hello) }
                        try HostAgent.check(hello, launch, memory: worker.memory)
                    }
                }
                try await group.waitForAll()
            }
            for index in launches.indices {
                if let (worker, hello) = started.workers.withLock({ $0[index] }) {
                    try await ready(index, worker, hello)
                }
            }
        } catch {
            let workers = started.workers.withLock { $0.values.map(\.0) }
            for worker in workers { worker.kill() }
            for worker in workers { _ = await worker.end.get() }
            throw error
        }
    }

    /// The workers that are up, by their place in the list of launches.
    ///
    /// Not the results of a task group: those that come after the first failure are dropped, and the workers were left.
    private final class Started: Sendable {
        let workers = Mutex<[Int: (WorkerProcess, Hello)]>([:])
    }

    /// Refuses a worker that is another program, or that does not sit where the plan says.
    ///
    /// - Parameter policy: The memory policy that could be set; `nil` where the system forbids that, which is said, and the
    ///   worker goes on.
    static func check(_ hello: Hello, _ launch: WorkerLaunch, memory policy: MemoryPolicy?) throws(WorkerStartError) {
        func refuse(_ reason: String) -> WorkerStartError {
            WorkerStartError(process: hello.process, reason: reason, output: "")
        }
        guard hello.buildID == BuildID.current.bytes else {
            throw refuse(
                """
                is another build of the program: its build ID is \(BuildID(bytes: hello.buildID)), this one's is \
                \(BuildID.current); start both from the same file
                """)
        }
        guard let placement = launch.placement else { return }
        let cpus = CPUSet(hello.cpus)
        guard cpus == placement.cpus else {
            throw refuse("runs on CPUs \(cpus), but the plan says \(placement.cpus)")
        }
        if let policy, let memory = hello.memory, memory != policy.description {
            throw refuse("has the memory policy \(memory), but the plan says \(policy)")
        }
    }
}
