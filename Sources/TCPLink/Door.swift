import NIOCore
import Synchronization
import Transport

/// Who may come in through a listener: the launches that are expected, those who wait, and those who were refused.
final class Door: Sendable {
    private struct State {
        var keys = LaunchKeys()
        var waiting: UnprovenConnections<UInt64>
        var visitors: [UInt64: Visitor] = [:]
        var refusals = RefusalCounter()
        var lastNumber: UInt64 = 0
        var isDeadlineSet = false
        var isLineSet = false
        var isClosed = false
    }

    private let state: Mutex<State>
    private let loop: any EventLoop
    private let log: @Sendable (String) -> Void
    /// What joins have to be a build of.
    let buildID: [UInt8]
    /// Who dials: those who join, or the driver.
    let direction: JoinDirection

    /// - Parameters:
    ///   - loop: Where time-outs run.
    ///   - log: Is told of refusals, at most once a second.
    init(
        limits: UnprovenConnections<UInt64>.Limits, buildID: [UInt8], direction: JoinDirection, loop: any EventLoop,
        log: @escaping @Sendable (String) -> Void
    ) {
        state = Mutex(State(waiting: UnprovenConnections(limits: limits)))
        self.buildID = buildID
        self.direction = direction
        self.loop = loop
        self.log = log
    }

    // MARK: - Launches

    /// Expects a launch; nil if there is one under this identity.
    func expect(
        _ role: JoinRole, joins: Int, for duration: Duration, key: LaunchKey, identity: LaunchIdentity
    ) -> LaunchKeys.Launch? {
        let now = monotonicSeconds()
        return state.withLock { state in
            guard (try? state.keys.launch(identity, at: now)) == nil else { return nil }
            return state.keys.expect(role, joins: joins, until: now + duration.seconds, key: key, identity: identity)
        }
    }

    /// Takes a launch back, and closes the connections of those that are about to join.
    func revoke(_ identity: LaunchIdentity) {
        let visitors = state.withLock { state in
            state.keys.revoke(identity)
            return state.visitors.values.filter { $0.launch?.identity == identity }
        }
        for visitor in visitors { turnAway(visitor, .revokedLaunch) }
    }

    /// The key that a visitor has to show, if it names a launch that is expected.
    func key(of identity: LaunchIdentity, for visitor: Visitor) -> LaunchKey? {
        let now = monotonicSeconds()
        return state.withLock { state in
            do throws(LaunchKeys.Denial) {
                let launch = try state.keys.launch(identity, at: now)
                state.waiting.named(
                    visitor.number, identity, joins: state.keys.remainingJoins(of: identity))
                visitor.named(launch)
                return launch.key
            } catch {
                visitor.got(to: Refusal(error))
                return nil
            }
        }
    }

    // MARK: - Visitors

    /// A connection has come; nil if the door is closed.
    func arrive(_ channel: any Channel) -> Visitor? {
        let now = monotonicSeconds()
        let result = state.withLock { state -> (Visitor, crowdedOut: Visitor?)? in
            guard !state.isClosed else { return nil }
            state.lastNumber += 1
            let visitor = Visitor(state.lastNumber, channel)
            state.visitors[visitor.number] = visitor
            let leaving = state.waiting.arrive(
                visitor.number, from: visitor.source, expected: state.keys.expectedJoins(at: now), at: now)
            return (visitor, leaving.flatMap { state.visitors[$0] })
        }
        guard let result else { return nil }
        if let leaving = result.crowdedOut { turnAway(leaving, .crowdedOut) }
        setTimers()
        return result.0
    }

    /// A visitor has started a TLS handshake.
    func spoke(_ visitor: Visitor) {
        visitor.got(to: .failedHandshake)
        state.withLock { $0.waiting.spoke(visitor.number) }
    }

    /// A visitor has introduced itself after the proof.
    ///
    /// - Returns: Joins that its launch has left, or why it is refused after all.
    func join(_ visitor: Visitor, _ launch: LaunchKeys.Launch) -> Result<Int, LaunchKeys.Denial> {
        let now = monotonicSeconds()
        return state.withLock { state in
            do throws(LaunchKeys.Denial) {
                let remaining = try state.keys.join(launch.identity, at: now)
                state.waiting.leave(visitor.number)
                state.visitors[visitor.number] = nil
                return .success(remaining)
            } catch {
                return .failure(error)
            }
        }
    }

    /// A visitor's connection has ended; if it had not joined, that is a refusal.
    func left(_ visitor: Visitor) {
        state.withLock { state in
            guard state.visitors.removeValue(forKey: visitor.number) != nil else { return }
            state.waiting.leave(visitor.number)
            if !state.isClosed { state.refusals.count(visitor.refusal, from: visitor.address) }
        }
        setTimers()
    }

    /// Closes a visitor's connection.
    private func turnAway(_ visitor: Visitor, _ refusal: Refusal) {
        visitor.refuse(refusal)
        visitor.channel.close(mode: .all, promise: nil)
        state.withLock { _ = $0.waiting.leave(visitor.number) }
    }

    /// Refusals so far, by kind.
    var refusals: [Refusal: Int] { state.withLock { $0.refusals.counts } }

    /// Connections that have not proven themselves.
    var waitingCount: Int { state.withLock { $0.waiting.count } }

    /// Lets nobody in any more, and tells of the last who were refused.
    func close() {
        let (visitors, line) = state.withLock { state in
            state.isClosed = true
            return (Array(state.visitors.values), state.refusals.takeLine(at: .infinity))
        }
        if let line { log(line) }
        for visitor in visitors { visitor.channel.close(mode: .all, promise: nil) }
    }

    // MARK: - Time

    /// Sees to it that time-outs and lines for the log come in time.
    private func setTimers() {
        let now = monotonicSeconds()
        let (deadline, line) = state.withLock { state -> (Double?, Double?) in
            var times: (Double?, Double?) = (nil, nil)
            guard !state.isClosed else { return times }
            if !state.isDeadlineSet, let next = state.waiting.nextDeadline {
                state.isDeadlineSet = true
                times.0 = max(next - now, 0)
            }
            if !state.isLineSet, let next = state.refusals.nextLine {
                state.isLineSet = true
                times.1 = max(next - now, 0)
            }
            return times
        }
        // A timer that is still to come keeps nothing of a listener that is gone.
        if let deadline { loop.scheduleTask(in: Door.time(deadline)) { [weak self] in self?.closeOverdue() } }
        if let line { loop.scheduleTask(in: Door.time(line)) { [weak self] in self?.tell() } }
    }

    private func closeOverdue() {
        let now = monotonicSeconds()
        let overdue = state.withLock { state in
            state.isDeadlineSet = false
            return state.waiting.overdue(at: now).compactMap { state.visitors[$0] }
        }
        for visitor in overdue { turnAway(visitor, .tooSlow) }
        setTimers()
    }

    private func tell() {
        let now = monotonicSeconds()
        let line = state.withLock { state in
            state.isLineSet = false
            return state.refusals.takeLine(at: now)
        }
        if let line { log(line) }
        setTimers()
    }

    /// At least a millisecond, so that a timer never comes too early by rounding.
    private static func time(_ seconds: Double) -> TimeAmount { .nanoseconds(Int64(seconds * 1e9) + 1_000_000) }
}
