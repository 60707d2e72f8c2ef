import Glibc

/// What this process is in the cluster.
package enum Role: Hashable, Sendable {
    /// The process that the user started.
    case driver
    /// A worker, whose link to its agent is this inherited descriptor.
    case worker(link: CInt)

    /// Name of the environment variable that holds the role.
    static let variable = "MUSTER_ROLE"

    /// This process's role. The variable, and those that were set for this process alone, are taken out of the
    /// environment, so that programs started from here are themselves again.
    package static let current: Role = {
        guard let text = unsafe getenv(variable) else { return .driver }
        let value = unsafe String(cString: text)
        let role = Role(value, parent: getppid())
        unsafe unsetenv(variable)
        if role != nil { for name in ownVariables(in: value) { unsafe unsetenv(name) } }
        return role ?? .driver
    }()

    /// The value of the variable for a worker started by process `parent`.
    ///
    /// - Parameter own: Names of variables that are meant for the worker itself, not for what it starts.
    static func value(link: CInt, parent: pid_t, own: [String] = []) -> String {
        (["worker", "\(link)", "\(parent)"] + own).joined(separator: ":")
    }

    static func ownVariables(in value: String) -> [String] {
        value.split(separator: ":").dropFirst(3).map(String.init)
    }

    /// Reads the variable's value; `nil` if it was meant for another process, a worker's child that inherited it say.
    init?(_ text: String, parent: pid_t) {
        let parts = text.split(separator: ":")
        guard parts.count >= 3, parts[0] == "worker", let link = CInt(parts[1]), link > 2, pid_t(parts[2]) == parent
        else { return nil }
        self = .worker(link: link)
    }
}
