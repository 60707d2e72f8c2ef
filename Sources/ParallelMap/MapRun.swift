import ClusterRuntime
import Remote
import Scheduling
import Synchronization
import Transport
import Wire

/// One map under way: keeps its workers supplied with batches, and hands on their results.
///
/// It runs on the threads that bring the answers: an answer makes the next batch leave, with no task in between. Only the
/// caller's handlers have a task, since they may take their time. It knows no type of the map's: what depends on those
/// is asked once a batch, since types that are known at run time only are slow to work with.
final class MapRun: Sendable {
    private let input: any MapInput
    private let results: any MapResults
    private let function: FunctionReference
    private let captures: CaptureSet?
    private let judge: any FailureJudge
    private let callSite: CallSite
    private let seed: UInt64
    /// Seconds that an element has, once it is sent.
    private let deadline: Duration?
    private let state: Mutex<MapState>
    /// Whether results are not wanted any more: set with `state` locked, before the workers are told. Who sends a batch looks
    /// after it has registered the call, which takes the same lock as telling the worker does: one of the two sees it.
    private let isStopping = Atomic(false)
    private let outcome = Eventual<Result<Void, any Error>>()

    /// Whether elements come while it is under way.
    private let isArriving: Bool

    convenience init<Output>(
        _ input: any MapInput, count: Int?, to results: any MapResults, function: FunctionReference,
        captures: CaptureSet?, options: MapOptions<Output>, seed: UInt64
    ) {
        self.init(
            input, count: count, to: results, function: function, captures: captures, batchSize: options.batchSize,
            retries: options.retries, judge: options.handling, callSite: options.callSite, seed: seed,
            deadline: options.deadline)
    }

    /// - Parameters:
    ///   - count: How many elements there are; nil if they come later, see ``supply(_:)``.
    ///   - deadline: Time that an element has, once it is sent; with one, each is sent by itself.
    init(
        _ input: any MapInput, count: Int?, to results: any MapResults, function: FunctionReference,
        captures: CaptureSet?, batchSize: BatchSize, retries: Int, judge: any FailureJudge, callSite: CallSite,
        seed: UInt64 = 0, deadline: Duration? = nil
    ) {
        self.input = input
        isArriving = count == nil
        self.results = results
        self.function = function
        self.captures = captures
        self.judge = judge
        self.callSite = callSite
        self.seed = seed
        self.deadline = deadline
        var schedule = MapSchedule(batchSize: batchSize, retries: retries, areAlone: deadline != nil)
        if let count {
            schedule.supply(count)
            schedule.supplyEnds()
        }
        state = Mutex(MapState(schedule: schedule))
    }

    /// Begins, with these members and those that join meanwhile.
    ///
    /// - Parameter expectsWorkers: Whether more may join though none is left.
    func begin(_ members: [Member], expectsWorkers: @escaping @Sendable () -> Bool = { false }) {
        let now = monotonicSeconds()
        // A batch for each is set aside before any is sent, so that few elements are spread over all.
        let first = state.withLock { state in
            state.expectsWorkers = expectsWorkers
            for member in members { _ = state.join(member, of: self) }
            state.hasBegun = true
            return state.seats.map { ($0, state.next(for: $0, now: now)) }
        }
        for case let (seat, batch?) in first { send(batch, to: seat) }
        proceed()
    }

    /// Waits for the end; a cancelled task ends the map.
    func end() async throws {
        await withTaskCancellationHandler {
            _ = await outcome.get()
        } onCancel: {
            cancel()
        }
        return try await outcome.get().get()
    }

    /// Calls `action` when the map is over.
    func whenOver(_ action: @escaping @Sendable () -> Void) { outcome.whenHere { _ in action() } }

    /// Ends the map before its time.
    func cancel(_ error: any Error = CancellationError()) { end(.failure(error)) }

    /// A worker takes part from now on.
    func join(_ member: Member) {
        let seat = state.withLock { state in
            let seat = state.join(member, of: self)
            return state.hasBegun ? seat : nil
        }
        if let seat { supply(seat) }
    }

