import CPlatform
import Transport

/// Waits for the other side of a ring to move a count: looks for a while, then sleeps.
struct RingWaiter: Sendable {
    /// How long it looks.
    private(set) var policy: SpinPolicy

    /// Looks between two times of asking the clock, which costs as much as several looks.
    private static let looks = 64

    init(_ policy: SpinPolicy) {
        self.policy = policy
    }

    /// Waits until `count` is not `seen`, the ring has ended, or a reader's wait is interrupted; false if the deadline
    /// passes before.
    ///
    /// - Parameter deadline: In seconds of `monotonicSeconds()`.
    @inline(never)
    mutating func wait(for count: RingCount, toLeave seen: UInt64, in ring: Ring, until deadline: Double) -> Bool {
        if count.load() != seen || ring.isWaitOver { return true }
        let start = monotonicSeconds()
        guard start < deadline else { return false }
        if policy.patience > 0, look(at: count, seen, in: ring, until: min(start + policy.patience, deadline)) {
            return true
        }
        var now = start
        var hasNews = false
        repeat {
            if count.announceSleep(seen: seen), !ring.isWaitOver { count.sleep(seconds: deadline - now) }
            count.announceWaking()
            now = monotonicSeconds()
            hasNews = count.load() != seen
        } while !hasNews && !ring.isWaitOver && now < deadline
        // An interruption says nothing of how soon news come.
        if hasNews || !ring.isWaitOver { policy.slept(seconds: now - start) }
        return hasNews || ring.isWaitOver
    }

    /// Looks without sleeping; whether that ends the wait.
    private mutating func look(at count: RingCount, _ seen: UInt64, in ring: Ring, until end: Double) -> Bool {
        repeat {
            for _ in 0..<RingWaiter.looks {
                if count.load() != seen {
                    policy.found()
                    return true
                }
                platform_relax()
            }
            if ring.isWaitOver { return true }
        } while monotonicSeconds() < end
        return false
    }
}
