import ClusterRuntime
import Remote
import Scheduling

/// What a map under way knows: the schedule, the results that have come, and what is in the way of the others.
struct MapState<Output: Sendable>: Sendable {
    var schedule: MapSchedule<WorkerID>
    var members: [Member] = []
    /// Results as they came, and where each run of them begins.
    var outputs: [[Output]] = []
    var starts: [Int] = []
    /// Elements that were given up.
    var failures: [MapFailure] = []
    var calls: [WorkerID: [Range<Int>: UInt64]] = [:]
    /// Workers' ends that were learnt while they were being sent a batch.
    var ends: [WorkerID: [Range<Int>: WorkerExited]] = [:]
    /// The last worker that ended.
    var lastEnd: WorkerExited?
    /// When a timer goes off for elements that wait for their next attempt.
    var wakesAt = Double.infinity
    var hasBegun = false
    var isOver = false

    init(schedule: MapSchedule<WorkerID>) {
        self.schedule = schedule
    }

    /// All calls under way.
    var allCalls: [(Member, UInt64)] {
        members.flatMap { member in calls[member.id, default: [:]].values.map { (member, $0) } }
    }

    mutating func join(_ member: Member) {
        guard !members.contains(where: { $0 === member }) else { return }
        members.append(member)
        schedule.join(member.id)
    }

    /// Keeps results that lie beside one another in the output.
    mutating func add(_ run: [Output], at start: Int) {
        guard !run.isEmpty else { return }
        outputs.append(run)
        starts.append(start)
    }

    /// Keeps the results of a batch; returns the elements that failed, or `nil` if this is no answer to that batch.
    mutating func take(
        _ answer: BatchReply<Output>, of batch: Range<Int>, from member: Member, now: Double
    ) -> [MapFailure]? {
        // The answer to a cancelled call may be short.
        guard schedule.isStopped || answer.outputs.count + answer.failures.count == batch.count else { return nil }
        guard !answer.failures.isEmpty else {
            schedule.finished(batch, by: member.id, now: now)
            add(answer.outputs, at: batch.lowerBound)
            return []
        }
        let failed = answer.failures.map { batch.lowerBound + $0.index }
        guard failed.allSatisfy({ batch.contains($0) }), zip(failed, failed.dropFirst()).allSatisfy({ $0 < $1 })
        else { return nil }
        schedule.finished(batch, by: member.id, now: now, failed: failed)
        var outputs = answer.outputs[...]
        var start = batch.lowerBound
        for end in failed {
            add(Array(outputs.prefix(end - start)), at: start)
            outputs = outputs.dropFirst(end - start)
            start = end + 1
        }
        add(Array(outputs), at: start)
        return answer.failures.map { failed in
            let index = batch.lowerBound + failed.index
            let error = RemoteError(
                worker: member.id, host: member.launched.host, index: index, failure: failed.failure)
            return failure(of: index, with: member, error)
        }
    }

    /// Gives a lost worker's batch to the others; returns the elements that are not tried again unasked.
    mutating func lose(_ batch: Range<Int>, of member: Member, _ end: WorkerExited) -> [MapFailure] {
        lastEnd = end
        return schedule.lost(batch, by: member.id).map { index in
            let deaths = schedule.deaths(of: index)
            let error: any Error = deaths > 1 ? PoisonError(index: index, workerCount: deaths, last: end) : end
            return failure(of: index, with: member, error)
        }
    }

    private func failure(of index: Int, with member: Member, _ error: any Error) -> MapFailure {
        MapFailure(
            index: index, attempt: schedule.attempts(of: index), worker: member.id, host: member.launched.host,
            error: error)
    }

    /// An element has failed for good: the map begins no others. Returns the calls that this leaves without purpose.
    mutating func giveUp(_ failure: MapFailure) -> [(Member, UInt64)] {
        schedule.settle()
        // What was only cancelled because another failed has not failed itself.
        if schedule.isStopped, failure.isCancellation { return [] }
        failures.append(failure)
        guard !schedule.isStopped else { return [] }
        schedule.stop()
        return allCalls
    }
}

extension MapFailure {
    fileprivate var isCancellation: Bool {
        (error as? RemoteError)?.typeName == String(reflecting: CancellationError.self)
    }
}
