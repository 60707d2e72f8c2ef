import Wire

/// A channel as its owner has it: values in their order, and who waits to put or take. A value: event in, actions out.
///
/// A process that puts much is allowed some values in advance: places that are set aside for it, so that it need not ask for each.
/// They count as taken, so that never more than `capacity` values are accepted and not taken out. Where somebody has to wait for a place,
/// what was set aside and not used is asked back.
package struct ChannelState<Asker: Hashable & Sendable>: Sendable {
    /// What is to be done.
    package enum Action: Sendable {
        /// The value of a put is in the channel.
        case stored(Asker)
        case give(Asker, [StoredValue])
        /// What ``ChannelState/wait(_:)`` waited for is there.
        case ready(Asker)
        case closed(Asker)
        /// A process may put so many more without asking; 0: it is to give back what it has not used.
        case allow(process: Int, count: Int)
    }

    private enum Wish: Sendable {
        case take(limit: Int)
        case look
        case wait
    }

    private struct Taker: Sendable {
        let asker: Asker
        let wish: Wish
    }

    private struct Putter: Sendable {
        let asker: Asker
        let process: Int
        let value: StoredValue
    }

    private let capacity: Int
    /// The process that has the channel: it needs nothing in advance.
    private let owner: Int
    private var values = Queue<StoredValue>()
    private var count = 0
    private var takers: [Taker] = []
    private var putters: [Putter] = []
    /// Places set aside, by process.
    private var allowed: [Int: Int] = [:]
    private var allowedSum = 0
    /// Processes that were asked to give back.
    private var recalled: Set<Int> = []
    /// Who has put last, though it did not have the channel.
    private var lastPutter: Int?
    private(set) var isClosed = false

    /// Most places that are set aside for one process.
    private static var largestAllowance: Int { 512 }

    package init(capacity: Int, owner: Int) {
        precondition(capacity >= 0, "a channel has no negative capacity")
        self.capacity = capacity
        self.owner = owner
    }

    /// Whether there is something to take.
    package var isReady: Bool { first != nil }

    /// What the next take is given: where the channel has no room, the value of who waits to put one.
    private var first: StoredValue? { values.first ?? (isClosed ? nil : putters.first?.value) }

    private var free: Int { capacity - count - allowedSum }

    // MARK: - Events

    /// A process wants to put a value.
    package mutating func put(_ value: StoredValue, from process: Int, _ asker: Asker) -> [Action] {
        guard !isClosed else { return [.closed(asker)] }
        putters.append(Putter(asker: asker, process: process, value: value))
        return settle(allowing: process)
    }

    /// A process puts a value for which it was allowed a place.
    package mutating func putAllowed(_ value: StoredValue, from process: Int) -> [Action] {
        // A process that has none is one that breaks the rules; its value is not lost for that.
        use(1, of: process)
        values.append(value)
        count += 1
        return settle(allowing: process)
    }

    /// A process gives back places that it was allowed. Where it was asked to, it has none any more: those that it does not give back
    /// it has used, and the values have come before.
    package mutating func giveBack(_ places: Int, from process: Int) -> [Action] {
        use(recalled.remove(process) == nil ? places : .max, of: process)
        return settle()
    }

    /// A value that was given, and whose taker did not want it any more, is the first again.
    package mutating func putBack(_ value: StoredValue) -> [Action] {
        var rest = values
        values = Queue()
        values.append(value)
        while let next = rest.takeFirst() { values.append(next) }
        count += 1
        return settle()
    }

    /// Somebody wants values: what there is, up to a limit, and at least one.
    package mutating func take(atMost limit: Int, _ asker: Asker) -> [Action] {
        takers.append(Taker(asker: asker, wish: .take(limit: max(limit, 1))))
        // Whoever found the channel full is told when there is much place again.
        return settle(allowing: free >= capacity / 2 ? lastPutter : nil)
    }

    /// Somebody wants to see the first value.
    package mutating func look(_ asker: Asker) -> [Action] {
        takers.append(Taker(asker: asker, wish: .look))
        return settle()
    }

    /// Somebody waits until there is a value.
    package mutating func wait(_ asker: Asker) -> [Action] {
        takers.append(Taker(asker: asker, wish: .wait))
        return settle()
    }

    /// No more values are accepted; those that are there can be taken.
    package mutating func close() -> [Action] {
        isClosed = true
        return settle()
    }

    /// Somebody wants nothing any more. Returns whether it still waited.
    package mutating func cancel(_ asker: Asker) -> Bool {
        let before = takers.count + putters.count
        takers.removeAll { $0.asker == asker }
        putters.removeAll { $0.asker == asker }
        return takers.count + putters.count < before
    }

    /// The channel's process has nothing more to do with others: whoever waits is to be told.
    package mutating func end() -> [Asker] {
        isClosed = true
        defer { (takers, putters) = ([], []) }
        return takers.map(\.asker) + putters.map(\.asker)
    }

    /// A process has no reference to the channel any more: what it was allowed is asked back.
    ///
    /// Whoever waits there goes on waiting: who waits has a reference, of which the owner may not have heard yet.
    package mutating func leave(_ process: Int) -> [Action] {
        if lastPutter == process { lastPutter = nil }
        guard allowed[process] != nil, recalled.insert(process).inserted else { return [] }
        return [.allow(process: process, count: 0)]
    }

    /// A process has ended; its values stay.
    package mutating func forget(_ process: Int, askers isIts: (Asker) -> Bool) -> [Action] {
        takers.removeAll { isIts($0.asker) }
        putters.removeAll { isIts($0.asker) }
        recalled.remove(process)
        if lastPutter == process { lastPutter = nil }
        use(.max, of: process)
        return settle()
    }

    private mutating func use(_ places: Int, of process: Int) {
        guard let known = allowed[process], places > 0 else { return }
        let used = min(known, places)
        allowed[process] = known == used ? nil : known - used
        allowedSum -= used
    }

    // MARK: - Settling

    /// Does all that can be done now.
    ///
    /// - Parameter process: Has just put, and may be allowed more.
    private mutating func settle(allowing process: Int? = nil) -> [Action] {
        var actions: [Action] = []
        while serve(&actions) || accept(&actions) {}
        if isClosed { end(&actions) }
        if isClosed || !putters.isEmpty { recall(&actions) }
        if let process, process != owner {
            lastPutter = process
            allow(process, &actions)
        }
        return actions
    }

    /// Gives the first value to the first taker; false if one of them is missing, or the value is still to be accepted.
    private mutating func serve(_ actions: inout [Action]) -> Bool {
        guard let taker = takers.first, let value = first else { return false }
        if case .take = taker.wish, count == 0 { return false }
        takers.removeFirst()
        switch taker.wish {
        case .wait: actions.append(.ready(taker.asker))
        case .look: actions.append(.give(taker.asker, [value]))
        case .take(let limit):
            var given: [StoredValue] = []
            while given.count < limit, let value = values.takeFirst() { given.append(value) }
            count -= given.count
            actions.append(.give(taker.asker, given))
        }
        return true
    }

    /// Takes in the value of the first who waits with one, if there is a place, or somebody to give it to.
    private mutating func accept(_ actions: inout [Action]) -> Bool {
        guard let putter = putters.first, !isClosed, free > 0 || count == 0 && !takers.isEmpty else { return false }
        putters.removeFirst()
        values.append(putter.value)
        count += 1
        actions.append(.stored(putter.asker))
        return true
    }

    private mutating func end(_ actions: inout [Action]) {
        actions += putters.map { .closed($0.asker) }
        putters = []
        // What was allowed is still on its way.
        guard count == 0, allowedSum == 0 else { return }
        actions += takers.map { .closed($0.asker) }
        takers = []
    }

    private mutating func recall(_ actions: inout [Action]) {
        for process in allowed.keys.sorted() where recalled.insert(process).inserted {
            actions.append(.allow(process: process, count: 0))
        }
    }

    private mutating func allow(_ process: Int, _ actions: inout [Action]) {
        guard !isClosed, putters.isEmpty, !recalled.contains(process) else { return }
        let wanted = min(free / 2, ChannelState.largestAllowance)
        let has = allowed[process] ?? 0
        guard wanted > 0, has <= wanted / 2 else { return }
        allowed[process] = has + wanted
        allowedSum += wanted
        // First: who is told that its value is in knows then that more may follow.
        actions.insert(.allow(process: process, count: wanted), at: 0)
    }
}
