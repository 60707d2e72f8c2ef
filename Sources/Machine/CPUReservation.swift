internal import Glibc
public import Placement
internal import Synchronization

/// CPUs that workers of this process are bound to, written down where other processes of the same user see it.
///
/// Each reservation is a file in the user's runtime directory (`$XDG_RUNTIME_DIR/muster`, `/run/user/UID/muster`, or
/// `/tmp/muster-UID`), which its process holds locked: so it ends with the process in whatever way that ends. Others plan
/// around it.
public final class CPUReservation: Sendable {
    private struct State {
        /// The file, open and locked; -1 when nothing is reserved any more.
        var file: CInt
        /// The CPUs of the workers that there still are.
        var tally: CPUTally
    }

    /// The owner of this process's own reservations.
    package static let own = "this process"

    private let path: String
    private let state: Mutex<State>

    fileprivate init(path: String, file: CInt, cpus: [CPUSet]) {
        self.path = path
        state = Mutex(State(file: file, tally: CPUTally(cpus)))
    }

    deinit { state.withLock { CPUReservation.end(&$0, path) } }

    /// Gives back the CPUs of one worker.
    public func release(_ cpus: CPUSet) {
        state.withLock { state in
            guard state.file >= 0 else { return }
            state.tally.remove(cpus)
            let rest = state.tally.cpus
            if rest.isEmpty {
                CPUReservation.end(&state, path)
            } else if let directory = try? ReservationDirectory() {
                directory.withLock { _ = CPUReservation.write(rest, to: state.file) }
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

    /// Plans around the CPUs that others have, and writes down what was chosen before anybody else can choose.
    ///
    /// Who lists CPUs knows of this process's own workers there: these are no occupation then.
    ///
    /// - Returns: The plan, and the reservation; nil, with the reason, where the runtime directory can't be used: then nobody
    ///   knows of these workers, and nothing else is worse.
    /// - Throws: `PlacementError` if the machine can't meet the request.
    public static func plan(
        _ request: PlacementRequest, on topology: Topology
    ) throws(PlacementError) -> (plan: PlacementPlan, reservation: CPUReservation?, problem: String?) {
        let directory: ReservationDirectory
        do throws(ReservationError) {
            directory = try ReservationDirectory()
        } catch {
            return (try PlacementPlan(request, on: topology), nil, error.description)
        }
        return try directory.withLock { () throws(PlacementError) in
            var request = request
            request.occupied += directory.occupations().filter { request.cpus == nil || $0.owner != own }
            let plan = try PlacementPlan(request, on: topology)
            let (reservation, problem) = directory.reserve(plan.workers.map(\.cpus))
            return (plan, reservation, problem)
        }
    }

    /// Writes the CPUs, under the directory's lock.
    ///
    /// - Returns: Whether that worked, else `errno` tells why. A full disk leaves the file empty: as if nothing were
    ///   reserved.
    fileprivate static func write(_ cpus: CPUSet, to file: CInt) -> Bool {
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

extension ReservationDirectory {
    /// Writes down the CPUs of workers, under the lock.
    ///
    /// - Returns: The reservation, or why there is none.
    fileprivate func reserve(_ cpus: [CPUSet]) -> (CPUReservation?, problem: String?) {
        do throws(ReservationError) {
            let (path, file) = try newFile()
            let reservation = CPUReservation(path: path, file: file, cpus: cpus)
            guard CPUReservation.write(CPUTally(cpus).cpus, to: file) else {
                let reason = errorText(errno)
                return (nil, "CPUs can't be reserved in \(path): \(reason)")
            }
            return (reservation, nil)
        } catch {
            return (nil, error.description)
        }
    }
}
