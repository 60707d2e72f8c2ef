import Glibc
import Transport

/// How long what is launched may take to come up: a worker to reach its first `withCluster`, an agent to reach its driver.
package enum StartLimit {
    /// Name of the environment variable by which a user sets it, in seconds.
    package static let variable = "MUSTER_WORKER_TIMEOUT"
    /// Seconds, unless it is set.
    static let usual = 60.0
    /// Most seconds: a week.
    static let most = 604_800.0

    /// What a call says, else what the environment says, else a minute; in seconds.
    ///
    /// - Throws: ``LaunchError`` for what can't be meant.
    package static func seconds(_ wanted: Duration? = nil) throws(LaunchError) -> Double {
        if let wanted {
            guard wanted > .zero else {
                throw LaunchError("a start limit of \(wanted) leaves no time to start; give one of more than 0 s")
            }
            return min(wanted.seconds, most)
        }
        return try seconds(text: unsafe getenv(variable).map { unsafe String(cString: $0) })
    }

    /// What the variable's value says.
    static func seconds(text: String?) throws(LaunchError) -> Double {
        guard let text else { return usual }
        guard let seconds = Double(text), seconds > 0, seconds <= most else {
            throw LaunchError(
                """
                \(variable) is "\(text)", which is no time limit; set it to seconds, such as 120, or leave it out \
                for \(Int(usual))
                """)
        }
        return seconds
    }
}
