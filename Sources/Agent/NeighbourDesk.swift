import SharedMemoryLink
import Synchronization
import Transport

/// Passes the wishes of workers for links to each other on, in the process that started them.
///
/// Each worker has a desk, which hears what it wants; all know the workers of this process. Nothing here waits: where a
/// worker takes no more at the moment, the other is told to ask again.
final class NeighbourDesk: SocketListener {
    private struct Entry {
        let link: RingLink
        var worker: Int?
    }

    /// The workers that this process has started, and that have not ended, by the numbers of their processes.
    private static let entries = Mutex<[Int32: Entry]>([:])

    private let process = Mutex<Int32?>(nil)

    /// The worker is there.
    func open(for process: Int32, _ link: RingLink) {
        self.process.withLock { $0 = process }
        NeighbourDesk.entries.withLock { $0[process] = Entry(link: link, worker: nil) }
    }

    /// The worker has its number.
    static func name(_ process: Int32, _ worker: Int) { entries.withLock { $0[process]?.worker = worker } }

    /// The worker has ended.
    static func close(_ process: Int32) {
        let entry = entries.withLock { $0.removeValue(forKey: process) }
        // Freed outside the lock.
        _ = consume entry
    }

    func hear(_ message: consuming SocketMessage, from link: RingLink) throws(LinkError) {
        guard case .connect(let request, let process) = try NeighbourMessage(message.bytes) else {
            throw LinkError(code: .broken, "a worker says beside its link what only others say")
        }
        guard message.descriptorCount == NeighbourOffer.count || message.lacksDescriptors else {
            throw LinkError(
                code: .broken,
                "a worker wants a link with \(message.descriptorCount) descriptors, not \(NeighbourOffer.count)")
        }
        guard let (reason, isForNow) = passOn(message, to: process) else { return }
        let refusal = NeighbourMessage.refused(
            request: request, reason: NeighbourMessage.shortened(reason), isForNow: isForNow)
        // A worker that takes no more does not wait for ever either.
        _ = link.sendBeside(refusal.bytes)
    }

    /// Returns why it could not be done, and whether it may be later.
    private func passOn(_ message: borrowing SocketMessage, to process: Int) -> (String, isForNow: Bool)? {
        if message.lacksDescriptors {
            return (
                "the process that started it may have no more open files; raise the limit on them (ulimit -n)", false
            )
        }
        let own = self.process.withLock { $0 }
        let (other, number) = NeighbourDesk.entries.withLock { entries in
            (Int32(exactly: process).flatMap { entries[$0]?.link }, own.flatMap { entries[$0]?.worker })
        }
        guard let other else { return ("it is no worker that the same process started, or has ended", false) }
        guard let number else { return ("this worker has no number yet", true) }
        switch other.sendBeside(NeighbourMessage.offer(worker: number).bytes, with: message.descriptorNumbers) {
        case .sent: return nil
        case .full: return ("too many links to it are being made", true)
        case .ended: return ("it has ended", false)
        case .failed(let error): return ("\(error)", false)
        }
    }
}
