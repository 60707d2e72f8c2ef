import Synchronization
import Wire

/// The channel that there is unless somebody makes another kind: a ``ChannelState``, and those who wait for it.
final class BufferedChannel: ServedChannel {
    private struct State {
        var channel: ChannelState<ReferenceAsker>
        /// How to tell processes that they may put; from the last that they asked.
        var speakers: [Int: ReferenceAsker] = [:]
    }

    private let name: ReferenceName
    private let state: Mutex<State>

    init(_ name: ReferenceName, capacity: Int, owner: Int) {
        self.name = name
        state = Mutex(State(channel: ChannelState(capacity: capacity, owner: owner)))
    }

    func serve(_ verb: ReferenceVerb, _ payload: StoredValue, limit: Int, for asker: ReferenceAsker) {
        if verb == .isChannelReady {
            let isReady = state.withLock { $0.channel.isReady }
            return asker.tell(.flag(isReady))
        }
        perform { state in
            switch verb {
            case .putChannel:
                state.speakers[asker.process] = asker
                return state.channel.put(payload, from: asker.process, asker)
            case .takeChannel: return state.channel.take(atMost: limit, asker)
            case .fetchChannel: return state.channel.look(asker)
            case .waitChannel: return state.channel.wait(asker)
            default: return state.channel.close()
            }
        }
        if verb == .closeChannel { asker.tell(.done) }
    }

    func putAllowed(_ value: StoredValue, from process: Int) {
        perform { $0.channel.putAllowed(value, from: process) }
    }

    func giveBack(_ places: Int, from process: Int) { perform { $0.channel.giveBack(places, from: process) } }

    func putBack(_ value: StoredValue) { perform { $0.channel.putBack(value) } }

    func cancel(_ asker: ReferenceAsker) {
        if state.withLock({ $0.channel.cancel(asker) }) { asker.tell(.failed(.cancelled)) }
    }

    func leave(_ process: Int) { perform { $0.channel.leave(process) } }

    func forget(_ process: Int) {
        perform { state in
            state.speakers[process] = nil
            return state.channel.forget(process) { $0.process == process }
        }
    }

    func end(_ error: ReferenceError) {
        for asker in state.withLock({ $0.channel.end() }) { asker.tell(.failed(error)) }
    }

    /// Lets something happen, and tells those whom it concerns: outside the lock, since that may resume tasks.
    ///
    /// What processes are allowed is told under it: they must hear that in the order in which it was settled.
    private func perform(_ event: (inout State) -> [ChannelState<ReferenceAsker>.Action]) {
        let actions = state.withLock { state in
            let actions = event(&state)
            for case .allow(let process, let count) in actions { state.speakers[process]?.allow(name, count) }
            return actions
        }
        for action in actions {
            switch action {
            case .stored(let asker): asker.tell(.done)
            case .give(let asker, let values): asker.tell(.values(values))
            case .ready(let asker): asker.tell(.done)
            case .closed(let asker): asker.tell(.failed(.closed))
            case .allow: break
            }
        }
    }
}