    /// No worker is to be expected any more.
    func expectNoMoreWorkers() { proceed() }

    // MARK: - Elements that come

    /// That many more elements are there, which the input can write.
    func supply(_ count: Int) {
        state.withLock { $0.schedule.supply(count) }
        proceed()
    }

    /// There are no more elements.
    func supplyEnds() {
        state.withLock { $0.schedule.supplyEnds() }
        proceed()
    }

    /// Waits until elements are wanted.
    ///
    /// - Parameter limit: See `MapSchedule.appetite`.
    /// - Returns: How many; 0 if the map is over.
    func appetite(limit: Int?) async -> Int {
        while true {
            if let wanted = state.withLock({ $0.appetite(limit: limit, held: results.heldCount) }) { return wanted }
            await withCheckedContinuation { continuation in
                let isHungry = state.withLock { state in
                    guard state.appetite(limit: limit, held: results.heldCount) == nil else { return true }
                    state.whenHungry = (limit, { continuation.resume() })
                    return false
                }
                if isHungry { continuation.resume() }
            }
        }
    }

    /// Looks whether elements are wanted, after results were taken.
    func feed() {
        let whenHungry = state.withLock { state -> (@Sendable () -> Void)? in
            guard let (limit, action) = state.whenHungry,
                state.appetite(limit: limit, held: results.heldCount) != nil
            else { return nil }
            state.whenHungry = nil
            return action
        }
        whenHungry?()
    }

    // MARK: - Giving

    private func supplyAll() {
        for seat in state.withLock({ $0.seats }) { supply(seat) }
    }

    private func supply(_ seat: MapSeat) {
        let now = monotonicSeconds()
        while let batch = state.withLock({ $0.isOver ? nil : $0.next(for: seat, now: now) }) {
            send(batch, to: seat)
        }
        noticeExpiry(of: seat)
    }

    /// A worker whose time is not enough for one more element has left the map, which may have been left without any.
    private func noticeExpiry(of seat: MapSeat) {
        guard seat.end < .infinity else { return }
        let isStranded = state.withLock { state in
            guard !state.isOver, state.expiredCount < state.schedule.expiredCount else { return false }
            state.expiredCount = state.schedule.expiredCount
            return state.schedule.isStranded
        }
        if isStranded { proceed() }
    }

    private func send(_ assignment: Assignment, to seat: MapSeat) {
        let batch = assignment.batch
        do {
            let call = try seat.member.call(
                function, captures, for: batch, of: seat, seed: seed, attempt: assignment.attempt
            ) { output in
                input.write(batch, to: &output)
            }
            if let deadline { limit(batch, call, of: seat, to: deadline) }
            // Who cancelled the others may not have known of this one.
            if isStopping.load(ordering: .acquiring) {
                seat.member.cancel(call, isPatient: state.withLock { !$0.isOver })
            }
        } catch let error as ClusterError where error.code == .noSuchWorker {
            returned(batch, by: seat)
        } catch is WorkerExited {
            returned(batch, by: seat)
        } catch {
            end(.failure(error))
        }
    }

    // MARK: - Hearing

    func receive(_ reply: inout WireReader, for batch: Range<Int>, from seat: MapSeat) {
        let isShort = isStopping.load(ordering: .acquiring)
        let failed: [IndexedFailure]
        do {
            failed = try results.take(&reply, for: batch, isShort: isShort)
        } catch let error as AnswerError {
            // Stopped in the meantime: then the answer may be short.
            if !isStopping.load(ordering: .acquiring) {
                return end(
                    .failure(
                        ClusterError(
                            .refused,
                            "worker \(seat.member.id) answered \(error.count) elements with \(error.resultCount) results"
                        )))
            }
            failed = []
        } catch {
            return end(
                .failure(ClusterError(.refused, "the answer of worker \(seat.member.id) can't be read: \(error)")))
        }
        guard failed.isEmpty else { return receive(failed, for: batch, from: seat) }
        if isArriving { input.forget(batch) }
        let now = monotonicSeconds()
        // Where nothing is out of the ordinary, an answer takes this lock once, and makes one batch leave.
        let (step, next, more) = state.withLock { state -> (Step, Assignment?, Assignment?) in
            if state.isOver { return (.wait, nil, nil) }
            state.schedule.finished(batch, by: seat.number, now: now)
            let step = nextStep(&state, now: now)
            guard case .goOn = step, let next = state.next(for: seat, now: now) else { return (step, nil, nil) }
            return (step, next, state.next(for: seat, now: now))
        }
        if let next { send(next, to: seat) }
        if let more { send(more, to: seat) }
        if more == nil { noticeExpiry(of: seat) }
        take(step, with: more == nil ? nil : seat, isSupplied: more == nil)
    }

