import ClusterRuntime
import Remote
import Scheduling
import Synchronization
import Transport
import Wire

/// One map under way: keeps its workers supplied with batches and its results in order.
///
/// It runs on the threads that bring the answers: an answer makes the next batch leave, with no task in between. Only the
/// caller's handlers have a task, since they may take their time.
final class MapRun<Element: Sendable, Output: Sendable>: Sendable {
    private let elements: [Element]
    private let function: FunctionReference
    private let captures: CaptureSet?
    private let handling: FailureHandling<Output>
    private let state: Mutex<MapState<Output>>
    private let outcome = Eventual<Result<[Output], any Error>>()

    init(
        _ elements: [Element], function: FunctionReference, captures: CaptureSet?, batchSize: BatchSize, retries: Int,
        handling: FailureHandling<Output>
    ) {
        self.elements = elements
        self.function = function
        self.captures = captures
        self.handling = handling
        state = Mutex(
            MapState(schedule: MapSchedule(count: elements.count, batchSize: batchSize, retries: retries)))
    }

    /// Runs the map to its end, with these members and those that join meanwhile.
    func run(_ members: [Member]) async throws -> [Output] {
        await withTaskCancellationHandler {
            if elements.isEmpty {
                end(.success([]))
            } else {
                // A batch for each is set aside before any is sent, so that few elements are spread over all.
                let now = monotonicSeconds()
                let first = state.withLock { state in
                    for member in members { state.join(member) }
                    state.hasBegun = true
                    return state.members.map { member in (member, state.schedule.next(for: member.id, now: now)) }
                }
                for case let (member, batch?) in first { send(batch, to: member) }
                supplyAll()
            }
            _ = await outcome.get()
        } onCancel: {
            end(.failure(CancellationError()))
        }
        return try await outcome.get().get()
    }

    /// A worker takes part from now on.
    func join(_ member: Member) {
        let isUnderWay = state.withLock { state in
            state.join(member)
            return state.hasBegun && !state.isOver
        }
        if isUnderWay { supply(member) }
    }

    // MARK: - Giving

    private func supplyAll() {
        for member in state.withLock({ $0.members }) { supply(member) }
    }

    private func supply(_ member: Member) {
        let now = monotonicSeconds()
        while let batch = state.withLock({ $0.isOver ? nil : $0.schedule.next(for: member.id, now: now) }) {
            send(batch, to: member)
        }
    }

    private func send(_ batch: Range<Int>, to member: Member) {
        var output = WireWriter(reserving: 64)
        ValueCoder<Element>().write(elements[batch], to: &output)
        let bytes: [UInt8]
        do {
            bytes = try output.finish()
        } catch {
            return end(.failure(error))
        }
        let call = member.call(function, captures, bytes) { [self] reply in
            received(reply, of: batch, from: member)
        } onFailure: { [self] error in
            failed(error, batch, of: member)
        }
        // The answer, or the worker's end, may have been here first.
        let (isUnwanted, end) = state.withLock { state in
            let end = state.ends[member.id]?.removeValue(forKey: batch)
            if let call, end == nil { state.calls[member.id, default: [:]][batch] = call }
            return (state.isOver || state.schedule.isStopped, end)
        }
        if let end { if call == nil { returned(batch, by: member) } else { lost(batch, by: member, end) } }
        if let call, isUnwanted { member.cancel(call) }
    }

    // MARK: - Hearing

    private func received(_ reply: RawSpan, of batch: Range<Int>, from member: Member) {
        var reader = WireReader(reply)
        let answer: BatchReply<Output>
        do {
            answer = try BatchReply(from: &reader)
        } catch {
            return end(.failure(ClusterError(.refused, "the answer of worker \(member.id) can't be read: \(error)")))
        }
        let now = monotonicSeconds()
        let step = state.withLock { state -> Step in
            if state.isOver { return .wait }
            state.calls[member.id]?[batch] = nil
            guard let failures = state.take(answer, of: batch, from: member, now: now) else {
                return .fail(
                    ClusterError(
                        .refused,
                        "worker \(member.id) answered \(batch.count) elements with \(answer.outputs.count) results"))
            }
            return failures.isEmpty ? nextStep(&state, now: now) : .judge(failures)
        }
        take(step, with: member)
    }

