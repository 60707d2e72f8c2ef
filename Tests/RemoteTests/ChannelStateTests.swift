import Testing
import Wire

@testable import Remote

/// What can happen to a channel; values are numbers.
private enum Event: Sendable {
    case put(Int, from: Int, Int)
    case putAllowed(Int, from: Int)
    case giveBack(Int, from: Int)
    case putBack(Int)
    case take(Int, limit: Int = 1)
    case look(Int)
    case wait(Int)
    case leave(Int)
    case forget(Int, askers: Set<Int> = [])
    case cancel(Int)
    case close
}

/// What comes of it, as it is compared.
private enum Outcome: Equatable, Sendable {
    case stored(Int)
    case give(Int, [Int])
    case ready(Int)
    case closed(Int)
    case allow(process: Int, Int)
}

private func stored(_ number: Int) -> StoredValue {
    StoredValue(
        (0..<8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }, blocks: [], attachments: WireAttachments())
}

private func number(_ value: StoredValue) -> Int {
    value.bytes.enumerated().reduce(0) { $0 | Int($1.element) << ($1.offset * 8) }
}

private func outcomes(_ actions: [ChannelState<Int>.Action]) -> [Outcome] {
    actions.map { action in
        switch action {
        case .stored(let asker): .stored(asker)
        case .give(let asker, let values): .give(asker, values.map(number))
        case .ready(let asker): .ready(asker)
        case .closed(let asker): .closed(asker)
        case .allow(let process, let count): .allow(process: process, count)
        }
    }
}

extension ChannelState where Asker == Int {
    fileprivate mutating func apply(_ event: Event) -> [Outcome] {
        switch event {
        case .put(let value, let process, let asker): return outcomes(put(stored(value), from: process, asker))
        case .putAllowed(let value, let process): return outcomes(putAllowed(stored(value), from: process))
        case .giveBack(let places, let process): return outcomes(giveBack(places, from: process))
        case .putBack(let value): return outcomes(putBack(stored(value)))
        case .take(let asker, let limit): return outcomes(take(atMost: limit, asker))
        case .look(let asker): return outcomes(look(asker))
        case .wait(let asker): return outcomes(wait(asker))
        case .leave(let process): return outcomes(leave(process))
        case .forget(let process, let askers): return outcomes(forget(process) { askers.contains($0) })
        case .cancel(let asker):
            _ = cancel(asker)
            return []
        case .close: return outcomes(close())
        }
    }
}

private struct Story: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let capacity: Int
    let steps: [(Event, [Outcome])]

    init(_ name: String, capacity: Int, _ steps: [(Event, [Outcome])]) {
        (testDescription, self.capacity, self.steps) = (name, capacity, steps)
    }
}