    private func receive(_ failed: [IndexedFailure], for batch: Range<Int>, from seat: MapSeat) {
        let now = monotonicSeconds()
        let failures = state.withLock { state -> [MapFailure] in
            if state.isOver { return [] }
            let indices = failed.map { batch.lowerBound + $0.index }
            state.schedule.finished(batch, by: seat.number, now: now, failed: indices)
            return zip(indices, failed).map { index, failed in
                let error = RemoteError(
                    worker: seat.member.id, host: seat.member.launched.host, index: index, callSite: callSite,
                    failure: failed.failure)
                return state.failure(of: index, with: seat.member, error)
            }
        }
        if isArriving {
            var start = batch.lowerBound
            for failure in failures {
                if start < failure.index { input.forget(start..<failure.index) }
                start = failure.index + 1
            }
            if start < batch.upperBound { input.forget(start..<batch.upperBound) }
        }
        if !failures.isEmpty { judge(failures) }
        supply(seat)
    }

    /// A batch was not done: the others do it, if it is the worker that is gone.
    func fail(_ error: any Error, for batch: Range<Int>, of seat: MapSeat) {
        switch error {
        case let error as WorkerExited: lost(batch, by: seat, error)
        case let error as ClusterError where error.code == .noSuchWorker:
            // The worker was removed, after what it had begun; or its host's time was over before.
            returned(batch, by: seat)
        default: end(.failure(error))
        }
    }

    /// The worker is leaving, or had ended before it was given the batch.
    private func returned(_ batch: Range<Int>, by seat: MapSeat) {
        state.withLock { state in
            guard !state.isOver else { return }
            state.schedule.returned(batch, by: seat.number)
        }
        proceed()
    }

    private func lost(_ batch: Range<Int>, by seat: MapSeat, _ end: WorkerExited) {
        let failures = state.withLock { $0.isOver ? [] : $0.lose(batch, of: seat, end, callSite) }
        if !failures.isEmpty { judge(failures) }
        proceed()
    }

    // MARK: - Deadlines

    /// Gives an element that was sent so much time.
    private func limit(_ batch: Range<Int>, _ call: UInt64, of seat: MapSeat, to deadline: Duration) {
        let due = monotonicSeconds() + max(deadline.seconds, 0)
        let isFirst = state.withLock { state in
            guard !state.isOver, state.add(MapState.Limit(seat: seat, batch: batch, call: call, due: due)) else {
                return false
            }
            return state.watchLimit(due)
        }
        if isFirst { watchLimits(at: due) }
    }

    /// Looks at the elements' deadlines at a time; while there are elements under way there is one such look ahead.
    private func watchLimits(at due: Double) {
        start { run in
            guard (try? await Task.sleep(for: .seconds(max(due - monotonicSeconds(), 0)))) != nil else { return }
            run.expireLimits()
        }
    }

