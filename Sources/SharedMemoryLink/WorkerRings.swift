package import Transport

/// The two rings between a driver and one of its workers, in one memory.
package struct WorkerRings: Sendable {
    /// Bytes that each ring holds.
    private static let capacity = 1 << 17

    /// What the driver writes and the worker reads.
    package let toWorker: Ring
    /// What the worker writes and the driver reads.
    package let fromWorker: Ring
    private let memory: SharedMemory

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
        do {
            memory = try SharedMemory(
                mapping: descriptor, access: .readingAndWriting,
                byteCounts: WorkerRings.byteCount...WorkerRings.byteCount)
        } catch {
            throw LinkError(code: .broken, "\(error)")
        }
        _ = memory.takeDescriptor()
        toWorker = try Ring(joining: memory, capacity: WorkerRings.capacity, waking: .event(bell))
        fromWorker = try Ring(
            joining: memory, at: WorkerRings.secondOffset, capacity: WorkerRings.capacity, waking: .event(bell))
    }

    /// Gives away the descriptor of the memory, for the worker to inherit; once, before the pair is used.
    package func takeDescriptor() -> Descriptor { memory.takeDescriptor() }

    /// Ends both rings for both sides.
    package func close() {
        toWorker.close()
        fromWorker.close()
    }
}
