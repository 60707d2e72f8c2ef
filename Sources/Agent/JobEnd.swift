/// When a queue ends the job that this process is of.
package enum JobEnd {
    /// Name of the environment variable by which a job's script tells its agents: in seconds since 1970.
    package static let variable = "MUSTER_JOB_END"

    /// Seconds that are left at `now`; `nil` where the variable is not set, or is no number.
    package static func secondsLeft(_ value: String?, now: Double) -> Double? {
        guard let end = value.flatMap(Double.init), end.isFinite, abs(end - now) <= 1e12 else { return nil }
        return end - now
    }
}
