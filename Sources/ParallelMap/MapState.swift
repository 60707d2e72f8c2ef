import ClusterRuntime
import Remote
import Scheduling
import Transport
import Wire

/// What a map under way knows: the schedule, and what is in the way of the results that have not come.
struct MapState: Sendable {
    var schedule: MapSchedule
    /// By the workers' numbers in the schedule; empty when the map is over.
    var seats: [MapSeat] = []
    /// Elements that were given up.
    var failures: [MapFailure] = []
    /// Of the workers that had no time for one more element, those that were taken note of.
    var expiredCount = 0
    /// The last worker that ended.
    var lastEnd: WorkerExited?
    /// When a timer goes off for elements that wait for their next attempt.
    var wakesAt = Double.infinity
    /// Handlers and timers that run, by numbers of their own.
    var tasks: [Int: Task<Void, Never>] = [:]
    var nextTask = 0
    /// Whether more workers may join though none is left.
    var expectsWorkers: @Sendable () -> Bool = { false }
    /// How long the elements that are under way have, by their workers' seats; empty in a map without deadlines.
    var limits: [Int: Limit] = [:]
    /// When somebody looks at them.
    private var looksAt = Double.infinity
    var hasBegun = false
    var isOver = false
    /// Told when elements are wanted, or the map is over.
    var whenHungry: (limit: Int?, action: @Sendable () -> Void)?

    /// How long one element has.
    struct Limit: Sendable {
        let seat: MapSeat
        let batch: Range<Int>
        let call: UInt64
        /// In monotonic seconds.
        let due: Double
    }

    init(schedule: MapSchedule) {
        self.schedule = schedule
    }

    /// How many elements are wanted; nil if none are now, 0 if none will be.
    func appetite(limit: Int?, held: Int) -> Int? {
        if isOver || schedule.isStopped { return 0 }
        let wanted = schedule.appetite(limit: limit, held: held)
        return wanted > 0 ? wanted : nil
    }

    /// The next batch for a worker; nil if it has enough, or nothing is left.
    mutating func next(for seat: MapSeat, now: Double) -> Assignment? {
        guard let batch = schedule.next(for: seat.number, now: now) else { return nil }
        // Elements that were tried before go by themselves.
        return Assignment(batch: batch, attempt: schedule.attempts(of: batch.lowerBound) + 1)
    }

    /// Takes note of an element's deadline; false if its worker has been sent another element since: the answer, and what that made
    /// leave, may be faster than who sent it.
    mutating func add(_ limit: Limit) -> Bool {
        if let known = limits[limit.seat.number], known.call > limit.call { return false }
        limits[limit.seat.number] = limit
        return true
    }

    /// Whether somebody has to be told to look at the deadlines at a time.
    mutating func watchLimit(_ due: Double) -> Bool {
        guard due < looksAt else { return false }
        looksAt = due
        return true
    }

    /// Takes out the deadlines that have passed; called by who looks at them.
    mutating func takeLimits(due now: Double) -> [Limit] {
        looksAt = .infinity
        let passed = limits.values.filter { $0.due <= now }
        for limit in passed { limits[limit.seat.number] = nil }
        return passed
    }

    /// When the next of the deadlines passes, if somebody has to be told to look then.
    mutating func nextLimit() -> Double? {
        guard let next = limits.values.map(\.due).min() else { return nil }
        return watchLimit(next) ? next : nil
    }

    /// Gives a member its seat; nil if it has one.
    mutating func join(_ member: Member, of run: MapRun) -> MapSeat? {
        guard !isOver, !seats.contains(where: { $0.member === member }) else { return nil }
        let seat = MapSeat(member, number: seats.count, of: run)
        seats.append(seat)
        schedule.join(seat.number, until: seat.end)
        return seat
    }

    /// Gives a lost worker's batch to the others; returns the elements that are not tried again unasked.
    ///
    /// - Parameter callSite: Where the map was begun.
    mutating func lose(
        _ batch: Range<Int>, of seat: MapSeat, _ end: WorkerExited, _ callSite: CallSite
    ) -> [MapFailure] {
        lastEnd = end
        return schedule.lost(batch, by: seat.number).map { index in
            let deaths = schedule.deaths(of: index)
            let error: any Error =
                if deaths > 1 {
                    PoisonError(index: index, workerCount: deaths, last: end)
                } else {
                    end.called(at: callSite)
                }
            return failure(of: index, with: seat.member, error)
        }
    }

    /// What the handlers are told of an element.
    func failure(of index: Int, with member: Member, _ error: any Error) -> MapFailure {
        MapFailure(
            index: index, attempt: schedule.attempts(of: index), worker: member.id, host: member.launched.host,
            error: error)
    }

    /// An element has failed for good: the map begins no others. Returns the seats whose calls this leaves without
    /// purpose.
    mutating func giveUp(_ failure: MapFailure) -> [MapSeat] {
        schedule.settle()
        // What was only cancelled because another failed has not failed itself.
        if schedule.isStopped, failure.isCancellation { return [] }
        failures.append(failure)
        guard !schedule.isStopped else { return [] }
        schedule.stop()
        return seats
    }
}

/// Elements that a worker is to have.
struct Assignment: Sendable {
    let batch: Range<Int>
    /// Which attempt at each of them it is, from 1.
    let attempt: Int
}

/// A worker's part in a map: takes its answers.
final class MapSeat: CallReceiver {
    let member: Member
    /// Its number in the schedule.
    let number: Int
    /// When the worker will be ended, in monotonic seconds.
    let end: Double
    private let run: MapRun

    init(_ member: Member, number: Int, of run: MapRun) {
        self.member = member
        self.number = number
        end = member.launched.remainingTime.map { monotonicSeconds() + $0.seconds } ?? .infinity
        self.run = run
    }

    func receive(_ reply: inout WireReader, for batch: Range<Int>, from member: Member) {
        run.receive(&reply, for: batch, from: self)
    }

    func fail(_ error: any Error, for batch: Range<Int>, of member: Member) {
        run.fail(error, for: batch, of: self)
    }

    /// Tells the worker that nobody wants the results of what it does for the map.
    ///
    /// - Parameter isPatient: Whether the map waits for its end.
    func cancel(isPatient: Bool) { member.cancelCalls(of: self, isPatient: isPatient) }
}

extension MapFailure {
    fileprivate var isCancellation: Bool {
        (error as? RemoteError)?.typeName == String(reflecting: CancellationError.self)
    }
}
