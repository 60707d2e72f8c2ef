package import Transport

/// The two rings between a driver and one of its workers, or between two workers, in one memory.
///
/// Between workers, the one that made them has the driver's part: `toWorker` is what that one writes.
package struct WorkerRings: Sendable {
    /// Bytes that each ring holds.
    private static let capacity = 1 << 17

    /// What the driver writes and the worker reads.
    package let toWorker: Ring
    /// What the worker writes and the driver reads.
    package let fromWorker: Ring
    private let memory: SharedMemory
    /// The other side's bell, where this one received it for these rings alone.
    private let bell: Bell?

    private final class Bell: Sendable {
        let descriptor: Descriptor

        /// - Throws: ``LinkError/Code/broken`` if ringing it could do anything else.
        init(_ descriptor: consuming Descriptor) throws(LinkError) {
            guard descriptor.isEvent else {
                throw LinkError(code: .broken, "the other side gave what is no eventfd to be woken by")
            }
            self.descriptor = descriptor
        }
    }

    private static var secondOffset: Int { (Ring.byteCount(capacity: capacity) + 127) / 128 * 128 }
    private static var byteCount: Int { secondOffset + Ring.byteCount(capacity: capacity) }

    /// Makes both; for the driver.
    ///
    /// - Parameter wake: How the other side is woken: a worker sleeps on a futex in the memory, since it has nobody else to
    ///   listen to.
    package init(waking wake: RingWake = .futex) throws(SharedMemoryError) {
        // What the system has left is not looked up: a worker's process takes several times as much, unasked, and that
        // would take longer than all else that its start takes here.
        memory = try SharedMemory(byteCount: WorkerRings.byteCount, named: "muster-rings", available: nil)
        bell = nil
        toWorker = Ring(creatingIn: memory, capacity: WorkerRings.capacity, waking: wake)
        fromWorker = Ring(
            creatingIn: memory, at: WorkerRings.secondOffset, capacity: WorkerRings.capacity, waking: wake)
    }

    /// Joins those that the driver made; for the worker.
    ///
    /// - Parameters:
    ///   - memory: What was inherited.
    ///   - bell: The eventfd that wakes the driver's poller.
    /// - Throws: ``LinkError/Code/broken`` if it is no such memory.
    package init(joining descriptor: consuming Descriptor, bell: CInt) throws(LinkError) {
        try self.init(joining: WorkerRings.map(descriptor), ringing: bell, keeping: nil)
    }

    /// Joins those that another worker made.
    ///
    /// - Parameters:
    ///   - memory: What was received.
    ///   - bell: The eventfd that wakes that worker's poller, received as well; kept open as long as these rings are.
    /// - Throws: ``LinkError/Code/broken`` if either is something else.
    package init(
        joining descriptor: consuming Descriptor, owningBell bell: consuming Descriptor
    ) throws(LinkError) {
        let bell = try Bell(bell)
        try self.init(joining: WorkerRings.map(descriptor), ringing: bell.descriptor.number, keeping: bell)
    }

    private init(joining memory: SharedMemory, ringing number: CInt, keeping bell: Bell?) throws(LinkError) {
        self.memory = memory
        self.bell = bell
        toWorker = try Ring(joining: memory, capacity: WorkerRings.capacity, waking: .event(number))
        fromWorker = try Ring(
            joining: memory, at: WorkerRings.secondOffset, capacity: WorkerRings.capacity, waking: .event(number))
    }

    private static func map(_ descriptor: consuming Descriptor) throws(LinkError) -> SharedMemory {
        do {
            let memory = try SharedMemory(
                mapping: descriptor, access: .readingAndWriting, byteCounts: byteCount...byteCount)
            _ = memory.takeDescriptor()
            return memory
        } catch {
            throw LinkError(code: .broken, "\(error)")
        }
    }

    /// The same rings, for the worker that made them and now knows what wakes the other; in place of these, which were
    /// not used.
    ///
    /// - Parameter bell: The eventfd that wakes the other worker's poller, received from it; kept open as long as the rings
    ///   are.
    /// - Throws: ``LinkError/Code/broken`` if it is something else, or the other has destroyed the rings.
    package func waking(owningBell bell: consuming Descriptor) throws(LinkError) -> WorkerRings {
        let bell = try Bell(bell)
        return try WorkerRings(joining: memory, ringing: bell.descriptor.number, keeping: bell)
    }

    /// Gives away the descriptor of the memory, for the other side; once, before the pair is used.
    package func takeDescriptor() -> Descriptor { memory.takeDescriptor() }

    /// Ends both rings for both sides.
    package func close() {
        toWorker.close()
        fromWorker.close()
    }
}
