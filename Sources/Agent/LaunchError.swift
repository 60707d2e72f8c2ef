/// Workers could not be launched as asked.
public struct LaunchError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was asked, why it can't be had, and the cure.
    public let description: String

    /// Says what went wrong.
    package init(_ description: String) {
        self.description = description
    }
}