    /// A batch was not done: the others do it, if it is the worker that is gone.
    private func failed(_ error: any Error, _ batch: Range<Int>, of member: Member) {
        switch error {
        case let error as WorkerExited:
            let wasSent = state.withLock { state in
                if state.calls[member.id]?.removeValue(forKey: batch) != nil { return true }
                state.ends[member.id, default: [:]][batch] = error
                return false
            }
            if wasSent { lost(batch, by: member, error) }
        case let error as ClusterError where error.code == .noSuchWorker:
            // The worker was removed, which it is only after what it had begun.
            returned(batch, by: member)
        default: end(.failure(error))
        }
    }

    /// The worker is leaving, or had ended before it was given the batch.
    private func returned(_ batch: Range<Int>, by member: Member) {
        state.withLock { state in
            guard !state.isOver else { return }
            state.calls[member.id]?[batch] = nil
            state.schedule.returned(batch, by: member.id)
        }
        proceed()
    }

    private func lost(_ batch: Range<Int>, by member: Member, _ end: WorkerExited) {
        let failures = state.withLock { $0.isOver ? [] : $0.lose(batch, of: member, end) }
        if !failures.isEmpty { judge(failures) }
        proceed()
    }

    // MARK: - Verdicts

    /// Asks the handlers what becomes of elements.
    private func judge(_ failures: [MapFailure]) {
        guard !handling.isEmpty else {
            for failure in failures { apply(.givenUp(failure), to: failure) }
            return proceed()
        }
        Task {
            for failure in failures {
                let (isUnwanted, retries) = state.withLock { state in
                    (state.isOver || state.schedule.isStopped, state.schedule.pardons(of: failure.index))
                }
                let verdict = isUnwanted ? .givenUp(failure) : await handling.judge(failure, retries: retries)
                apply(verdict, to: failure)
                // A delay begins now, though the next verdict may take its time.
                if case .retried = verdict { proceed() }
            }
            proceed()
        }
    }

    private func apply(_ verdict: FailureHandling<Output>.Verdict, to failure: MapFailure) {
        let now = monotonicSeconds()
        let unwanted = state.withLock { state -> [(Member, UInt64)] in
            guard !state.isOver else { return [] }
            switch verdict {
            case .replaced(let output):
                state.add([output], at: failure.index)
                state.schedule.settle()
            case .retried(let delay) where !state.schedule.isStopped && state.schedule.hasWorkers:
                state.schedule.retry(failure.index, due: now + delay)
            case .retried: return state.giveUp(failure)
            case .givenUp(let failure): return state.giveUp(failure)
            }
            return []
        }
        for (member, call) in unwanted { member.cancel(call) }
    }

    // MARK: - Going on

    private enum Step {
        case complete([[Output]], startingAt: [Int])
        case fail(any Error)
        case judge([MapFailure])
        case wait
        /// Give more to the workers; and look again at this time.
        case goOn(lookingAgainAt: Double?)
    }

    /// Does what there is to do after something has happened.
    private func proceed() {
        let now = monotonicSeconds()
        take(state.withLock { nextStep(&$0, now: now) }, with: nil)
    }

    private func nextStep(_ state: inout MapState<Output>, now: Double) -> Step {
        if state.isOver { return .wait }
        if state.schedule.isStopped {
            return state.schedule.isIdle ? .fail(MapError(state.failures, count: elements.count)) : .wait
        }
        if state.schedule.isComplete { return .complete(state.outputs, startingAt: state.starts) }
        if state.schedule.isStranded { return strand(&state) }
        guard let due = state.schedule.nextDue, due > now, due < state.wakesAt else {
            return .goOn(lookingAgainAt: nil)
        }
        state.wakesAt = due
        return .goOn(lookingAgainAt: due)
    }

    /// Does a step; of the members only one needs more, if it is known which.
    private func take(_ step: Step, with member: Member?) {
        switch step {
        case .complete(let outputs, let starts): end(.success(inOrder(outputs, startingAt: starts)))
        case .fail(let error): end(.failure(error))
        case .judge(let failures):
            judge(failures)
            if let member { supply(member) }
        case .wait: break
        case .goOn(let due):
            if let due { wake(at: due) }
            if let member { supply(member) } else { supplyAll() }
        }
    }

