/// Waits until a condition holds, but not longer than told.
///
/// ```swift
/// guard try await timedWait(.seconds(30), { cluster.workers.count == 8 }) else { throw NotEnoughWorkers() }
/// ```
///
/// Julia's `timedwait`: true is its `:ok`, false its `:timed_out`.
///
/// - Parameters:
///   - limit: Time to wait; with none, or less, the condition is asked once.
///   - pollInterval: Time from one question to the next; 100 ms unless told, 1 ms at least.
///   - condition: Is asked at once, at each interval, and at the end of the time.
/// - Returns: Whether the condition held.
/// - Throws: What the condition throws; `CancellationError` if this task is cancelled.
public nonisolated(nonsending) func timedWait(
    _ limit: Duration, pollInterval: Duration = .milliseconds(100), _ condition: () async throws -> Bool
) async throws -> Bool {
    let interval = max(pollInterval, .milliseconds(1))
    let end = ContinuousClock.now + limit
    while true {
        // Looked at before the condition: it is asked once after the end.
        let left = ContinuousClock.now.duration(to: end)
        if try await condition() { return true }
        guard left > .zero else { return false }
        try await Task.sleep(for: min(interval, left))
    }
}
