import Synchronization
import Testing
import Wire

@testable import Remote

/// What was answered, in the order in which it came.
private final class Answers: Sendable {
    private let list = Mutex<[String]>([])

    var all: [String] { list.withLock { $0 } }

    func asker(_ process: Int) -> ReferenceAsker {
        ReferenceAsker(process: process, call: 0) { answer in
            let text =
                switch answer {
                case .done: "done"
                case .flag(let flag): "\(flag)"
                case .value(let value): "value \(value.bytes)"
                case .values(let values): "values \(values.map(\.bytes))"
                case .failed(let error): "failed \(error)"
                }
            self.list.withLock { $0.append(text) }
        }
    }
}

private let bytes: [UInt8] = [1, 2, 3]
private let value = StoredValue(bytes, blocks: [], attachments: WireAttachments())

extension ReferenceTable {
    fileprivate func serve(
        _ verb: ReferenceVerb, _ name: ReferenceName, for asker: ReferenceAsker, _ input: [UInt8] = []
    ) throws {
        var reader = WireReader(input.span)
        try serve(verb, name, &reader, for: asker)
    }

    fileprivate func change(_ name: ReferenceName, _ changes: (Int, Int)...) {
        change(changes.map { ReferenceCount(name, process: $0.0, change: $0.1) })
    }
}

/// Process 1 has the table.
@Suite("ReferenceTable")
struct ReferenceTableTests {
    private let table = ReferenceTable(of: 1)
    private let answers = Answers()
    private let name = ReferenceName(whence: 2, number: 7)

