import Muster
import Remote
import Synchronization

/// The commands of a map that no worker has run yet, and who waits for one.
///
/// Not `pmap`'s schedule, which has a second element wait at each worker for the first: with commands that take minutes that
/// would keep one waiting behind another while a worker that has just joined has nothing to do.
final class CommandQueue: Sendable {
    /// Times that a command is begun: it may be it that ends its workers.
    static let mostAttempts = 3

    /// A command to run, and how often it has been begun with this one.
    struct Turn: Hashable, Sendable {
        let place: Int
        let attempt: Int
    }

    private struct State {
        /// Workers that take commands, or are about to.
        var workerCount = 0
        var waiting: [Turn]
        /// Commands without a result.
        var left: Int
        var takers: [CheckedContinuation<Turn?, Never>] = []
        var isOver = false
    }

    private let state: Mutex<State>
    /// Called once, when all have a result, or ``end()`` was called.
    private let onEnd: @Sendable () -> Void

    /// Commands for this many arguments, which are taken in their order.
    init(count: Int, onEnd: @escaping @Sendable () -> Void) {
        // Taken from the end.
        state = Mutex(State(waiting: (0..<count).reversed().map { Turn(place: $0, attempt: 1) }, left: count))
        self.onEnd = onEnd
    }

    /// The next command; `nil` when there will be none any more. Waits while one that runs elsewhere may come back.
    func next() async -> Turn? {
        await withCheckedContinuation { continuation in
            let turn = state.withLock { state -> Turn?? in
                if state.isOver { return .some(nil) }
                if let turn = state.waiting.popLast() { return turn }
                state.takers.append(continuation)
                return nil
            }
            if let turn { continuation.resume(returning: turn) }
        }
    }

    /// Commands without a result.
    var leftCount: Int { state.withLock { $0.left } }

    /// A command has its result.
    func hasResult() {
        let isLast = state.withLock { state in
            state.left -= 1
            return state.left == 0
        }
        if isLast { end() }
    }

    /// The worker of a command is lost; returns whether it is to be run again.
    func hasLostWorker(_ turn: Turn) -> Bool {
        guard turn.attempt < CommandQueue.mostAttempts else { return false }
        putBack(Turn(place: turn.place, attempt: turn.attempt + 1))
        return true
    }

    /// A command that was taken has not begun.
    func putBack(_ turn: Turn) {
        let taker = state.withLock { state -> CheckedContinuation<Turn?, Never>? in
            if let taker = state.takers.popLast() { return taker }
            state.waiting.append(turn)
            return nil
        }
        taker?.resume(returning: turn)
    }

    /// A worker will take commands.
    func workerHasCome() { state.withLock { $0.workerCount += 1 } }

    /// A worker takes no more commands; returns whether none is left that does.
    func workerHasLeft() -> Bool {
        state.withLock { state in
            state.workerCount -= 1
            return state.workerCount == 0
        }
    }

    /// Whether there are workers that take commands.
    var hasWorkers: Bool { state.withLock { $0.workerCount > 0 } }

    /// Nobody gets a command any more.
    func end() {
        let takers = state.withLock { state -> [CheckedContinuation<Turn?, Never>]? in
            guard !state.isOver else { return nil }
            state.isOver = true
            defer { state.takers = [] }
            return state.takers
        }
        guard let takers else { return }
        for taker in takers { taker.resume(returning: nil) }
        onEnd()
    }
}

extension MapCommand {
    /// Runs the commands on workers that come when they can, one at a time on each.
    ///
    /// A command whose worker is lost runs again on another one: its host may have been taken away in its midst. One that
    /// has lost three is given up.
    ///
    /// - Parameter onLaunch: Called when workers can come.
    func map(
        _ template: CommandTemplate, _ arguments: [[UInt8]], on manager: some ClusterManager, of cluster: Cluster,
        _ report: MapReport, onLaunch: () -> Void
    ) async throws {
        let (workers, arrivals) = AsyncStream.makeStream(of: WorkerID.self)
        let queue = CommandQueue(count: arguments.count) { arrivals.finish() }
        let watch = cluster.watchJoins { worker in
            queue.workerHasCome()
            arrivals.yield(worker.id)
        } onNoneExpected: {
            if !queue.hasWorkers { queue.end() }
        }
        defer { cluster.endJoinWatch(watch) }
        try await cluster.addWorkers(manager)
        onLaunch()
        let drawing = Task { await report.drawRepeatedly() }
        defer { drawing.cancel() }
        try await withTaskCancellationHandler {
            try await withThrowingTaskGroup { group in
                for await worker in workers {
                    group.addTask {
                        // In whatever way a worker has gone: where it was the last, nobody does the rest.
                        defer { if queue.workerHasLeft(), !cluster.expectsWorkers { queue.end() } }
                        do {
                            while let turn = await queue.next() {
                                let line = template.line(for: arguments[turn.place])
                                guard try await run(line, turn, queue, on: worker, of: cluster, report) else { return }
                            }
                        } catch {
                            queue.end()
                            throw error
                        }
                    }
                }
                try await group.waitForAll()
            }
            try Task.checkCancellation()
            guard queue.leftCount == 0 else {
                throw WorkFailed(
                    description: "no worker is left, and none can join any more; "
                        + "\(queue.leftCount) of \(arguments.count) commands have no result")
            }
        } onCancel: {
            queue.end()
        }
    }

    /// Runs one command; returns whether the worker can have another.
    private func run(
        _ line: [UInt8], _ turn: CommandQueue.Turn, _ queue: CommandQueue, on worker: WorkerID, of cluster: Cluster,
        _ report: MapReport
    ) async throws -> Bool {
        var result: CommandResult
        var isThere = true
        do {
            result = try await cluster.remoteCallFetch(
                on: worker, capturing: line, worker.rawValue - 1, turn.place + 1
            ) { line, number, index in
                let environment = ["MUSTER_WORKER": "\(number)", "MUSTER_INDEX": "\(index)"]
                return ShellCommand(line: line, environment: environment).run()
            }
        } catch let end as WorkerExited {
            if queue.hasLostWorker(turn) { return false }
            result = CommandResult(end: .lost("lost \(CommandQueue.mostAttempts) workers, the last of which \(end)"))
            isThere = false
        } catch let error as ClusterError where error.code == .noSuchWorker {
            queue.putBack(turn)
            return false
        }
        try await report.add(result, at: turn.place)
        queue.hasResult()
        return isThere
    }
}

extension ElasticManager {
    /// One for `muster map`, which `muster worker` joins.
    convenience init(_ place: ManagerChoice.ElasticPlace, keyFile: String?, joinFile: String?) throws {
        let program = ProgramPath.current ?? "muster"
        self.init(
            address: place.address, port: place.port, key: try keyFile.map { try ClusterKey(contentsOf: $0) },
            joinFile: joinFile,
            command: { "\(ShellWord.quoted(program)) worker --join \(ShellWord.quoted($0))" })
    }
}