/// Process 1 has the channel.
private let stories: [Story] = [
    Story(
        "a value is put, and taken", capacity: 3,
        [(.put(10, from: 1, 1), [.stored(1)]), (.take(2), [.give(2, [10])])]),
    Story(
        "who takes first is given first", capacity: 3,
        [
            (.take(1), []), (.take(2), []), (.put(7, from: 1, 3), [.stored(3), .give(1, [7])]),
            (.put(8, from: 1, 4), [.stored(4), .give(2, [8])]),
        ]),
    Story(
        "who finds it full waits for a place, in turn", capacity: 1,
        [
            (.put(1, from: 1, 1), [.stored(1)]), (.put(2, from: 1, 2), []), (.put(3, from: 1, 3), []),
            (.take(4), [.give(4, [1]), .stored(2)]), (.take(5), [.give(5, [2]), .stored(3)]),
        ]),
    Story(
        "with no capacity, a put waits for its take", capacity: 0,
        [
            (.put(1, from: 1, 1), []), (.put(2, from: 2, 2), []), (.take(3), [.stored(1), .give(3, [1])]),
            (.take(4), [.stored(2), .give(4, [2])]), (.take(5), []),
            (.put(3, from: 1, 6), [.stored(6), .give(5, [3])]),
        ]),
    Story(
        "with no capacity, who looks or waits leaves the put waiting", capacity: 0,
        [
            (.wait(1), []), (.look(2), []), (.put(9, from: 1, 3), [.ready(1), .give(2, [9])]),
            (.look(4), [.give(4, [9])]),
            (.take(5), [.stored(3), .give(5, [9])]), (.look(6), []),
        ]),
    Story(
        "several are taken at once, as many as there are", capacity: 3,
        [
            (.put(1, from: 1, 1), [.stored(1)]), (.put(2, from: 1, 2), [.stored(2)]),
            (.put(3, from: 1, 3), [.stored(3)]), (.put(4, from: 1, 4), []),
            (.take(5, limit: 2), [.give(5, [1, 2]), .stored(4)]), (.take(6, limit: 100), [.give(6, [3, 4])]),
            (.take(7, limit: 0), []), (.put(5, from: 1, 8), [.stored(8), .give(7, [5])]),
        ]),
    Story(
        "who looks or waits leaves the value for who takes", capacity: 2,
        [
            (.wait(1), []), (.look(2), []), (.take(3), []),
            (.put(5, from: 1, 4), [.ready(1), .give(2, [5]), .stored(4), .give(3, [5])]),
        ]),
    Story(
        "a value that comes back is the first again", capacity: 2,
        [
            (.put(1, from: 1, 1), [.stored(1)]), (.put(2, from: 1, 2), [.stored(2)]), (.take(3), [.give(3, [1])]),
            (.putBack(1), []), (.take(4, limit: 5), [.give(4, [1, 2])]), (.take(5), []),
            (.putBack(2), [.give(5, [2])]),
        ]),
    Story(
        "who cancels is given nothing", capacity: 1,
        [
            (.take(1), []), (.cancel(1), []), (.put(1, from: 1, 2), [.stored(2)]), (.put(2, from: 1, 3), []),
            (.cancel(3), []), (.take(4), [.give(4, [1])]), (.take(5), []),
        ]),
    Story(
        "a closed channel gives what it has, and takes nothing", capacity: 1,
        [
            (.put(1, from: 1, 1), [.stored(1)]), (.put(2, from: 1, 2), []), (.close, [.closed(2)]),
            (.put(3, from: 1, 3), [.closed(3)]), (.look(4), [.give(4, [1])]), (.take(5), [.give(5, [1])]),
            (.take(6), [.closed(6)]), (.wait(7), [.closed(7)]), (.look(8), [.closed(8)]), (.close, []),
        ]),
    Story("whoever waits for a value learns that none comes", capacity: 1, [(.take(1), []), (.close, [.closed(1)])]),
    Story(
        "another process is allowed half of what is free, and more when it has used half of that", capacity: 10,
        [
            (.put(0, from: 2, 1), [.allow(process: 2, 4), .stored(1)]), (.putAllowed(1, from: 2), []),
            (.putAllowed(2, from: 2), []), (.putAllowed(3, from: 2), [.allow(process: 2, 2)]),
            (.take(2, limit: 9), [.give(2, [0, 1, 2, 3])]),
        ]),
    Story(
        "what is allowed to one and needed by another is asked back, once", capacity: 4,
        [
            (.put(0, from: 2, 1), [.allow(process: 2, 1), .stored(1)]), (.put(1, from: 3, 2), [.stored(2)]),
            (.put(2, from: 3, 3), [.stored(3)]), (.put(3, from: 3, 4), [.allow(process: 2, 0)]),
            (.put(4, from: 3, 5), []), (.giveBack(1, from: 2), [.stored(4)]), (.take(6), [.give(6, [0]), .stored(5)]),
        ]),
    Story(
        "a place that was asked back and is used comes as a value", capacity: 4,
        [
            (.put(0, from: 2, 1), [.allow(process: 2, 1), .stored(1)]), (.put(1, from: 3, 2), [.stored(2)]),
            (.put(2, from: 3, 3), [.stored(3)]), (.put(3, from: 3, 4), [.allow(process: 2, 0)]),
            (.putAllowed(9, from: 2), []), (.giveBack(0, from: 2), []),
            (.take(5, limit: 4), [.give(5, [0, 1, 2, 9]), .stored(4)]),
        ]),
    Story(
        "closing waits for what is allowed: it may be on its way", capacity: 4,
        [
            (.put(0, from: 2, 1), [.allow(process: 2, 1), .stored(1)]), (.take(2), [.give(2, [0])]),
            (.close, [.allow(process: 2, 0)]), (.take(3), []), (.putAllowed(1, from: 2), [.give(3, [1])]),
            (.giveBack(0, from: 2), []), (.take(4), [.closed(4)]),
        ]),
    Story(
        "whoever waits when it is closed is told when what was allowed is given back", capacity: 4,
        [
            (.put(0, from: 2, 1), [.allow(process: 2, 1), .stored(1)]), (.take(2), [.give(2, [0])]),
            (.close, [.allow(process: 2, 0)]), (.take(3), []), (.giveBack(1, from: 2), [.closed(3)]),
        ]),
    Story(
        "a process that has ended waits for nothing, and what it was allowed is free; its values stay", capacity: 4,
        [
            (.put(0, from: 2, 1), [.allow(process: 2, 1), .stored(1)]), (.put(1, from: 3, 2), [.stored(2)]),
            (.put(2, from: 3, 3), [.stored(3)]), (.put(3, from: 3, 4), [.allow(process: 2, 0)]),
            (.forget(2), [.stored(4)]), (.put(5, from: 4, 5), []), (.forget(4, askers: [5]), []),
            (.take(6, limit: 9), [.give(6, [0, 1, 2, 3])]), (.take(7), []), (.forget(5, askers: [7]), []),
            (.put(6, from: 1, 8), [.stored(8)]),
        ]),
    Story(
        "a process that refers to it no more gives back what it was allowed, and whoever waits there goes on waiting",
        capacity: 4,
        [
            (.put(0, from: 2, 1), [.allow(process: 2, 1), .stored(1)]), (.take(2), [.give(2, [0])]), (.take(3), []),
            (.leave(2), [.allow(process: 2, 0)]), (.leave(2), []), (.leave(7), []), (.giveBack(0, from: 2), []),
            (.put(1, from: 1, 4), [.stored(4), .give(3, [1])]),
        ]),
    Story(
        "who puts though it was allowed nothing loses no value by that", capacity: 1,
        [
            (.putAllowed(1, from: 9), []), (.putAllowed(2, from: 9), []), (.giveBack(-5, from: 9), []),
            (.giveBack(5, from: 9), []), (.put(3, from: 1, 1), []), (.take(2), [.give(2, [1])]),
            (.take(3), [.give(3, [2]), .stored(1)]),
        ]),
]

