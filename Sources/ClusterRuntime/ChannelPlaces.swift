import Synchronization
import Wire

/// Places in channels of other processes that this one may put values into without asking, as long as it has a reference.
final class ChannelPlaces: Sendable {
    private struct Places {
        var count = 0
        var references = 0
    }

    private let state = Mutex<[ReferenceName: Places]>([:])

    /// There is one more reference to a channel.
    func open(_ name: ReferenceName) { state.withLock { $0[name, default: Places()].references += 1 } }

    /// There is one less. With the last go the places: the owner learns of that when it learns that nothing refers to the channel.
    func close(_ name: ReferenceName) {
        state.withLock { state in
            state[name]?.references -= 1
            if state[name]?.references == 0 { state[name] = nil }
        }
    }

    /// Uses a place; false if there is none.
    func use(_ name: ReferenceName) -> Bool {
        state.withLock { state in
            guard let count = state[name]?.count, count > 0 else { return false }
            state[name]?.count = count - 1
            return true
        }
    }

    /// The owner gives more places, or with 0 takes all back. Returns how many are to be given back; nil if it does not wait for any.
    func allow(_ name: ReferenceName, _ count: Int) -> Int? {
        state.withLock { state in
            // Whoever has no reference any more does not need them.
            guard let known = state[name] else { return max(count, 0) }
            guard count <= 0 else {
                state[name]?.count = known.count + min(count, 1 << 30)
                return nil
            }
            state[name]?.count = 0
            return known.count
        }
    }
}
