public import ClusterRuntime

/// A manager that gives something to a queue, which can be seen beforehand.
public protocol SubmittingManager: ClusterManager {
    /// The submission as one would type it; nothing is submitted.
    ///
    /// - Throws: What can't be asked of the queue.
    func dryRun() throws -> String
}
