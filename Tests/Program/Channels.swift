import Glibc
import Muster
import Synchronization

/// Last in, first out: a channel of this program's own kind.
final class LimitedStack: AbstractChannel {
    let limit: Int
    private let values = Mutex<[Int]>([])
    private let isClosed = Mutex(false)

    init(limit: Int) { self.limit = limit }

    struct Full: Error {}

    func put(_ value: Int) async throws {
        try values.withLock { values in
            guard values.count < limit else { throw Full() }
            values.append(value)
        }
    }

    func take() async throws -> Int {
        while true {
            if let value = values.withLock({ $0.popLast() }) { return value }
            if isClosed.withLock({ $0 }) { throw CancellationError() }
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    func fetch() async throws -> Int { values.withLock { $0.last } ?? -1 }
    var isReady: Bool { get async { values.withLock { !$0.isEmpty } } }
    func close() async throws { isClosed.withLock { $0 = true } }
    var count: Int { values.withLock { $0.count } }
}

/// What producers put is their number and a count: `1_000_000 * producer + count`.
private func produce(_ count: Int, into channel: RemoteChannel<Int>) async throws {
    let base = 1_000_000 * Worker.id.rawValue
    for number in 0..<count { try await channel.put(base + number) }
}

/// All that comes until the channel is closed.
private func consume(_ channel: RemoteChannel<Int>) async throws -> [Int] {
    var values: [Int] = []
    for try await value in channel { values.append(value) }
    return values
}

/// Whether the values of each producer come in their order.
private func isInOrder(_ values: [Int]) -> Bool {
    Dictionary(grouping: values) { $0 / 1_000_000 }.values.allSatisfy { $0 == $0.sorted() }
}

let channels: [String: Program.Scenario] = [
    "channels": { arguments in
        try await withWorkers(3, arguments[0]) { cluster in
            let channel = try await cluster.remoteChannel(of: Int.self, capacity: 10, on: 2)
            for number in 0..<10 { try await channel.put(number) }
            await sayFailure("full") { try await channel.put(10, deadline: .milliseconds(50)) }
            say("first", try await channel.fetch(), try await channel.take(), try await channel.isReady)
            say("rest", try await channel.take(upTo: 100))
            say("empty", try await channel.isReady)
            await sayFailure("nothing to take") { _ = try await channel.take(deadline: .milliseconds(20)) }
            await sayFailure("nothing to see") { _ = try await channel.fetch(deadline: .milliseconds(20)) }
            await sayFailure("nothing to wait for") { try await channel.wait(deadline: .milliseconds(20)) }
            // None of those that gave up is given anything.
            let sent = try await cluster.remoteCall(on: 3, capturing: channel) { try await $0.put(7) }
            try await channel.wait()
            try await sent.fetch()
            say("arrived", try await channel.take())
            try await channel.put(8)
            try await channel.close()
            await sayFailure("closed put") { try await channel.put(1) }
            await sayFailure("closed elsewhere") {
                try await cluster.remoteCallFetch(on: 3, capturing: channel) { try await $0.put(1) }
            }
            say("left", try await channel.take())
            await sayFailure("closed take") { _ = try await channel.take() }
            say("iterated", try await consume(channel))
        }
    },
    "channel-owners": { arguments in
        try await withWorkers(2, arguments[0]) { cluster in
            for owner in [1, 2, 3] as [WorkerID] {
                let channel = try await cluster.remoteChannel(of: String.self, capacity: 2, on: owner)
                try await cluster.remoteCallFetch(on: 2, capturing: channel) { try await $0.put("of \(Worker.id)") }
                try await cluster.remoteCallFetch(on: 3, capturing: channel) { try await $0.put("of \(Worker.id)") }
                say("on \(owner)", channel.id.where, try await channel.take(), try await channel.take())
                // By its name, on its owner and nowhere else.
                let id = channel.id
                let found = try await cluster.remoteCallFetch(onEach: [1, 2, 3], capturing: id) { id in
                    do {
                        let found = try await Worker.cluster.channel(id, of: String.self)
                        try await found.put("found")
                        return true
                    } catch let error as ReferenceError where error.code == .unknown {
                        return false
                    }
                }
                say("found on \(owner)", found, try await channel.take())
            }
            // Made in a worker, on another, and given away.
            let given = try await cluster.remoteCallFetch(on: 2) {
                let channel = try await Worker.cluster.remoteChannel(of: [Int].self, capacity: 0, on: 3)
                return channel
            }
            let put = try await cluster.remoteCall(on: 2, capturing: given) { try await $0.put([1, 2]) }
            say("given", given.id.where, given.id.whence, try await given.fetch(), try await put.isReady)
            say("handed over", try await given.take())
            try await put.fetch()
            // A channel through a channel.
            let mail = try await cluster.remoteChannel(of: RemoteChannel<Int>.self, on: 3)
            let answer = try await cluster.remoteChannel(of: Int.self, on: 1)
            try await mail.put(answer)
            try await cluster.remoteDo(on: 2, capturing: mail) { try await $0.take().put(42) }
            say("answer", try await answer.take())
            // Large arrays.
            let large = try await cluster.remoteChannel(of: [Double].self, capacity: 3, on: 2)
            for factor in 1...3 { try await large.put([Double](repeating: Double(factor), count: 100_000)) }
            let sums = try await cluster.remoteCallFetch(on: 3, capturing: large) { large in
                try await large.take(upTo: 3).map { $0.reduce(0, +) }
            }
            say("large", sums)
        }
    },
    "producers": { arguments in
        let count = 1500
        try await withWorkers(3, arguments[0]) { cluster in
            for (owner, capacity) in [(2, 16), (4, 0), (1, 1000)] as [(WorkerID, Int)] {
                let channel = try await cluster.remoteChannel(of: Int.self, capacity: capacity, on: owner)
                var takers: [Future<[Int]>] = []
                for process in [3, 4, 1] as [WorkerID] {
                    takers.append(
                        try await cluster.remoteCall(on: process, capturing: channel) { try await consume($0) })
                }
                try await cluster.remoteCallFetch(onEach: [1, 2, 3, 4], capturing: channel, count) { channel, count in
                    try await produce(count, into: channel)
                }
                try await channel.close()
                var all: [Int] = []
                var isOrderly = true
                for taker in takers {
                    let values = try await taker.fetch()
                    isOrderly = isOrderly && isInOrder(values)
                    all += values
                }
                let expected = (1...4).flatMap { producer in (0..<count).map { 1_000_000 * producer + $0 } }
                say("on \(owner)", all.count, all.sorted() == expected, isOrderly)
            }
        }
    },
    "cancelled-takes": { arguments in
        let count = 600
        try await withWorkers(2, arguments[0]) { cluster in
            let channel = try await cluster.remoteChannel(of: Int.self, capacity: 20, on: 2)
            let producers = try await cluster.remoteCall(on: 3, capturing: channel, count) { channel, count in
                for number in 0..<count { try await channel.put(number) }
            }
            let others = try await cluster.remoteCall(on: 3, capturing: channel) { try await takeAndCancel(400, $0) }
            var taken = try await takeAndCancel(400, channel)
            taken += try await others.fetch()
            let before = taken.count
            while taken.count < count { taken += try await channel.take(upTo: 50, deadline: .seconds(20)) }
            try await producers.fetch()
            say("taken", taken.sorted() == Array(0..<count), "before the end", before < count)
            say("nothing left", try await !channel.isReady)
        }
    },
    "consumer-killed": { arguments in
        try await withWorkers(3, arguments[0]) { cluster in
            for owner in [1, 2] as [WorkerID] {
                let channel = try await cluster.remoteChannel(of: Int.self, capacity: 16, on: owner)
                let victim = try await cluster.remoteCallFetch(on: cluster.workers.last ?? 4) {
                    (Worker.id, processID())
                }
                let told = try await cluster.remoteChannel(of: Bool.self, on: 1)
                // It has places in advance, and waits for a value.
                let call = try await cluster.remoteCall(on: victim.0, capturing: channel, told) { channel, told in
                    try await channel.put(1)
                    _ = try await channel.take()
                    let waiting = Task.immediate { try await channel.take() }
                    try await told.put(true)
                    return try await waiting.value
                }
                _ = try await told.take()
                kill(pid_t(victim.1), SIGKILL)
                await sayFailure("killed") { try await call.fetch() }
                let isReady = try await channel.isReady
                for number in 0..<16 { try await channel.put(number, deadline: .seconds(20)) }
                await sayFailure("full") { try await channel.put(16, deadline: .milliseconds(50)) }
                say("on \(owner)", isReady, try await channel.take(upTo: 100))
            }
        }
    },
    "own-channel": { arguments in
        try await withWorkers(2, arguments[0]) { cluster in
            let stack = try await cluster.remoteChannel(on: 2, capturing: 3) { limit in LimitedStack(limit: limit) }
            for number in 1...3 { try await stack.put(number) }
            await sayFailure("full") { try await stack.put(4) }
            say("last", try await stack.fetch(), try await stack.take(), try await stack.isReady)
            let elsewhere = try await cluster.remoteCallFetch(on: 3, capturing: stack) { stack in
                try await stack.put(9)
                return [try await stack.take(), try await stack.take(), try await stack.take()]
            }
            say("elsewhere", elsewhere, try await stack.isReady)
            let waiting = try await cluster.remoteCall(on: 3, capturing: stack) { try await $0.take() }
            await sayFailure("in vain") { _ = try await stack.take(deadline: .milliseconds(30)) }
            try await stack.put(5)
            say("waited", try await waiting.fetch())
            try await stack.put(6)
            let (id, other) = (stack.id, try await cluster.remoteChannel(of: Int.self, on: 2))
            let count = try await cluster.remoteCallFetch(on: 2, capturing: id) { id in
                try await Worker.cluster.channel(id, as: LimitedStack.self).count
            }
            say("found", count)
            await sayFailure("not here") { _ = try cluster.channel(id, as: LimitedStack.self) }
            await sayFailure("another kind") {
                try await cluster.remoteCallFetch(on: 2, capturing: other.id) { id in
                    _ = try await Worker.cluster.channel(id, as: LimitedStack.self)
                }
            }
            try await stack.close()
            _ = try await stack.take()
            await sayFailure("closed") { _ = try await stack.take() }
            await sayFailure("not made") {
                _ = try await cluster.remoteChannel(on: 3) { () throws -> LimitedStack in throw LimitedStack.Full() }
            }
        }
    },
]

/// Takes again and again, and gives up at once half of the time; what was taken all the same.
private func takeAndCancel(_ count: Int, _ channel: RemoteChannel<Int>) async throws -> [Int] {
    var taken: [Int] = []
    for number in 0..<count {
        let task = Task.immediate { try await channel.take(deadline: .seconds(20)) }
        if number % 3 == 1 { await Task.yield() }
        task.cancel()
        do {
            taken.append(try await task.value)
        } catch is CancellationError {
            continue
        }
    }
    return taken
}
