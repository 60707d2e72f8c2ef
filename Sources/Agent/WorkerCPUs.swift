package import Machine
package import Placement
import Synchronization

/// The CPUs of one worker, for as long as it lives: reserved against other clusters, and left alone by this process.
package final class WorkerCPUs: Sendable {
    private let cpus: CPUSet
    private let reservation: CPUReservation?
    private let isHeld = Mutex(true)

    /// Notes that a worker has `cpus`.
    ///
    /// - Parameter reservation: That which holds them; `nil` where none could be made.
    package init(_ cpus: CPUSet, _ reservation: CPUReservation?) {
        self.cpus = cpus
        self.reservation = reservation
        DriverThreads.shared.keepOff(cpus)
    }

    deinit { release() }

    /// Notes that the worker has ended; once is enough.
    package func release() {
        let wasHeld = isHeld.withLock { isHeld in
            defer { isHeld = false }
            return isHeld
        }
        guard wasHeld else { return }
        reservation?.release(cpus)
        DriverThreads.shared.release(cpus)
    }
}
