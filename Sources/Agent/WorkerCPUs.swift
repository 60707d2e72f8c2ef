package import Machine
package import Placement
import Synchronization

/// The CPUs of one worker, for as long as it lives: reserved against other clusters, and left alone by this process.
package final class WorkerCPUs: Sendable {
    private let cpus: CPUSet
    private let reservation: CPUReservation?
    private let isHeld = Mutex(true)

    private init(_ cpus: CPUSet, _ reservation: CPUReservation?) {
        self.cpus = cpus
        self.reservation = reservation
    }

    /// Notes the CPUs of workers that are to be started.
    ///
    /// - Parameter reservation: That which holds them; `nil` where none could be made.
    package static func hold(_ workers: [CPUSet], _ reservation: CPUReservation?) -> [WorkerCPUs] {
        DriverThreads.shared.keepOff(workers)
        return workers.map { WorkerCPUs($0, reservation) }
    }

    deinit { release {} }

    /// Notes that the worker has ended; once is enough. When it returns, this process's threads may run there again.
    package func release() async {
        await withCheckedContinuation { continuation in release { continuation.resume() } }
    }

    private func release(_ done: @escaping @Sendable () -> Void) {
        isHeld.withLock { isHeld in
            // Several may wait for the same end, and all are told after the threads have been moved.
            guard isHeld else { return Spawner.shared.perform(done) }
            isHeld = false
            reservation?.release(cpus)
            DriverThreads.shared.release(cpus, done: done)
        }
    }
}
