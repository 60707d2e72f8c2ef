import Synchronization
package import Wire

/// What a process has that others refer to: values of futures, and channels. Each is there as long as somebody holds a reference.
///
/// Something is known from the first that is heard of it, be it that somebody waits for it: messages about it come from several
/// processes, and over several links.
package final class ReferenceTable: Sendable {
    private enum Future {
        case waiting([(asker: ReferenceAsker, wantsValue: Bool)])
        case ready(StoredValue)
        /// There will be no value, and why.
        case lost(ReferenceError)
    }

    private enum Content {
        case future(Future)
        case channel(any ServedChannel)
    }

    private struct Entry {
        var holders: ReferenceHolders
        var content = Content.future(.waiting([]))
    }

    private struct State {
        var entries: [ReferenceName: Entry] = [:]
        /// Processes that have ended: what is said of them later, by others, counts no more.
        var ended: Set<Int> = []
        /// Why there is nothing any more, once the cluster is over.
        var over: ReferenceError?

        /// What there is of a name. What is heard of for the first time is held by the process that named it, if that has not ended.
        func entry(_ name: ReferenceName) -> Entry {
            entries[name]
                ?? Entry(holders: ended.contains(name.whence) ? ReferenceHolders() : ReferenceHolders(name.whence))
        }
    }

    /// The process that has the table.
    package let process: Int
    private let state = Mutex(State())

    package init(of process: Int) { self.process = process }

    /// How many there are.
    package var count: Int { state.withLock { $0.entries.count } }
    /// For how many there is room.
    package var room: Int { state.withLock { $0.entries.capacity } }

    // MARK: - Futures

    /// The value of a future is being computed.
    package func expect(_ name: ReferenceName) {
        state.withLock { state in
            if state.over == nil, state.entries[name] == nil { state.entries[name] = state.entry(name) }
        }
    }

    /// The value that was computed for a future; dropped if nobody holds a reference any more, or it has one.
    package func fulfil(_ name: ReferenceName, _ value: StoredValue) {
        _ = set(name, .ready(value), isExpected: true)
    }

    /// There will be no value.
    package func lose(_ name: ReferenceName, _ error: ReferenceError) {
        _ = set(name, .lost(error), isExpected: true)
    }

    /// Gives a future its value; false if it has one.
    package func put(_ name: ReferenceName, _ value: StoredValue) -> Bool {
        set(name, .ready(value), isExpected: false)
    }

    private func set(_ name: ReferenceName, _ future: Future, isExpected: Bool) -> Bool {
        let waiting = state.withLock { state -> [(asker: ReferenceAsker, wantsValue: Bool)]? in
            if state.over != nil { return isExpected ? [] : nil }
            if state.entries[name] == nil {
                // Given back by all who held it while it was computed.
                if isExpected { return [] }
                state.entries[name] = state.entry(name)
            }
            guard case .future(.waiting(let askers))? = state.entries[name]?.content else { return nil }
            state.entries[name]?.content = .future(future)
            return askers
        }
        guard let waiting else { return false }
        for (asker, wantsValue) in waiting { asker.tell(ReferenceTable.answer(future, wantsValue)) }
        return true
    }

    private static func answer(_ future: Future, _ wantsValue: Bool) -> ReferenceAnswer {
        switch future {
        case .ready(let value): wantsValue ? .value(value) : .done
        case .lost(let error): .failed(error)
        case .waiting: preconditionFailure("what waits has no answer")
        }
    }

    private func wait(_ name: ReferenceName, wantsValue: Bool, _ asker: ReferenceAsker) {
        let answer = state.withLock { state -> ReferenceAnswer? in
            if let error = state.over { return .failed(error) }
            // Nobody is left who could give it a value, or knows of it: a wait would have no end.
            if state.entries[name] == nil, state.ended.contains(name.whence) { return .failed(.gone) }
            var entry = state.entry(name)
            switch entry.content {
            case .future(.waiting(let askers)):
                entry.content = .future(.waiting(askers + [(asker, wantsValue)]))
                state.entries[name] = entry
                return nil
            case .future(let future): return ReferenceTable.answer(future, wantsValue)
            case .channel: return .failed(.unknown)
            }
        }
        if let answer { asker.tell(answer) }
    }

    private func isReady(_ name: ReferenceName) -> Bool {
        state.withLock { state in
            if case .future(.waiting)? = state.entries[name]?.content { false } else { state.entries[name] != nil }
        }
    }

    // MARK: - Channels

    /// Makes a channel; false if there is something by that name.
    func add(_ channel: any ServedChannel, _ name: ReferenceName) -> Bool {
        state.withLock { state in
            guard state.over == nil else { return false }
            var entry = state.entry(name)
            // Somebody may have been told of it, and have told this process so, before it was made.
            guard case .future(.waiting(let askers)) = entry.content, askers.isEmpty else { return false }
            entry.content = .channel(channel)
            state.entries[name] = entry
            return true
        }
    }

    /// The channel of a name.
    func channel(_ name: ReferenceName) -> (any ServedChannel)? {
        state.withLock { state in
            if case .channel(let channel)? = state.entries[name]?.content { channel } else { nil }
        }
    }

    /// Whether there is a channel by that name.
    package func hasChannel(_ name: ReferenceName) -> Bool { channel(name) != nil }

    /// A value came for which its sender was allowed a place.
    package func putAllowed(_ name: ReferenceName, _ value: StoredValue, from process: Int) {
        channel(name)?.putAllowed(value, from: process)
    }

    /// A process gives back places in a channel that it was allowed.
    package func giveBack(_ name: ReferenceName, _ places: Int, from process: Int) {
        channel(name)?.giveBack(places, from: process)
    }

    /// A value that was taken from a channel, and is not wanted any more.
    package func putBack(_ name: ReferenceName, _ value: StoredValue) { channel(name)?.putBack(value) }

    // MARK: - Asking

    /// Does what somebody asks, and answers it once, now or later.
    ///
    /// - Throws: `WireError` if what is asked can't be read; then there is no answer.
    package func serve(
        _ verb: ReferenceVerb, _ name: ReferenceName, _ input: inout WireReader, for asker: ReferenceAsker
    ) throws(WireError) {
        if let error = state.withLock({ $0.over }) { return asker.tell(.failed(error)) }
        switch verb {
        case .fetchFuture: wait(name, wantsValue: true, asker)
        case .waitFuture: wait(name, wantsValue: false, asker)
        case .isFutureReady: asker.tell(.flag(isReady(name)))
        case .putFuture: asker.tell(put(name, StoredValue(rest: &input)) ? .done : .failed(.alreadySet))
        case .makeChannel:
            let capacity: Int = try input.read()
            guard capacity >= 0 else { throw input.invalid("a capacity of \(capacity)") }
            let isAdded = add(BufferedChannel(name, capacity: capacity, owner: process), name)
            asker.tell(isAdded ? .done : .failed(ReferenceError(.refused, "there is something named \(name) already")))
        case .takeChannel:
            let limit: Int = try input.read()
            serve(verb, name, StoredValue(rest: &input), limit: limit, for: asker)
        case .putChannel, .fetchChannel, .waitChannel, .isChannelReady, .closeChannel:
            serve(verb, name, StoredValue(rest: &input), limit: 1, for: asker)
        }
    }

    private func serve(
        _ verb: ReferenceVerb, _ name: ReferenceName, _ payload: StoredValue, limit: Int, for asker: ReferenceAsker
    ) {
        guard let channel = channel(name) else { return asker.tell(.failed(.unknown)) }
        channel.serve(verb, payload, limit: limit, for: asker)
    }

    /// Somebody wants no answer any more; it is told so, if it still waits.
    package func cancel(_ name: ReferenceName, _ asker: ReferenceAsker) {
        if let channel = channel(name) { return channel.cancel(asker) }
        let waited = state.withLock { state in
            guard case .future(.waiting(var askers))? = state.entries[name]?.content else { return false }
            let before = askers.count
            askers.removeAll { $0.asker == asker }
            state.entries[name]?.content = .future(.waiting(askers))
            return askers.count < before
        }
        if waited { asker.tell(.failed(.cancelled)) }
    }

    // MARK: - Who holds what

    /// Processes hold more references, or fewer.
    package func change(_ counts: [ReferenceCount]) {
        var dropped: [Entry] = []
        var left: [(any ServedChannel, Int)] = []
        state.withLock { state in
            // More first: in one message a reference may be passed on and let go.
            for count in counts where count.change > 0 {
                ReferenceTable.change(count, &state, &dropped, &left)
            }
            for count in counts where count.change < 0 { ReferenceTable.change(count, &state, &dropped, &left) }
            ReferenceTable.shrink(&state)
        }
        // Freed outside the lock: values may hold references themselves.
        _ = consume dropped
        for (channel, process) in left { channel.leave(process) }
    }

    private static func change(
        _ count: ReferenceCount, _ state: inout State, _ dropped: inout [Entry],
        _ left: inout [(any ServedChannel, Int)]
    ) {
        guard state.over == nil, !state.ended.contains(count.process) else { return }
        var entry = state.entry(count.name)
        entry.holders.change(count.process, by: count.change)
        guard !entry.holders.isEmpty else {
            state.entries[count.name] = nil
            dropped.append(entry)
            return
        }
        state.entries[count.name] = entry
        if case .channel(let channel) = entry.content, !entry.holders.contains(count.process) {
            left.append((channel, count.process))
        }
    }

    /// A process has ended: it holds nothing, and waits for nothing.
    package func forget(_ process: Int) {
        var dropped: [Entry] = []
        var channels: [any ServedChannel] = []
        state.withLock { state in
            guard state.ended.insert(process).inserted else { return }
            for (name, var entry) in state.entries {
                entry.holders.forget(process)
                switch entry.content {
                case .channel(let channel): channels.append(channel)
                case .future(.waiting(let askers)):
                    entry.content = .future(.waiting(askers.filter { $0.asker.process != process }))
                case .future: break
                }
                state.entries[name] = entry.holders.isEmpty ? nil : entry
                if entry.holders.isEmpty { dropped.append(entry) }
            }
            ReferenceTable.shrink(&state)
        }
        _ = consume dropped
        for channel in channels { channel.forget(process) }
    }

    /// A dictionary keeps the room of the most that it ever had.
    private static func shrink(_ state: inout State) {
        if state.entries.capacity > 4096, state.entries.count < state.entries.capacity / 8 {
            state.entries = Dictionary(uniqueKeysWithValues: state.entries.map { ($0.key, $0.value) })
        }
    }

    /// All that waits is answered that the cluster is over, and whatever is asked from now on; nothing is kept.
    package func close(_ error: ReferenceError) {
        let entries = state.withLock { state in
            defer { (state.entries, state.over) = ([:], error) }
            return Array(state.entries.values)
        }
        for entry in entries {
            switch entry.content {
            case .future(.waiting(let askers)):
                for (asker, _) in askers { asker.tell(.failed(error)) }
            case .channel(let channel): channel.end(error)
            case .future: break
            }
        }
    }
}
