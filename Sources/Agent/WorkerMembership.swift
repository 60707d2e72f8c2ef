package import Remote
package import Transport
package import Wire

/// What a worker's process is besides one that runs its driver's bodies: part of a cluster, whose processes call each other and refer
/// to what others have.
package protocol WorkerMembership: Sendable {
    /// The driver has said what the worker belongs to; called once, before all else.
    ///
    /// - Parameters:
    ///   - driver: The link to the driver; what comes over it is told with ``hear(_:)``.
    ///   - perform: Runs work on the thread for synchronous bodies, after what that has to do.
    func belong(
        to cluster: UInt64, as worker: Int, driver: any Link,
        perform: @escaping @Sendable (_ work: @escaping @Sendable () -> Void) -> Void)

    /// The driver has said something that is not for who runs its bodies.
    ///
    /// - Throws: `WireError` for what no driver says.
    func hear(_ frame: inout WireReader) throws(WireError)

    /// Keeps what a message refers to.
    func hold(_ names: [UInt8]) throws(WireError) -> WireAttachments

    /// What this process has for others; `nil` before it belongs to a cluster.
    var references: ReferenceTable? { get }

    /// The bodies that run are to end that other workers than the driver have called.
    ///
    /// - Returns: For each that does not suspend, whether it is still at the element that it was to end with.
    func interrupt() -> [@Sendable () -> Bool]

    /// A body has failed for which nobody waits.
    func tell(_ failure: RemoteFailure)
}
