import CPlatform
import Transport

/// Waits for the other side of a ring to move a count: looks for a while, then sleeps.
struct RingWaiter {
    /// How long it looks.
    private(set) var policy: SpinPolicy

    /// Looks between two times of asking the clock, which costs as much as several looks.
    private static let looks = 64

    init(_ policy: SpinPolicy) {
        self.policy = policy
    }

    /// Waits until `count` is not `seen` or the ring has ended; false if the deadline passes before.
    ///
    /// - Parameter deadline: In seconds of `monotonicSeconds()`.
    @inline(never)
    mutating func wait(for count: RingCount, toLeave seen: UInt64, in ring: Ring, until deadline: Double) -> Bool {
        if ring.hasEnded { return true }
        let start = monotonicSeconds()
        if policy.patience > 0 {
            let end = min(start + policy.patience, deadline)
            repeat {
                for _ in 0..<RingWaiter.looks {
                    if count.load() != seen {
                        policy.found()
                        return true
                    }
                    platform_relax()
                }
                if ring.hasEnded { return true }
            } while monotonicSeconds() < end
        }
        while true {
            let now = monotonicSeconds()
            guard now < deadline else { return count.load() != seen }
            if count.announceSleep(seen: seen), !ring.hasEnded { count.sleep(seconds: deadline - now) }
            count.announceWaking()
            if count.load() != seen {
                policy.slept(seconds: monotonicSeconds() - start)
                return true
            }
            if ring.hasEnded { return true }
        }
    }
}
