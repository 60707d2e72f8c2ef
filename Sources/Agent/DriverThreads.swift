import CPlatform
import Glibc
import Machine
import Placement
import Synchronization

/// Keeps this process's own threads off the CPUs that its workers are bound to, where it may use any other.
///
/// A worker loses time to whatever else runs on its CPU, and the driver's threads don't care where they run. Only threads
/// that have the mask which the process was given are moved; what the program has bound itself stays. Programs that the
/// driver starts by itself meanwhile inherit the narrower mask.
final class DriverThreads: Sendable {
    static let shared = DriverThreads()

    private struct State {
        /// The CPUs of the workers.
        var tally = CPUTally()
        /// The mask that was given to this process's threads last; nil while they have their own.
        var current: CPUSet?
    }

    private let state = Mutex(State())

    /// Notes the CPUs of workers that are to be started.
    func keepOff(_ workers: [CPUSet]) {
        state.withLock { state in
            for cpus in workers { state.tally.insert(cpus) }
        }
        move {}
    }

    /// Notes that a worker has ended.
    ///
    /// - Parameter done: Called when the threads have been moved.
    func release(_ cpus: CPUSet, done: @escaping @Sendable () -> Void) {
        state.withLock { $0.tally.remove(cpus) }
        move(done)
    }

    /// Binds all threads but this one that have one of some masks; returns whether there were any.
    private func moveThreads(from masks: [CPUSet], to wanted: CPUSet) -> Bool {
        var hasMoved = false
        // An entry for each thread, by the kernel's number.
        for thread in names(inDirectory: "/proc/self/task").compactMap({ Int32($0) }) where thread != platform_thread()
        {
            guard let mask = try? affinity(of: thread), mask != wanted, masks.contains(mask) else { continue }
            // A thread that has ended meanwhile needs no CPU.
            if (try? bind(thread: thread, to: wanted)) != nil { hasMoved = true }
        }
        return hasMoved
    }

    /// Moves the threads, from the spawner's: it binds itself for every process that it starts, and must not be bound by
    /// another meanwhile.
    private func move(_ done: @escaping @Sendable () -> Void) {
        Spawner.shared.perform { [self] in
            defer { done() }
            state.withLock { state in
                let given = inheritedAffinity
                let free = given.subtracting(state.tally.cpus)
                let wanted = free.isEmpty ? given : free
                guard wanted != state.current ?? given, !given.isEmpty else { return }
                // A thread that one not moved yet starts meanwhile has that one's mask: so until there is nothing to move. A
                // program that starts threads all the time is not waited for.
                var passes = 8
                while passes > 0, moveThreads(from: [given, state.current ?? given], to: wanted) { passes -= 1 }
                state.current = wanted == given ? nil : wanted
            }
        }
    }
}
