import Agent
public import ClusterRuntime

/// Starts workers on this host and leaves it to the kernel where they run.
public struct LocalManager: ClusterManager {
    /// Number of workers; `nil` for one for each usable CPU, as far as the cgroup's quota feeds them.
    public let count: Int?
    /// How each is started.
    public let options: LocalOptions

    /// Starts the workers.
    ///
    /// - Throws: `LaunchError` for a count below 1, `WorkerStartError` if one does not come up; another error where the
    ///   system, or its limit on open files, does not allow for as many.
    public func launch(_ site: LaunchSite) async throws {
        try await options.launch(.unbound(count: count), site)
    }
}

extension ClusterManager where Self == LocalManager {
    /// Workers on this host, where the kernel puts them.
    ///
    /// A worker is this program, started again with the same arguments; its first `withCluster` turns it into a worker
    /// and does not return. What it prints before is dropped. It talks to this process through inherited descriptors.
    ///
    /// Each worker takes up to five descriptors here. Where many would leave this process few, its soft limit on open files
    /// is raised, and stays so. Descriptors that the program opens itself still get numbers below the old limit, as
    /// select(2) needs them, and workers have the old limit; other programs that this one starts inherit the new one.
    ///
    /// - Parameters:
    ///   - count: Number of workers; one for each usable CPU unless told, as far as the cgroup's quota feeds them.
    ///   - options: How each is started.
    public static func local(_ count: Int? = nil, options: LocalOptions = LocalOptions()) -> LocalManager {
        LocalManager(count: count, options: options)
    }

    /// Workers on this host, with the options written out; see ``LocalOptions``.
    public static func local(
        _ count: Int? = nil, directory: String? = nil, executable: String? = nil, flags: [String] = [],
        environment: [String: String] = [:], restrict: Bool = true, setsThreadVariables: Bool = true
    ) -> LocalManager {
        LocalManager(
            count: count,
            options: LocalOptions(
                directory: directory, executable: executable, flags: flags, environment: environment,
                restrict: restrict, setsThreadVariables: setsThreadVariables))
    }
}