    private func expireLimits() {
        let now = monotonicSeconds()
        let (expired, failures, next) = state.withLock { state -> ([MapState.Limit], [MapFailure], Double?) in
            guard !state.isOver, let deadline else { return ([], [], nil) }
            let expired = state.takeLimits(due: now).filter { limit in
                // Who has answered by now, or whose answer is about to be dealt with, is not late.
                let late = LateAnswer(run: self, seat: limit.seat)
                return limit.seat.member.handOver(limit.call, to: late)
            }
            let failures = expired.map { limit in
                state.schedule.expired(
                    limit.batch, by: limit.seat.number, isHeldUp: !function.isAsynchronous)
                let (member, index) = (limit.seat.member, limit.batch.lowerBound)
                let error = DeadlineExceeded(
                    worker: member.id, host: member.launched.host, index: index, limit: deadline, callSite: callSite)
                return state.failure(of: index, with: member, error)
            }
            return (expired, failures, state.nextLimit())
        }
        if let next { watchLimits(at: next) }
        for limit in expired { limit.seat.member.cancel(limit.call) }
        if !failures.isEmpty { judge(failures) }
        proceed()
    }

    /// A worker has come to the end of an element whose time was over.
    fileprivate func released(_ seat: MapSeat) {
        state.withLock { $0.schedule.released(seat.number, now: monotonicSeconds()) }
        proceed()
    }

    /// A worker has ended that was at an element whose time was over.
    fileprivate func released(_ seat: MapSeat, byEnd error: any Error) {
        state.withLock { state in
            if let error = error as? WorkerExited { state.lastEnd = error }
            state.schedule.left(seat.number)
        }
        proceed()
    }

    // MARK: - Verdicts

    /// Asks the handlers what becomes of elements.
    private func judge(_ failures: [MapFailure]) {
        guard !judge.isEmpty else {
            for failure in failures { apply(.givenUp(failure), to: failure) }
            return proceed()
        }
        start { run in await run.handle(failures) }
    }

    /// Begins a task that the end of the map cancels: it is known before it begins.
    private func start(_ work: @escaping @Sendable (MapRun) async -> Void) {
        state.withLock { state in
            guard !state.isOver else { return }
            let number = state.nextTask
            state.nextTask += 1
            state.tasks[number] = Task {
                await work(self)
                self.state.withLock { _ = $0.tasks.removeValue(forKey: number) }
            }
        }
    }

    private func handle(_ failures: [MapFailure]) async {
        for failure in failures {
            let (isUnwanted, retries) = state.withLock { state in
                (state.isOver || state.schedule.isStopped, state.schedule.pardons(of: failure.index))
            }
            let verdict = isUnwanted ? .givenUp(failure) : await judge.judge(failure, retries: retries)
            apply(verdict, to: failure)
            // A delay begins now, though the next verdict may take its time.
            if case .retried = verdict { proceed() }
        }
        proceed()
    }

    private func apply(_ verdict: Verdict, to failure: MapFailure) {
        let now = monotonicSeconds()
        let unwanted = state.withLock { state -> [MapSeat] in
            guard !state.isOver else { return [] }
            switch verdict {
            case .replaced(let output):
                results.put(output, at: failure.index)
                state.schedule.settle()
                if isArriving { input.forget(failure.index..<failure.index + 1) }
            case .retried(let delay)
            where !state.schedule.isStopped && (state.schedule.hasWorkers || state.expectsWorkers()):
                state.schedule.retry(failure.index, due: now + delay)
            case .retried: return giveUp(failure, &state)
            case .givenUp(let failure): return giveUp(failure, &state)
            }
            return []
        }
        // The map ends when they have: none of them is hurried.
        for seat in unwanted { seat.cancel(isPatient: true) }
    }

    private func giveUp(_ failure: MapFailure, _ state: inout MapState) -> [MapSeat] {
        let unwanted = state.giveUp(failure)
        if state.schedule.isStopped { isStopping.store(true, ordering: .releasing) }
        return unwanted
    }

    // MARK: - Going on

    private enum Step {
        case complete
        case fail(any Error)
        case judge([MapFailure])
        case wait
        /// Give more to the workers; and look again at this time.
        case goOn(lookingAgainAt: Double?)
    }

