import Muster
import Synchronization

/// A value of each worker's own.
private let ownValue = WorkerLocal<String>("own value")

/// Elements that this process has worked on.
private let elementsSeen = Atomic(0)

/// A channel that gives back last what came first.
actor Pile: AbstractChannel {
    typealias Element = Int
    private var values: [Int] = []

    func put(_ value: Int) { values.append(value) }
    func take() throws -> Int {
        guard let value = values.popLast() else { throw CancellationError() }
        return value
    }
    func fetch() throws -> Int {
        guard let value = values.last else { throw CancellationError() }
        return value
    }
    var isReady: Bool { !values.isEmpty }
    func close() {}
}

let distributedScenarios: [String: Program.Scenario] = [
    "reductions": { _ in
        var sums: Set<UInt64> = []
        for count in [1, 2, 3] {
            try await withCluster(.local(count)) { cluster in
                let total = try await cluster.distributed(0..<100_000, reduce: +) { $0 }
                say("integers", total == 4_999_950_000)
                let table = [Double](repeating: 0.1, count: 100_000)
                let sum = try await cluster.distributed(0..<100_000, reduce: +, capturing: table) { i, table in
                    table[i] / Double(i + 1)
                }
                sums.insert(sum.bitPattern)
                let words = ["a", "b", "c", "d", "e"]
                say("in order", try await cluster.distributed(words, reduce: +) { $0 } == "abcde")
                say("one", try await cluster.distributed(7...7, reduce: +) { $0 })
                await sayFailure("none") { _ = try await cluster.distributed(0..<0, reduce: +) { $0 } }
                await sayFailure("throws") {
                    _ = try await cluster.distributed(0..<1000, reduce: +) { i in
                        if i == 700 { throw CancellationError() }
                        return i
                    }
                }
                let channel = try await cluster.remoteChannel(of: Int.self, capacity: 1000)
                let loop = try cluster.distributed(0..<10, capturing: channel) { i, _ in
                    if i > 100 { throw CancellationError() }
                }
                try await loop.wait()
                _ = channel
            }
        }
        say("same bits", sums.count == 1)
        // Chunks of the same elements, as they come.
        var streamed: Set<UInt64> = []
        for count in [1, 3] {
            try await withCluster(.local(count)) { cluster in
                let numbers = AsyncStream { continuation in
                    for number in 1...10_000 { continuation.yield(number) }
                    continuation.finish()
                }
                let sum = try await cluster.distributed(numbers, chunk: 100, reduce: +) { 1 / Double($0) }
                streamed.insert(sum.bitPattern)
            }
        }
        say("streamed", streamed.count == 1, streamed.allSatisfy { abs(Double(bitPattern: $0) - 9.787_606) < 1e-6 })
    },
    "reduction-faults": { _ in
        try await withCluster(.local(3, options: LocalOptions(restarts: 0))) { cluster in
            // Worker 2 dies in the midst of a part.
            let total = try await cluster.distributed(0..<5000, reduce: +) { i in
                if Worker.id == 2, elementsSeen.add(1, ordering: .relaxed).newValue == 100 { quit(3) }
                spin(seconds: 0.0001)
                return i
            }
            say("one died", total == 12_497_500, cluster.workers.count)
            await sayFailure("all die") {
                _ = try await cluster.distributed(0..<100, reduce: +) { i -> Int in
                    if i == 50 { quit(3) }
                    return i
                }
            }
        }
    },
    "maps-in-workers": { _ in
        try await withCluster(.local(3)) { cluster in
            let squares = try await cluster.remoteCallFetch(on: 2) {
                try await Worker.cluster.pmap(0..<1000) { $0 * $0 }
            }
            say("squares", squares == (0..<1000).map { $0 * $0 })
            let sum = try await cluster.remoteCallFetch(on: 3) {
                try await Worker.cluster.distributed(0..<1000, reduce: +) { $0 }
            }
            say("sum", sum)
            let any = try await cluster.remoteCallFetch(on: 4) {
                let cluster = try await Worker.cluster
                var seen: Set<WorkerID> = []
                for _ in 0..<6 { seen.insert(try await cluster.remoteCallFetch(on: .any) { Worker.id }) }
                return seen.sorted()
            }
            say("any", any)
        }
    },
    "everywhere-and-piles": { _ in
        try await withCluster(.local(2)) { cluster in
            try await cluster.everywhere(capturing: "x") { x in try ownValue.set("\(x)\(Worker.id)") }
            say("values", try await cluster.remoteCallFetch(onEach: [1, 2, 3]) { ownValue.value ?? "none" })
            try await cluster.define(ownValue, capturing: 7, includingLater: true) { seven in "\(seven) of \(Worker.id)"
            }
            let later = try await cluster.addWorkers(.local(1))
            say("later", try await cluster.remoteCallFetch(on: later[0]) { try ownValue.get() })
            try await cluster.clear(ownValue)
            await sayFailure("cleared") { _ = try await cluster.remoteCallFetch(on: 2) { try ownValue.get() } }
            await sayFailure("several fail") {
                try await cluster.everywhere(on: [2, 3]) { throw CancellationError() }
            }
            let pile = try await cluster.remoteChannel(on: 3) { Pile() }
            for number in 1...3 { try await pile.put(number) }
            let taken = try await cluster.remoteCallFetch(on: 2, capturing: pile) { pile in
                (try await pile.fetch(), try await pile.take(), try await pile.take(), try await pile.isReady)
            }
            say("pile", taken)
        }
    },
]
