/// What happens towards the end of the time that a queue has given a job.
struct WallTime: Hashable, Sendable {
    /// Seconds from now until workers get nothing more to do.
    let drain: Double
    /// Seconds from then on until they leave with what they have not done.
    let patience: Double

    /// - Parameter secondsLeft: Seconds from now until the queue ends the job.
    init(secondsLeft: Double) {
        let left = max(secondsLeft, 0)
        // Queues are late rather than early, by seconds; a tenth, so that a short job has time to do something as well.
        let margin = min(left / 10, 30)
        drain = left - margin
        patience = margin * 0.75
    }
}
