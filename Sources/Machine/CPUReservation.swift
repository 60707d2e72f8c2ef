internal import Glibc
public import Placement
internal import Synchronization

/// CPUs that workers of this process are bound to, written down where other processes of the same user see it.
///
/// Each reservation is a file in the user's runtime directory (`$XDG_RUNTIME_DIR/muster`, `/run/user/UID/muster`, or `/tmp/muster-UID`), which its
/// process holds locked: so it ends with the process in whatever way that ends. Others plan around it.
public final class CPUReservation: Sendable {
    private struct State {
        /// The file, open and locked; -1 when nothing is reserved any more.
        var file: CInt
        /// How many workers have each CPU.
        var counts: [Int: Int]
    }

    /// The owner of this process's own reservations.
    package static let own = "this process"

    private let path: String
    private let state: Mutex<State>

    private init(path: String, file: CInt, cpus: [CPUSet]) {
        self.path = path
        var counts: [Int: Int] = [:]
        for cpu in cpus.joined() { counts[cpu, default: 0] += 1 }
        state = Mutex(State(file: file, counts: counts))
    }

    deinit { state.withLock { CPUReservation.end(&$0, path) } }

    /// Gives back the CPUs of one worker.
    public func release(_ cpus: CPUSet) {
        state.withLock { state in
            guard state.file >= 0 else { return }
            for cpu in cpus {
                guard let count = state.counts[cpu] else { continue }
                state.counts[cpu] = count > 1 ? count - 1 : nil
            }
            if state.counts.isEmpty {
                CPUReservation.end(&state, path)
            } else if let directory = try? ReservationDirectory() {
                directory.withLock { _ = CPUReservation.write(CPUSet(state.counts.keys), to: state.file) }
            }
        }
    }

    private static func end(_ state: inout State, _ path: String) {
        guard state.file >= 0 else { return }
        _ = unsafe unlink(path)
        close(state.file)
        state.file = -1
    }

    /// The CPUs that workers of all reservations have, this process's among them; none where the directory can't be read.
    public static func occupations() -> [Occupation] {
        guard let directory = try? ReservationDirectory() else { return [] }
        return directory.withLock { directory.occupations() }
    }

    /// Lets `plan` choose CPUs, knowing those of others, and writes down what it chose before anybody else can choose.
    ///
    /// - Parameter plan: Returns the CPUs of each worker, besides what the caller wants.
    /// - Returns: What `plan` returned, and the reservation; nil, with the reason, where the runtime directory can't be
    ///   used: then nobody knows of these workers, and nothing else is worse.
    public static func make<R>(
        _ plan: ([Occupation]) throws -> (R, cpus: [CPUSet])
    ) throws -> (R, reservation: CPUReservation?, problem: String?) {
        let directory: ReservationDirectory
        do throws(ReservationError) {
            directory = try ReservationDirectory()
        } catch {
            return (try plan([]).0, nil, error.description)
        }
        return try directory.withLock {
            let (result, cpus) = try plan(directory.occupations())
            do throws(ReservationError) {
                let (path, file) = try directory.newFile()
                let reservation = CPUReservation(path: path, file: file, cpus: cpus)
                guard write(cpus.reduce(CPUSet()) { $0.union($1) }, to: file) else {
                    let reason = errorText(errno)
                    return (result, nil, "CPUs can't be reserved in \(path): \(reason)")
                }
                return (result, reservation, nil)
            } catch {
                return (result, nil, error.description)
            }
        }
    }

    /// Writes the CPUs, under the directory's lock.
    ///
    /// - Returns: Whether that worked, else `errno` tells why. A full disk leaves the file empty: as if nothing were
    ///   reserved.
    private static func write(_ cpus: CPUSet, to file: CInt) -> Bool {
        let text = Array("\(cpus)\n".utf8)
        ftruncate(file, 0)
        // SAFETY: the array's bytes are read during the call.
        let count = unsafe pwrite(file, text, text.count, 0)
        // Less than all of it is what a full disk takes, and the rest would name other CPUs.
        if count >= 0, count < text.count {
            ftruncate(file, 0)
            errno = ENOSPC
        }
        return count == text.count
    }
}
