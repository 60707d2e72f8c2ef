import Glibc
import Remote

/// What this process is in the cluster.
package enum Role: Hashable, Sendable {
    /// The process that the user started.
    case driver
    /// A worker, whose link to its agent is this inherited descriptor.
    case worker(link: CInt)
    /// A copy of this program that was started by a worker-to-be, or by a script that was started in its place. As a
    /// driver it would start workers in the same way, and these would, without end.
    case stray

    /// Name of the environment variable that holds the role.
    static let variable = "MUSTER_ROLE"

    /// This process's role. The variable, and those that were set for this process alone, are taken out of the
    /// environment, so that programs started from here are themselves again.
    package static let current: Role = {
        guard let text = unsafe getenv(variable) else { return .driver }
        let value = unsafe String(cString: text)
        let role = Role(value, parent: getppid(), buildID: .current)
        unsafe unsetenv(variable)
        if role != nil { for name in ownVariables(in: value) { unsafe unsetenv(name) } }
        return role ?? .driver
    }()

    /// The value of the variable for a worker started by process `parent`.
    ///
    /// - Parameter own: Names of variables that are meant for the worker itself, not for what it starts.
    static func value(link: CInt, parent: pid_t, buildID: BuildID = .current, own: [String] = []) -> String {
        (["worker", "\(link)", "\(parent)", "\(buildID)"] + own).joined(separator: ":")
    }

    static func ownVariables(in value: String) -> [String] {
        value.split(separator: ":", omittingEmptySubsequences: false).dropFirst(4).map(String.init)
    }

    /// Reads the variable's value; `nil` if it was meant for another program, which a worker-to-be started.
    init?(_ text: String, parent: pid_t, buildID: BuildID) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count >= 4, parts[0] == "worker", let link = CInt(parts[1]), link > 2 else { return nil }
        if pid_t(parts[2]) == parent {
            self = .worker(link: link)
        } else if parts[3] == buildID.description {
            self = .stray
        } else {
            return nil
        }
    }
}
