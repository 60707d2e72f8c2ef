/// How long a side that waits looks for news before it sleeps: a value, without clocks.
///
/// Waking a sleeping CPU takes some 50 µs, a hundred times what a message through shared memory does. Whoever looks for
/// as long as the wake-up would take, and then sleeps, wastes at most as much time again, whatever happens. But where both sides sit on
/// one CPU nothing can come while one of them looks; and where nothing comes for long, as while a worker works on a
/// long body, looking is heat. Both show in the same way: news did not come while this side looked. So:
///
/// - news that came while looking: look as long as allowed, next time too;
/// - none came, and this side had to sleep: look half as long next time, and after a few such times not at all;
/// - it does not look, and news come soon after it has fallen asleep: it tries again, once, after 1, 2, 4 … 1024 such
///   waits: each try that fails doubles the number.
///
/// Source: A. Karlin, K. Li, M. Manasse, S. Owicki, "Empirical Studies of Competitive Spinning for a Shared-Memory
/// Multiprocessor", 1991 (looking for as long as a wake-up takes, and learning from the last waits).
package struct SpinPolicy: Hashable, Sendable {
    /// The longest that it ever looks, in seconds.
    package let limit: Double
    /// How long to look now, in seconds; 0: sleep at once.
    package private(set) var patience: Double
    /// Short waits to let pass, while it does not look, before the next try.
    private var interval = 1
    private var shortWaits = 0
    private var isTrying = false

    private static let longestInterval = 1024
    /// Below this part of the limit it is not worth looking.
    private static let smallestPart = 1.0 / 16

    /// Looks for at most `limit` seconds: 50 µs unless told, about what a wake-up takes.
    package init(limit: Double = 50e-6) {
        precondition(limit >= 0, "nobody looks for less than no time")
        self.limit = limit
        patience = limit
    }

    /// For sides that are known to share a CPU: sleeps at once, always.
    package static let never = SpinPolicy(limit: 0)

    /// News came while looking.
    package mutating func found() {
        guard patience < limit || isTrying else { return }
        patience = limit
        interval = max(1, interval / 2)
        isTrying = false
    }

    /// No news came while looking, so it slept.
    ///
    /// - Parameter seconds: The whole wait, from the first look to the news.
    package mutating func slept(seconds: Double) {
        if isTrying {
            isTrying = false
            patience = 0
            interval = min(interval * 2, SpinPolicy.longestInterval)
        } else if patience > 0 {
            patience = patience / 2 < limit * SpinPolicy.smallestPart ? 0 : patience / 2
        } else if limit > 0, seconds < limit * 2 {
            // With the wake-up in it, it took no longer than looking might have.
            shortWaits += 1
            guard shortWaits >= interval else { return }
            shortWaits = 0
            isTrying = true
            patience = limit
        }
    }
}
