/// When a queue ends the job that this process is of.
package enum JobEnd {
    /// Name of the environment variable by which a job's script tells its agents: in seconds since 1970; or as `+600`, seconds
    /// from when what the agent joins with was put there, where there is no script that could look at a clock.
    package static let variable = "MUSTER_JOB_END"

    /// Seconds that are left at `now`; `nil` where the variable is not set, or is no number.
    ///
    /// - Parameter start: When what the agent joins with was put there; `nil` if that isn't known.
    package static func secondsLeft(_ value: String?, now: Double, start: Double? = nil) -> Double? {
        guard let value, let number = Double(value) else { return nil }
        guard let origin = value.hasPrefix("+") ? start : 0 else { return nil }
        let end = origin + number
        guard end.isFinite, abs(end - now) <= 1e12 else { return nil }
        return end - now
    }
}
