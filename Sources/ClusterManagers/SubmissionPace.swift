import Synchronization
import Transport

/// How often jobs are submitted: queues are shared with others, and a loop that adds workers is quick.
struct SubmissionPace: Sendable {
    /// When the last ones were, or will be, in seconds; oldest first.
    private var times: [Double] = []

    /// Takes the next turn.
    ///
    /// - Parameter perMinute: Most turns within any minute, at least 1.
    /// - Returns: Seconds to wait for it.
    mutating func turn(at now: Double, perMinute: Int) -> Double {
        let earlier = times.dropFirst(max(0, times.count - perMinute)).first
        let time = times.count < perMinute ? now : max(now, (earlier ?? now) + 60)
        times = Array((times + [time]).suffix(perMinute))
        return time - now
    }

    private static let shared = Mutex<[String: SubmissionPace]>([:])

    /// Waits for this process's next turn at a queue.
    static func turn(at queue: String, perMinute: Int) async throws {
        let delay = shared.withLock { paces in
            paces[queue, default: SubmissionPace()].turn(at: monotonicSeconds(), perMinute: perMinute)
        }
        if delay > 0 { try await Task.sleep(for: .seconds(delay)) }
    }
}
