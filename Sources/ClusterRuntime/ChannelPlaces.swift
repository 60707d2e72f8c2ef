import Synchronization
import Wire

/// Places in channels of other processes that this one may put values into without asking, as long as it has a reference.
final class ChannelPlaces: Sendable {
    private struct Places {
        var count = 0
        var references = 0
        /// Places that were used, and whose values are not sent yet.
        var sending = 0
        /// Whether the owner waits for what is not used.
        var isRecalled = false
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

    /// Uses a place; false if there is none. ``sent(_:)`` follows.
    func use(_ name: ReferenceName) -> Bool {
        state.withLock { state in
            guard let count = state[name]?.count, count > 0 else { return false }
            state[name]?.count = count - 1
            state[name]?.sending += 1
            return true
        }
    }

    /// The value for a place was sent, or could not be. Returns how many are to be given back; nil if the owner does not wait for any.
    ///
    /// - Parameter isUsed: Whether the place is taken now.
    func sent(_ name: ReferenceName, isUsed: Bool) -> Int? {
        state.withLock { state in
            guard var places = state[name] else { return nil }
            places.sending -= 1
            if !isUsed { places.count += 1 }
            defer { state[name] = places }
            guard places.isRecalled, places.sending == 0 else { return nil }
            defer { (places.isRecalled, places.count) = (false, 0) }
            return places.count
        }
    }

    /// The owner gives more places, or with 0 takes all back. Returns how many are to be given back; nil if it does not wait for any.
    func allow(_ name: ReferenceName, _ count: Int) -> Int? {
        state.withLock { state in
            // Whoever has no reference any more does not need them.
            guard let known = state[name] else { return max(count, 0) }
            guard count <= 0 else {
                state[name]?.isRecalled = false
                state[name]?.count = known.count + min(count, 1 << 30)
                return nil
            }
            // What is used comes first: what follows it says that nothing more does.
            state[name]?.isRecalled = known.sending > 0
            guard known.sending == 0 else { return nil }
            state[name]?.count = 0
            return known.count
        }
    }
}