/// Deterministic numbers (SplitMix64).
struct SeededNumbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
        bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
        return bits ^ (bits >> 31)
    }
}

/// A channel with processes that use it over links, on which messages are late, and what it must come to: a plain list.
private struct Model {
    enum Told {
        case allow(Int)
        case answer(Outcome)
    }

    struct Process {
        var sent: [Event] = []
        var told: [Told] = []
        var places = 0
    }

    let capacity: Int
    let mayCancel: Bool
    var state: ChannelState<Int>
    var processes = [Process](repeating: Process(), count: 4)
    /// What is in it, in order.
    var list: [Int] = []
    /// Askers that are not answered: what they put; nil if they take or look.
    var open: [Int: Int?] = [:]
    /// The process of an asker.
    var origin: [Int: Int] = [:]
    var lookers: Set<Int> = []
    var cancelled: Set<Int> = []
    var nextValue = 0
    var nextAsker = 0
    var accepted = 0
    var taken: [Int] = []

    init(capacity: Int, mayCancel: Bool) {
        (self.capacity, self.mayCancel) = (capacity, mayCancel)
        state = ChannelState(capacity: capacity, owner: 0)
    }

    mutating func ask(_ process: Int, _ value: Int?, _ event: (Int) -> Event) {
        defer { nextAsker += 1 }
        open[nextAsker] = .some(value)
        origin[nextAsker] = process
        processes[process].sent.append(event(nextAsker))
    }

    mutating func put(_ process: Int) {
        defer { nextValue += 1 }
        guard processes[process].places == 0 else {
            processes[process].places -= 1
            processes[process].sent.append(.putAllowed(nextValue, from: process))
            return
        }
        let value = nextValue
        ask(process, value) { .put(value, from: process, $0) }
    }

    /// The owner takes the next message of a process.
    mutating func deliver(from process: Int) {
        guard !processes[process].sent.isEmpty else { return }
        let event = processes[process].sent.removeFirst()
        if case .putAllowed(let value, _) = event { accept(value) }
        if case .putBack(let value) = event { list.insert(value, at: 0) }
        if case .cancel(let asker) = event {
            if state.cancel(asker) { open[asker] = nil }
            return
        }
        apply(event)
    }

