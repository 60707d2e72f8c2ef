import Remote
import Transport
import Wire

/// A link between two workers over their links to the driver: for who has none of their own.
///
/// What arrives is told by whoever hears the driver; so it is not started.
final class RelayLink: Link {
    private let process: WorkerID
    private let driver: any Link

    init(to process: WorkerID, over driver: any Link) {
        self.process = process
        self.driver = driver
    }

    var lastHeard: Double { driver.lastHeard }
    var sharedMemory: ObjectIdentifier? { driver.sharedMemory }

    func share(_ blocks: [SharedArray<UInt8>]) throws(LinkError) -> [SharedArray<UInt8>] { try driver.share(blocks) }

    func start(
        onFrame: @escaping @Sendable (inout WireReader) -> Void, onEnd: @escaping @Sendable (LinkError?) -> Void
    ) {
        preconditionFailure("what comes over the driver is told by who hears the driver")
    }

    func send(_ bytes: RawSpan, _ blocks: [SharedArray<UInt8>]) throws(LinkError) {
        try driver.relay(bytes, blocks, process)
    }

    /// The link to the driver goes on.
    func close() {}
}

extension Link {
    /// Sends a frame to the driver for a process, or from the driver in the name of one.
    func relay(_ bytes: RawSpan, _ blocks: [SharedArray<UInt8>], _ process: WorkerID) throws(LinkError) {
        var output = WireWriter(reserving: 32 + bytes.byteCount)
        Message.relay(process: process.rawValue).write(to: &output)
        output.append(bytes: bytes)
        do {
            try output.check()
        } catch {
            throw LinkError(code: .broken, "a message could not be written: \(error)")
        }
        try send(output.bytes, blocks)
    }
}