    @Test("whoever waits for a future is answered when it has its value, and whoever comes later at once")
    func futures() throws {
        table.expect(name)
        try table.serve(.fetchFuture, name, for: answers.asker(2))
        try table.serve(.waitFuture, name, for: answers.asker(3))
        try table.serve(.isFutureReady, name, for: answers.asker(3))
        #expect(answers.all == ["false"])
        table.fulfil(name, value)
        try table.serve(.fetchFuture, name, for: answers.asker(4))
        try table.serve(.waitFuture, name, for: answers.asker(4))
        try table.serve(.isFutureReady, name, for: answers.asker(4))
        #expect(
            answers.all == ["false", "value [1, 2, 3]", "done", "value [1, 2, 3]", "done", "true"] && table.count == 1)
    }

    @Test("a future is given its value once, by whoever comes first")
    func once() throws {
        try table.serve(.putFuture, name, for: answers.asker(2), bytes)
        try table.serve(.putFuture, name, for: answers.asker(3), [9])
        table.fulfil(name, StoredValue([9], blocks: [], attachments: WireAttachments()))
        table.lose(name, .closed)
        try table.serve(.fetchFuture, name, for: answers.asker(3))
        #expect(answers.all == ["done", "failed \(ReferenceError.alreadySet)", "value [1, 2, 3]"])
    }

    @Test("why there will be no value is what everyone is told")
    func lost() throws {
        try table.serve(.fetchFuture, name, for: answers.asker(2))
        table.lose(name, .cancelled)
        try table.serve(.waitFuture, name, for: answers.asker(3))
        #expect(answers.all == ["failed \(ReferenceError.cancelled)", "failed \(ReferenceError.cancelled)"])
    }

    @Test("a value that nobody refers to any more when it is there is dropped")
    func dropped() {
        table.expect(name)
        table.change(name, (2, -1))
        #expect(table.count == 0)
        table.fulfil(name, value)
        #expect(table.count == 0)
    }

    @Test("who wants no answer any more is told so, once")
    func cancelled() throws {
        let asker = answers.asker(2)
        try table.serve(.fetchFuture, name, for: asker)
        table.cancel(name, asker)
        table.cancel(name, asker)
        table.fulfil(name, value)
        #expect(answers.all == ["failed \(ReferenceError.cancelled)"])
    }

    @Test("a name is that of one thing")
    func names() throws {
        let capacity = try 1.wireBytes()
        try table.serve(.makeChannel, name, for: answers.asker(2), capacity)
        try table.serve(.makeChannel, name, for: answers.asker(2), capacity)
        try table.serve(.fetchFuture, name, for: answers.asker(2))
        try table.serve(.putFuture, name, for: answers.asker(2), bytes)
        try table.serve(.takeChannel, ReferenceName(whence: 2, number: 8), for: answers.asker(2), capacity)
        #expect(table.hasChannel(name) && answers.all.count == 5)
        #expect(answers.all[0] == "done" && answers.all[1].contains("already"))
        #expect(answers.all[2] == "failed \(ReferenceError.unknown)" && answers.all[4] == answers.all[2])
        #expect(throws: WireError.self) {
            try table.serve(.makeChannel, name, for: answers.asker(2), try (-1).wireBytes())
        }
        #expect(throws: WireError.self) { try table.serve(.takeChannel, name, for: answers.asker(2), [1]) }
    }

    @Test("a reference that is passed on is one until all have let go, in whatever order the counts come")
    func passing() {
        for seed in 0..<200 as Range<UInt64> {
            var numbers = SeededNumbers(state: seed)
            let table = ReferenceTable(of: 1)
            table.expect(name)
            table.fulfil(name, value)
            // How many references each has, and what it has said that has not arrived: over one link, in order.
            var held = [2: 1]
            var said: [Int: [ReferenceCount]] = [:]
            var steps = 60
            while !held.isEmpty || said.values.contains(where: { !$0.isEmpty }) {
                steps -= 1
                let process = Int.random(in: 1...5, using: &numbers)
                switch Int.random(in: 0..<4, using: &numbers) {
                case 0 where held[process] != nil && steps > 0:
                    let other = Int.random(in: 1...5, using: &numbers)
                    said[process, default: []].append(ReferenceCount(name, process: other, change: 1))
                    held[other, default: 0] += 1
                case 1 where held[process] != nil:
                    said[process, default: []].append(ReferenceCount(name, process: process, change: -1))
                    held[process] = held[process] == 1 ? nil : held[process].map { $0 - 1 }
                case 2:
                    guard let waiting = said[process], !waiting.isEmpty else { continue }
                    let count = Int.random(in: 1...waiting.count, using: &numbers)
                    table.change(Array(waiting.prefix(count)))
                    said[process]?.removeFirst(count)
                default: continue
                }
                if !held.isEmpty { #expect(table.count == 1, "seed \(seed): freed though somebody holds it") }
            }
            #expect(table.count == 0, "seed \(seed): kept though nobody holds it")
        }
    }

    @Test("in one message, what is passed on counts before what is let go")
    func order() {
        table.expect(name)
        table.change(name, (2, -1), (3, 1))
        #expect(table.count == 1)
        table.change(name, (3, -1))
        #expect(table.count == 0)
    }

    @Test("who has ended holds nothing and waits for nothing, and what is said of it later does not count")
    func ended() throws {
        table.expect(name)
        table.change(name, (3, 1))
        try table.serve(.fetchFuture, name, for: answers.asker(3))
        try table.serve(.fetchFuture, name, for: answers.asker(2))
        table.forget(3)
        table.change(name, (3, 5))
        table.fulfil(name, value)
        #expect(answers.all == ["value [1, 2, 3]"] && table.count == 1)
        table.change(name, (2, -1))
        #expect(table.count == 0)
    }

    @Test("what was named by a process that has ended is freed by those who hold it")
    func endedOrigin() throws {
        table.forget(2)
        // The first that is heard of it: its origin has passed it on before its end.
        table.change(name, (4, 1))
        try table.serve(.putFuture, name, for: answers.asker(4), bytes)
        #expect(table.count == 1)
        table.change(name, (4, -1))
        #expect(table.count == 0)
    }

    @Test("whoever waits for a channel goes on waiting when references to it come and go")
    func waitingForChannel() throws {
        try table.serve(.makeChannel, name, for: answers.asker(2), try 4.wireBytes())
        try table.serve(.takeChannel, name, for: answers.asker(3), try 1.wireBytes())
        // It was given two references; it lets go of one before the owner has heard of either.
        table.change(name, (3, -1))
        table.change(name, (3, 1))
        table.change(name, (3, 1))
        try table.serve(.putChannel, name, for: answers.asker(2), bytes)
        #expect(answers.all == ["done", "done", "values [[1, 2, 3]]"])
    }

    @Test("channels end for who has ended, and go with the last reference")
    func channels() throws {
        try table.serve(.makeChannel, name, for: answers.asker(2), try 1.wireBytes())
        try table.serve(.takeChannel, name, for: answers.asker(3), try 1.wireBytes())
        table.forget(3)
        try table.serve(.putChannel, name, for: answers.asker(2), bytes)
        try table.serve(.isChannelReady, name, for: answers.asker(2))
        #expect(answers.all == ["done", "done", "true"])
        table.change(name, (2, -1))
        #expect(table.count == 0)
        try table.serve(.isChannelReady, name, for: answers.asker(2))
        #expect(answers.all.last == "failed \(ReferenceError.unknown)")
    }

    @Test("when the cluster is over, all that wait are told so")
    func closing() throws {
        try table.serve(.fetchFuture, name, for: answers.asker(2))
        let other = ReferenceName(whence: 2, number: 8)
        try table.serve(.makeChannel, other, for: answers.asker(2), try 1.wireBytes())
        try table.serve(.takeChannel, other, for: answers.asker(2), try 1.wireBytes())
        table.close(.closed)
        #expect(answers.all.sorted() == ["done", "failed the channel is closed", "failed the channel is closed"])
        #expect(table.count == 0)
    }

    @Test("a million futures leave neither an entry nor room for one")
    func room() {
        let count = 1_000_000
        for number in 0..<count { table.fulfil(expected(number), value) }
        #expect(table.count == count)
        for start in stride(from: 0, to: count, by: 1000) {
            table.change(
                (start..<start + 1000).map { number in
                    ReferenceCount(ReferenceName(whence: 2, number: UInt64(number)), process: 2, change: -1)
                })
        }
        #expect(table.count == 0 && table.room < 8192)
    }

    private func expected(_ number: Int) -> ReferenceName {
        let name = ReferenceName(whence: 2, number: UInt64(number))
        table.expect(name)
        return name
    }
}