    /// Does what there is to do after something has happened.
    private func proceed() {
        let now = monotonicSeconds()
        take(state.withLock { $0.hasBegun ? nextStep(&$0, now: now) : .wait }, with: nil, isSupplied: false)
    }

    private func nextStep(_ state: inout MapState, now: Double) -> Step {
        if state.isOver { return .wait }
        if state.schedule.isStopped {
            guard state.schedule.isIdle else { return .wait }
            return .fail(MapError(state.failures, count: state.schedule.elementCount))
        }
        if state.schedule.isComplete { return .complete }
        if state.schedule.isStranded, !state.expectsWorkers() { return strand(&state) }
        guard let due = state.schedule.nextDue, due > now, due < state.wakesAt else {
            return .goOn(lookingAgainAt: nil)
        }
        state.wakesAt = due
        return .goOn(lookingAgainAt: due)
    }

    /// Does a step.
    ///
    /// - Parameters:
    ///   - seat: Whose worker alone may need more; if nil, all may.
    ///   - isSupplied: Whether none needs more.
    private func take(_ step: Step, with seat: MapSeat?, isSupplied: Bool) {
        switch step {
        case .complete: end(.success(()))
        case .fail(let error): end(.failure(error))
        case .judge(let failures): judge(failures)
        case .wait: break
        case .goOn(let due):
            if let due { wake(at: due) }
            if let seat { supply(seat) } else if !isSupplied { supplyAll() }
            if isArriving { feed() }
        }
    }

    /// No worker is left. Elements that were tried before have failed; if others were not, the map has.
    private func strand(_ state: inout MapState) -> Step {
        let count = state.schedule.elementCount
        let left = count - state.schedule.settled
        var cause = state.lastEnd.map { "; the last of them: \($0)" } ?? ""
        if state.seats.contains(where: { $0.end < .infinity }) {
            cause += "; the queue's time for some was over, or not enough for one more: ask it for more, or add workers"
        }
        let error = ClusterError(
            .noWorkers, "no worker is left for \(left) of \(count) elements\(cause)", lastWorker: state.lastEnd)
        guard let last = state.lastEnd, judge.mayReplace, !state.schedule.hasUntried else { return .fail(error) }
        let failures = state.schedule.takeStranded().map { index in
            MapFailure(
                index: index, attempt: state.schedule.attempts(of: index), worker: last.worker, host: last.host,
                error: error)
        }
        return .judge(failures)
    }

    /// Sees to it that elements that wait for their next attempt are given out when they are due.
    private func wake(at due: Double) {
        // None is cancelled for the sake of an earlier one: each is what somebody counts on.
        start { run in
            guard (try? await Task.sleep(for: .seconds(max(due - monotonicSeconds(), 0)))) != nil else { return }
            run.state.withLock { if $0.wakesAt == due { $0.wakesAt = .infinity } }
            run.proceed()
        }
    }

    // MARK: - The end

    private func end(_ result: Result<Void, any Error>) {
        let (seats, tasks, whenHungry) = state.withLock { state in
            state.isOver = true
            isStopping.store(true, ordering: .releasing)
            defer {
                state.seats = []
                state.tasks = [:]
                state.limits = [:]
                state.whenHungry = nil
            }
            return (state.seats, state.tasks.values, state.whenHungry)
        }
        // Not under the lock: whatever a handler does when it is cancelled is done here.
        for task in tasks { task.cancel() }
        if case .failure = result {
            for seat in seats { seat.cancel(isPatient: false) }
        }
        outcome.fulfil(result)
        whenHungry?.action()
    }
}

/// Takes the answer to a call whose time was over: it says no more than that its worker is free.
private final class LateAnswer: CallReceiver {
    private let run: MapRun
    private let seat: MapSeat

    init(run: MapRun, seat: MapSeat) {
        self.run = run
        self.seat = seat
    }

    func receive(_ reply: inout WireReader, for batch: Range<Int>, from member: Member) { run.released(seat) }
    func fail(_ error: any Error, for batch: Range<Int>, of member: Member) { run.released(seat, byEnd: error) }
}