    /// No worker is left. Elements that were tried before have failed; if others were not, the map has.
    private func strand(_ state: inout MapState<Output>) -> Step {
        let left = elements.count - state.schedule.settled
        let cause = state.lastEnd.map { "; the last of them: \($0)" } ?? ""
        let error = ClusterError(
            .noWorkers, "no worker is left for \(left) of \(elements.count) elements\(cause)", lastWorker: state.lastEnd
        )
        guard let last = state.lastEnd, handling.onError != nil, !state.schedule.hasUntried else {
            return .fail(error)
        }
        let failures = state.schedule.takeStranded().map { index in
            MapFailure(
                index: index, attempt: state.schedule.attempts(of: index), worker: last.worker, host: last.host,
                error: error)
        }
        return .judge(failures)
    }

    /// Sees to it that elements that wait for their next attempt are given out when they are due.
    private func wake(at due: Double) {
        Task { [weak self] in
            try? await Task.sleep(for: .seconds(max(due - monotonicSeconds(), 0)))
            guard let self else { return }
            state.withLock { if $0.wakesAt == due { $0.wakesAt = .infinity } }
            proceed()
        }
    }

    // MARK: - The end

    /// All results in the order of the elements.
    private func inOrder(_ runs: [[Output]], startingAt starts: [Int]) -> [Output] {
        // Sorted by numbers alone, and copied run by run: this code knows the results' type at run time only.
        let order = starts.indices.sorted { starts[$0] < starts[$1] }
        return unsafe [Output](unsafeUninitializedCapacity: elements.count) { target, count in
            for index in order {
                unsafe runs[index].withUnsafeBufferPointer { run in
                    // SAFETY: every element was settled once, so the runs have as many results as there are elements.
                    guard let start = run.baseAddress, let base = target.baseAddress else { return }
                    unsafe (base + count).initialize(from: start, count: run.count)
                }
                count += runs[index].count
            }
        }
    }

    private func end(_ result: Result<[Output], any Error>) {
        let calls = state.withLock { state -> [(Member, UInt64)] in
            state.isOver = true
            defer {
                state.calls = [:]
                state.outputs = []
                state.starts = []
            }
            return state.allCalls
        }
        if case .failure = result {
            for (member, call) in calls { member.cancel(call) }
        }
        outcome.fulfil(result)
    }
}

extension Cluster {
    /// What all forms of `pmap` come down to.
    nonisolated(nonsending) func map<Element: Sendable, Output: Sendable, each Capture>(
        _ elements: [Element], _ function: FunctionReference, capturing captures: repeat each Capture,
        pool: (any AbstractWorkerPool)?, batchSize: BatchSize, retries: Int, handling: FailureHandling<Output>,
        file: String, line: Int
    ) async throws -> [Output] where repeat each Capture: WireEncodable & WireDecodable & Sendable {
        let encoded = try EncodedCaptures(repeat each captures, file: file, line: line)
        let cache = pool == nil ? captureCache : (pool as? CachingPool)?.cache
        let captures: CaptureSet? =
            if encoded.isEmpty { nil } else if let cache { cache.take(encoded) } else { CaptureSet(encoded) }
        defer {
            if let captures {
                if let cache { cache.release(captures) } else { captures.forget() }
            }
        }
        let run = MapRun(
            elements, function: function, captures: captures, batchSize: batchSize, retries: retries,
            handling: handling)
        let watcher = pool == nil ? watchJoins { [weak run] in run?.join($0) } : nil
        defer { if let watcher { endJoinWatch(watcher) } }
        return try await run.run(try members(of: pool))
    }

    /// The workers that a map begins with: those of the pool that are there, or all.
    private func members(of pool: (any AbstractWorkerPool)?) throws(ClusterError) -> [Member] {
        let all = try allMembers()
        guard let pool else {
            guard !all.isEmpty else { throw .noWorkers }
            return all
        }
        let wanted = pool.workers
        let members = wanted.compactMap { id in all.first { $0.id == id } }
        guard members.isEmpty else { return members }
        guard !wanted.isEmpty else { throw ClusterError(.noWorkers, "the pool has no workers") }
        throw ClusterError(
            .noWorkers, "no worker of the pool is there: \(wanted.map { "\($0)" }.joined(separator: ", "))")
    }
}
