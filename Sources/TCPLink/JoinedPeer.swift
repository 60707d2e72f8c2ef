/// A process that has proven itself.
package struct JoinedPeer: Sendable {
    /// The link to it, not started yet. Until it is, nothing more is read from it, and its end is not noticed: start it or
    /// close it.
    package let link: TCPLink
    /// The launch it belongs to.
    package let identity: LaunchIdentity
    /// What it is.
    package let role: JoinRole
    /// The address it came from, without the port.
    package let address: String
    /// Joins that its launch has left; with 0, its join file can go.
    package let remainingJoins: Int
}
