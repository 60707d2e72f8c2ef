import SharedMemoryLink
import Transport
import Wire

/// The link of a worker to its driver, for what is not the answer to a call of the driver's.
final class DriverLink: Link {
    private let session: WorkerSession

    init(_ session: WorkerSession) { self.session = session }

    var lastHeard: Double { monotonicSeconds() }
    var sharedMemory: ObjectIdentifier? { session.segments.memory }

    func share(_ blocks: [SharedArray<UInt8>]) throws(LinkError) -> [SharedArray<UInt8>] {
        try session.segments.share(blocks)
    }

    /// The session hears the driver from its start on.
    func start(
        onFrame: @escaping @Sendable (inout WireReader) -> Void, onEnd: @escaping @Sendable (LinkError?) -> Void
    ) {
        preconditionFailure("what the driver says is told by the worker's session")
    }

    func send(_ bytes: RawSpan, _ blocks: [SharedArray<UInt8>]) throws(LinkError) { try session.send(bytes, blocks) }

    /// A worker has its link as long as it lives.
    func close() {}
}