    mutating func apply(_ event: Event) {
        for outcome in state.apply(event) {
            switch outcome {
            case .allow(let process, let count): processes[process].told.append(.allow(count))
            case .stored(let asker):
                if let value = open[asker] ?? nil { accept(value) }
                answer(asker, outcome)
            case .give(let asker, let values):
                if lookers.contains(asker) {
                    #expect(values.count == 1 && (list.first == nil || list.first == values.first))
                } else {
                    #expect(Array(list.prefix(values.count)) == values, "in order, each once")
                    list.removeFirst(min(values.count, list.count))
                }
                answer(asker, outcome)
            case .ready(let asker), .closed(let asker): answer(asker, outcome)
            }
        }
        if !mayCancel { #expect(list.count <= capacity, "never more than it holds") }
    }

    mutating func accept(_ value: Int) {
        list.append(value)
        accepted += 1
    }

    mutating func answer(_ asker: Int, _ outcome: Outcome) {
        #expect(open.removeValue(forKey: asker) != nil, "answered once")
        if let process = origin[asker] { processes[process].told.append(.answer(outcome)) }
    }

    /// A process takes the next message of the owner.
    mutating func hear(_ process: Int) {
        guard !processes[process].told.isEmpty else { return }
        switch processes[process].told.removeFirst() {
        case .allow(0):
            processes[process].sent.append(.giveBack(processes[process].places, from: process))
            processes[process].places = 0
        case .allow(let count): processes[process].places += count
        case .answer(.give(let asker, let values)) where !lookers.contains(asker):
            guard cancelled.contains(asker) else { return taken += values }
            for value in values.reversed() { processes[process].sent.append(.putBack(value)) }
        case .answer: break
        }
    }

    mutating func settle() {
        while processes.contains(where: { !$0.sent.isEmpty || !$0.told.isEmpty }) {
            for process in processes.indices {
                while !processes[process].sent.isEmpty { deliver(from: process) }
                while !processes[process].told.isEmpty { hear(process) }
            }
        }
    }

    mutating func step(_ numbers: inout SeededNumbers) {
        let process = Int.random(in: processes.indices, using: &numbers)
        switch Int.random(in: 0..<20, using: &numbers) {
        case 0..<5: put(process)
        case 5..<8:
            let limit = Int.random(in: 1...4, using: &numbers)
            ask(process, nil) { .take($0, limit: limit) }
        case 8:
            lookers.insert(nextAsker)
            ask(process, nil) { .look($0) }
        case 9: ask(process, nil) { .wait($0) }
        case 10:
            guard mayCancel, let asker = open.keys.sorted().randomElement(using: &numbers),
                case .some(.none) = open[asker],
                let process = origin[asker], cancelled.insert(asker).inserted
            else { return }
            processes[process].sent.append(.cancel(asker))
        case 11..<16: deliver(from: process)
        default: hear(process)
        }
    }
}

@Suite("ChannelState")
struct ChannelStateTests {
    @Test("every event has its actions", arguments: stories)
    fileprivate func story(_ story: Story) {
        var state = ChannelState<Int>(capacity: story.capacity, owner: 1)
        for (index, (event, expected)) in story.steps.enumerated() {
            #expect(state.apply(event) == expected, "step \(index): \(event)")
        }
    }

    @Test("it is ready while there is something to take, be it that somebody waits with it")
    func readiness() {
        var buffered = ChannelState<Int>(capacity: 1, owner: 1)
        #expect(!buffered.isReady)
        _ = buffered.apply(.put(1, from: 1, 1))
        #expect(buffered.isReady)
        _ = buffered.apply(.take(2))
        #expect(!buffered.isReady)
        var unbuffered = ChannelState<Int>(capacity: 0, owner: 1)
        _ = unbuffered.apply(.put(1, from: 1, 1))
        #expect(unbuffered.isReady)
        _ = unbuffered.apply(.take(2))
        #expect(!unbuffered.isReady)
    }

    @Test("whoever waits when its process ends is named")
    func end() {
        var taken = ChannelState<Int>(capacity: 1, owner: 1)
        for asker in 1...3 { _ = taken.apply(.take(asker)) }
        #expect(taken.end() == [1, 2, 3] && taken.end().isEmpty && taken.apply(.put(1, from: 1, 4)) == [.closed(4)])
        var full = ChannelState<Int>(capacity: 0, owner: 1)
        _ = full.apply(.put(1, from: 1, 7))
        #expect(full.end() == [7])
    }

    /// Seeds and capacities; without cancelled takes the capacity is held to the value.
    @Test(
        "in whatever order things happen, values are taken in order and once, never too many are in it, nobody waits in vain",
        arguments: [0, 1, 2, 7, 64, 2000], [false, true])
    func random(capacity: Int, mayCancel: Bool) {
        for seed in 0..<40 as Range<UInt64> {
            var numbers = SeededNumbers(state: seed &* 7919 &+ UInt64(capacity))
            var model = Model(capacity: capacity, mayCancel: mayCancel)
            for _ in 0..<400 { model.step(&numbers) }
            model.settle()
            let putters = model.open.values.filter { $0 != nil }.count
            let takers = model.open.count - putters
            if takers > 0 { #expect(model.list.isEmpty && putters == 0, "seed \(seed)") }
            if putters > 0 { #expect(model.list.count >= capacity, "seed \(seed)") }
            // All that is left is given; then it is closed, and all are answered.
            while !model.list.isEmpty || model.open.values.contains(where: { $0 != nil }) {
                model.ask(0, nil) { .take($0, limit: 100) }
                model.settle()
            }
            model.apply(.close)
            model.settle()
            #expect(model.open.isEmpty && model.list.isEmpty, "seed \(seed)")
            #expect(model.taken.count == model.accepted && Set(model.taken).count == model.accepted, "seed \(seed)")
        }
    }
}
