import ClusterRuntime
import Remote
import Synchronization
import Transport
import Wire

/// Parts of a range of elements, each done by one worker, whose results stay with the workers.
struct PartsRun<Output: Sendable>: Sendable {
    let cluster: Cluster
    let function: FunctionReference
    let captures: CaptureSet?
    let pool: (any AbstractWorkerPool)?
    let seed: UInt64
    let callSite: CallSite
    /// The places of the elements of each part.
    let parts: [Range<Int>]
    /// Times that a part is given to another worker after its worker ended.
    let retries: Int
    /// Writes the elements of a part.
    let write: @Sendable (Int, inout WireWriter) -> Void

    /// Parts that a worker has at a time: one that it works on, and one that is there when it has finished.
    private static var lanes: Int { 2 }

    /// What the lanes have in common.
    private final class Work: Sendable {
        struct State {
            /// The next is last.
            var left: [Int]
            var done: [Int: Future<Output>] = [:]
            var losses: [Int: Int] = [:]
            /// How the last worker was lost that had a part.
            var lastLoss: (any Error)?
        }

        let state: Mutex<State>

        init(_ parts: [Int]) { state = Mutex(State(left: parts.reversed())) }
    }

    /// The workers that may take part now.
    nonisolated(nonsending) func workers() async throws -> [WorkerID] {
        let all = try await cluster.reachAll().map(\.id)
        guard let pool else { return all }
        return pool.workers.filter(all.contains)
    }

    /// Has parts done.
    ///
    /// - Returns: Where the results are.
    /// - Throws: The first error of a body; ``ClusterError/Code/noWorkers``; what ended the last of the workers that had a part
    ///   too often.
    nonisolated(nonsending) func run(_ parts: [Int]) async throws -> [Int: Future<Output>] {
        let work = Work(parts)
        while !work.state.withLock({ $0.left.isEmpty }) {
            let workers = try await workers()
            guard !workers.isEmpty else { throw work.state.withLock { $0.lastLoss } ?? ClusterError.noWorkers }
            try await withThrowingTaskGroup { group in
                for _ in 0..<PartsRun.lanes {
                    for worker in workers { group.addTask { try await serve(worker, work) } }
                }
                try await group.waitForAll()
            }
        }
        return work.state.withLock { $0.done }
    }

    /// Gives a worker one part after the other, until none is left or it has ended.
    private func serve(_ worker: WorkerID, _ work: Work) async throws {
        while let part = work.state.withLock({ $0.left.popLast() }) {
            do {
                let future: Future<Output> = try await cluster.keep(
                    function, captures, for: parts[part], on: worker, seed: seed, at: callSite
                ) { output in write(part, &output) }
                work.state.withLock { $0.done[part] = future }
            } catch  where PartsRun.isLoss(error) {
                let losses = work.state.withLock { state in
                    state.left.append(part)
                    state.lastLoss = error
                    state.losses[part, default: 0] += 1
                    return state.losses[part] ?? 0
                }
                guard losses <= retries else { throw error }
                return
            }
        }
    }

    /// Whether an error says that the worker is gone.
    private static func isLoss(_ error: any Error) -> Bool {
        error is WorkerExited || (error as? ClusterError)?.code == .noSuchWorker
    }
}
