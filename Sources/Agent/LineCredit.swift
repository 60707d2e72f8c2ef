import SharedMemoryLink
import Synchronization

/// How much of what workers print is on its way to the driver, which may be slow to print it.
///
/// Whoever reads the workers' pipes waits here while too much is: then the pipes fill, and the workers wait, as they would for
/// a pipe of their own.
final class LineCredit: Sendable {
    /// Bytes on their way before whoever has more waits.
    static let limit = 1 << 20

    private struct State {
        var onTheirWay = 0
        var isOver = false
        var waiting: [Semaphore] = []
    }

    private let state = Mutex(State())

    /// Counts bytes that are sent now, once there is room for them; blocks.
    func take(_ byteCount: Int) {
        while true {
            let semaphore = state.withLock { state -> Semaphore? in
                guard !state.isOver, state.onTheirWay > LineCredit.limit else {
                    state.onTheirWay += byteCount
                    return nil
                }
                let semaphore = Semaphore()
                state.waiting.append(semaphore)
                return semaphore
            }
            guard let semaphore else { return }
            semaphore.wait()
        }
    }

    /// The driver has printed so many.
    func give(_ byteCount: Int) {
        wake { $0.onTheirWay = max(0, $0.onTheirWay - byteCount) }
    }

    /// Nobody waits any more.
    func end() {
        wake { $0.isOver = true }
    }

    private func wake(_ change: (inout State) -> Void) {
        let waiting = state.withLock { state in
            change(&state)
            guard state.isOver || state.onTheirWay <= LineCredit.limit else { return [Semaphore]() }
            defer { state.waiting = [] }
            return state.waiting
        }
        for semaphore in waiting { semaphore.signal() }
    }
}
