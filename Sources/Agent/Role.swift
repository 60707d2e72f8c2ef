import Glibc
import Remote

/// What this process is in the cluster.
package enum Role: Hashable, Sendable {
    /// The process that the user started.
    case driver
    /// A worker, whose link to its agent is this inherited descriptor.
    case worker(link: CInt)
    /// The agent of a host, which joins the driver with this secret.
    case agent(JoinSource)
    /// A copy of this program that was started by a worker-to-be, or by a script that was started in its place. As a
    /// driver it would start workers in the same way, and these would, without end.
    case stray

    /// Name of the environment variable that holds the role.
    package static let variable = "MUSTER_ROLE"
    /// Name of the environment variable by which a user has a program join: it holds the path of a join file.
    package static let joinVariable = "MUSTER_JOIN"

    /// This process's role. The variable, and those that were set for this process alone, are taken out of the
    /// environment, so that programs started from here are themselves again.
    package static let current: Role = {
        let join = take(joinVariable)
        guard let value = take(variable) else { return join.map { .agent(.file($0)) } ?? .driver }
        let role = Role(value, parent: getppid(), buildID: .current)
        if role != nil { for name in ownVariables(in: value) { unsafe unsetenv(name) } }
        return role ?? .driver
    }()

    /// Takes a variable out of the environment.
    private static func take(_ name: String) -> String? {
        guard let text = unsafe getenv(name) else { return nil }
        defer { unsafe unsetenv(name) }
        return unsafe String(cString: text)
    }

    /// The value of the variable for an agent.
    package static func value(join source: JoinSource) -> String {
        switch source {
        case .file(let path): "agent:file:\(path)"
        case .secret(let path): "agent:secret:\(path)"
        case .descriptor(let number): "agent:\(number)"
        }
    }

    /// The value of the variable for a worker started by process `parent`.
    ///
    /// - Parameter own: Names of variables that are meant for the worker itself, not for what it starts.
    static func value(link: CInt, parent: pid_t, buildID: BuildID = .current, own: [String] = []) -> String {
        (["worker", "\(link)", "\(parent)", "\(buildID)"] + own).joined(separator: ":")
    }

    static func ownVariables(in value: String) -> [String] {
        if value.hasPrefix("agent:") { return [] }
        return value.split(separator: ":", omittingEmptySubsequences: false).dropFirst(4).map(String.init)
    }

    /// Reads the variable's value; `nil` if it was meant for another program, which a worker-to-be started.
    init?(_ text: String, parent: pid_t, buildID: BuildID) {
        if text.hasPrefix("agent:") {
            let source = text.dropFirst(6)
            if source.hasPrefix("file:"), source.count > 5 {
                self = .agent(.file(String(source.dropFirst(5))))
            } else if source.hasPrefix("secret:"), source.count > 7 {
                self = .agent(.secret(String(source.dropFirst(7))))
            } else if let number = CInt(source), number >= 0 {
                self = .agent(.descriptor(number))
            } else {
                return nil
            }
            return
        }
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

/// Where a process that joins has its secret from; never the secret.
package enum JoinSource: Hashable, Sendable {
    /// A join file that is this user's alone.
    case file(String)
    /// A file that the system mounted for this process, such as a Kubernetes Secret: root's or this user's, perhaps behind
    /// symbolic links.
    case secret(String)
    /// An inherited descriptor, or standard input, which is read to its end.
    case descriptor(CInt)
}
