import Glibc
import Muster
import Synchronization

/// Elements that count how many of them were read.
private struct Counted: Sequence {
    static let read = Atomic<Int>(0)
    let count: Int

    func makeIterator() -> AnyIterator<Int> {
        var next = 0
        return AnyIterator {
            guard next < count else { return nil }
            defer { next += 1 }
            Counted.read.add(1, ordering: .relaxed)
            return next
        }
    }
}

private struct Torn: Error {}

/// Numbers that come asynchronously, and may end in an error.
private func arriving(_ count: Int, failing: Bool = false) -> AsyncThrowingStream<Int, any Error> {
    AsyncThrowingStream { continuation in
        for number in 0..<count { continuation.yield(number) }
        if failing { continuation.finish(throwing: Torn()) } else { continuation.finish() }
    }
}

let mapForms: [String: Program.Scenario] = [
    "lazy-elements": { _ in
        try await withCluster(.local(2)) { cluster in
            // Slow bodies: what is read ahead must stay far below the whole.
            let most = try await withThrowingTaskGroup(of: Int.self) { group in
                group.addTask {
                    let numbers = try await cluster.pmap(Counted(count: 400)) { number in
                        spin(seconds: 0.002)
                        return number
                    }
                    say("in order", numbers == Array(0..<400))
                    return 0
                }
                var most = 0
                while Counted.read.load(ordering: .relaxed) < 400 {
                    most = max(most, Counted.read.load(ordering: .relaxed))
                    try await Task.sleep(for: .milliseconds(1))
                    if most < 100, try await cluster.remoteCallFetch(on: 2, body: { 1 }) == 1 { continue }
                }
                _ = try await group.next()
                return most
            }
            say("read", Counted.read.load(ordering: .relaxed), "before the last", most < 400)
            let range = try await cluster.pmap(0..<3_000_000) { $0 &* 3 }
            say("range", range.count, range[2_999_999])
            let closed = try await cluster.pmap(5...9) { $0 }
            say("closed", closed)
            let lines = try await cluster.pmap(["a", "b", "c"].lazy.map { $0 + "!" }) { $0 + "?" }
            say("lazy", lines)
            say("set", try await cluster.pmap(Set([1, 2, 3])) { $0 }.sorted())
            say("none", try await cluster.pmap(Counted(count: 0)) { $0 })
            await sayFailure("fails") {
                try await cluster.pmap(Counted(count: 1000)) { number in
                    if number == 7 { throw Torn() }
                    return number
                }
            }
        }
    },
    "asynchronous-elements": { _ in
        try await withCluster(.local(2)) { cluster in
            let doubled = try await cluster.pmap(arriving(1000)) { $0 * 2 }
            say("doubled", doubled == (0..<1000).map { $0 * 2 })
            let later = try await cluster.pmap(arriving(20), capturing: 5) { number, five in
                await Task.yield()
                return number + five
            }
            say("later", later == (0..<20).map { $0 + 5 })
            await sayFailure("torn") { try await cluster.pmap(arriving(10, failing: true)) { $0 } }
            say("after", try await cluster.pmap([1]) { $0 })
            // A map that has failed does not wait for an element that may never come.
            let (waiting, more) = AsyncStream<Int>.makeStream()
            more.yield(1)
            await sayFailure("while waiting") {
                try await cluster.pmap(waiting) { (_: Int) throws -> Int in throw Torn() }
            }
            more.finish()
        }
    },
    "streams": { _ in
        try await withCluster(.local(2)) { cluster in
            var ordered: [Int] = []
            for try await (index, output) in try cluster.pmapStream(0..<5000, body: { $0 * 2 }) {
                if index == ordered.count { ordered.append(output) }
            }
            say("ordered", ordered == (0..<5000).map { $0 * 2 })
            var unordered: Set<Int> = []
            var isRight = true
            for try await (index, output) in try cluster.pmapStream(
                0..<5000, order: .asCompleted, body: { $0 * 2 })
            {
                isRight = isRight && output == index * 2
                unordered.insert(index)
            }
            say("unordered", unordered.count, isRight)
            var sum = 0
            for try await (_, output) in try cluster.pmapStream(arriving(100), capturing: 1, body: { $0 + $1 }) {
                sum += output
            }
            say("arriving", sum)
            // Who leaves the loop ends the map.
            for try await (index, _) in try cluster.pmapStream(0..<Int.max, body: { $0 }) where index == 1000 { break }
            say("left early", try await cluster.pmap([1]) { $0 })
            do {
                for try await (index, _) in try cluster.pmapStream(
                    0..<100, batchSize: 1,
                    body: { number in
                        if number == 50 { throw Torn() }
                        return number
                    })
                { precondition(index != 50) }
                say("failure", "none")
            } catch let error as MapError {
                say("failure", error.indices)
            }
            // One that waits for more elements does not wait when the map has failed.
            let (waiting, more) = AsyncStream<Int>.makeStream()
            more.yield(1)
            do {
                for try await _ in try cluster.pmapStream(waiting, body: { (_: Int) throws -> Int in throw Torn() }) {}
                say("while waiting", "none")
            } catch let error as MapError {
                say("while waiting", error.indices)
            }
            more.finish()
            // A slow taker: what waits for it is bounded.
            Counted.read.store(0, ordering: .relaxed)
            struct Shared: Sequence, Sendable {
                func makeIterator() -> AnyIterator<Int> { Counted(count: 100_000).makeIterator() }
            }
            var taken = 0
            var most = 0
            for try await _ in try cluster.pmapStream(Shared(), readAhead: 64, body: { $0 }) {
                taken += 1
                most = max(most, Counted.read.load(ordering: .relaxed) - taken)
                if taken == 500 { break }
            }
            say("ahead", most <= 64)
        }
    },
    "stream-memory": { _ in
        try await withCluster(.local(2)) { cluster in
            var (sum, first, most) = (0, 0, 0)
            for try await (index, output) in try cluster.pmapStream(0..<1_000_000, order: .asGiven, body: { $0 & 1 }) {
                sum += output
                if index == 100_000 { first = residentKilobytes() }
                if index % 50_000 == 0 { most = max(most, residentKilobytes()) }
            }
            say("sum", sum)
            say("kilobytes more", most - first)
        }
    },
    "several-inputs": { _ in
        try await withCluster(.local(2)) { cluster in
            say("two", try await cluster.pmap([1, 2, 3], ["a", "b"]) { "\($0)\($1)" })
            say("two capturing", try await cluster.pmap(1...3, 4...6, capturing: 10) { x, y, z in (x + y) * z })
            say(
                "two async",
                try await cluster.pmap([1, 2], [3, 4]) { x, y in
                    await Task.yield()
                    return x * y
                })
            say("three", try await cluster.pmap([1, 2], ["a", "b"], [0.5, 1.5]) { "\($0)\($1)\($2)" })
            say("three capturing", try await cluster.pmap([1], [2], [3], capturing: 4) { $0 + $1 + $2 + $3 })
        }
    },
    "batch-bodies": { _ in
        try await withCluster(.local(2)) { cluster in
            let squares = (0..<100_000).map { Double($0 * $0) }
            let roots: [Double] = try await cluster.pmapBatches(squares) { inputs, outputs in
                for index in inputs.indices { outputs[index] = inputs[index].squareRoot() }
            }
            say("roots", roots == (0..<100_000).map { Double($0) })
            let scaled: [Int32] = try await cluster.pmapBatches(0..<1000, capturing: 3, batchSize: 7) {
                inputs, outputs, scale in
                for index in inputs.indices { outputs[index] = Int32(inputs[index] * scale) }
            }
            say("scaled", scaled == (0..<1000).map { Int32($0 * 3) })
            let shared = try SharedArray<Double>(count: 1_000_000, in: .shared) { span in
                for index in span.indices { span[index] = Double(index) }
            }
            let halves: [Double] = try await cluster.pmapBatches(shared) { inputs, outputs in
                for index in inputs.indices { outputs[index] = inputs[index] / 2 }
            }
            say("halves", halves.indices.allSatisfy { halves[$0] == Double($0) / 2 }, halves.count)
            await sayFailure("fails") {
                let _: [Int] = try await cluster.pmapBatches(0..<10, batchSize: 5) { inputs, _ in
                    if inputs[0] == 5 { throw Torn() }
                }
            }
        }
    },
    "in-process": { _ in
        try await withCluster { cluster in
            let here = Int(getpid())
            say(
                "here",
                try await cluster.pmap(0..<10, distributed: false) { _ in processID() }.allSatisfy { $0 == here })
            let large = [Double](repeating: 0.5, count: 100_000)
            say(
                "capturing",
                try await cluster.pmap([2.0, 4.0], capturing: large, distributed: false) { $0 * $1[99_999] })
            say(
                "async",
                try await cluster.pmap(0..<5, distributed: false) { number in
                    await Task.yield()
                    return number * number
                })
            await sayFailure("fails") {
                try await cluster.pmap(0..<10, batchSize: 1, distributed: false) { number in
                    if number == 4 { throw Torn() }
                    return number
                }
            }
            say(
                "handled",
                try await cluster.pmap(0..<3, distributed: false, onError: { _ in -1 }) { number in
                    if number == 1 { throw Torn() }
                    return number
                })
            await sayFailure("distributed") { try await cluster.pmap(0..<3) { $0 } }
        }
    },
    "nested-maps": { _ in
        try await withCluster(.local(2)) { cluster in
            let sums = try await cluster.pmap(1...4, batchSize: 1) { (number: Int) async throws -> Int in
                var sum = 0
                try await withCluster(.local(2)) { inner in
                    let ones = try await inner.pmap(0..<number * 10) { $0 + 1 }
                    sum = ones.reduce(0, +)
                }
                return sum
            }
            say("sums", sums)
            // Maps within handlers and maps side by side share the workers.
            let both = try await cluster.pmap(
                0..<4,
                onError: { failure in
                    try await cluster.pmap([failure.index]) { $0 * 100 }[0]
                }
            ) { number -> Int in
                if number.isMultiple(of: 2) { throw Torn() }
                return number
            }
            say("handlers", both)
        }
    },
    "cancel-quickly": { _ in
        try await withCluster(.local(2)) { cluster in
            for body in ["synchronous", "asynchronous", "lazy"] {
                let map = Task {
                    switch body {
                    case "synchronous":
                        try await cluster.pmap(0..<1_000_000, batchSize: 1) { _ in spin(seconds: 0.002) }
                    case "asynchronous":
                        try await cluster.pmap(0..<1000) { _ in try await Task.sleep(for: .seconds(30)) }
                    default:
                        try await cluster.pmap(Counted(count: 1_000_000)) { _ in spin(seconds: 0.002) }
                    }
                }
                try await Task.sleep(for: .milliseconds(100))
                let start = ContinuousClock.now
                map.cancel()
                let result = await map.result
                let time = ContinuousClock.now - start
                if case .failure(let error) = result { say(body, error is CancellationError, time < .milliseconds(50)) }
            }
            say("after", try await cluster.pmap(0..<4, batchSize: 1) { $0 })
        }
    },
]
