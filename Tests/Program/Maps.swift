import Muster
import Synchronization

private let arrivals = Atomic<Int>(0)

struct Measure: WireCodable, Codable, Hashable {
    var name: String
    var values: [Double]
}

/// A value that takes no bytes.
struct Marker: WireCodable {
    init() {}
    func write(to output: inout WireWriter) {}
    init(from input: inout WireReader) throws(WireError) {}
}

let maps: [String: Program.Scenario] = [
    "order": { _ in
        try await withCluster(.local(2)) { cluster in
            say("workers", cluster.workers)
            say("squares", try await cluster.pmap(1...10) { $0 * $0 })
            let many = try await cluster.pmap(0..<10_000) { i in
                // The early ones take longest, so that batches come back out of order.
                if i < 4 { spin(seconds: 0.05) }
                return i &* 2_654_435_761
            }
            say("10000 in order", many == (0..<10_000).map { $0 &* 2_654_435_761 })
            for size in [1, 7, 9_999, 20_000] {
                let out = try await cluster.pmap(0..<10_000, batchSize: .fixed(size)) { i in i + 1 }
                say("batches of", size, out == Array(1...10_000))
            }
            say("empty", try await cluster.pmap([Int]()) { $0 })
            say("one", try await cluster.pmap([5]) { $0 })
            let ids = try await cluster.pmap(0..<2, batchSize: 1) { _ in Worker.id }
            say("both take part", Set(ids) == Set(cluster.workers))
            say("driver", Worker.id)
            let caught = try await cluster.pmap([Measure(name: "a", values: [1, 2])]) { $0.values.reduce(0, +) }
            say("struct", caught)
        }
    },
    "forms": { _ in
        try await withCluster(.local(2)) { cluster in
            let scale = 10
            say("zip", try await cluster.pmap(zip([1, 2], ["a", "b"])) { x, y in "\(x)\(y)" })
            say("zip pair", try await cluster.pmap(zip([1, 2], ["a", "b"])) { pair in "\(pair.0)\(pair.1)" })
            say(
                "zip capturing",
                try await cluster.pmap(zip([1, 2], [3, 4]), capturing: scale) { x, y, s in (x + y) * s })
            say(
                "zip async",
                try await cluster.pmap(zip([1, 2], ["a", "b"])) { x, y in
                    await Task.yield(); return "\(x)\(y)"
                })
            say("enumerated", try await cluster.pmap(["a", "b"].enumerated()) { i, x in "\(i)\(x)" })
            say("enumerated $0", try await cluster.pmap([7, 8].enumerated()) { $0.offset * 100 + $0.element })
            say(
                "enumerated async",
                try await cluster.pmap(["a"].enumerated()) { i, x in
                    await Task.yield(); return "\(i)\(x)"
                })
            say("dictionary", try await cluster.pmap(["k": 1]) { k, v in "\(k)\(v)" })
            say("dictionary $0", try await cluster.pmap(["k": 1]) { $0.key })
            say(
                "dictionary capturing", try await cluster.pmap(["k": 1], capturing: scale) { k, v, s in "\(k)\(v * s)" }
            )
            let labelled: [(name: String, age: Int)] = [("x", 1), ("y", 2)]
            say("labelled", try await cluster.pmap(labelled) { $0.name + "\($0.age)" })
            say("triple", try await cluster.pmap([(1, "a", 2.5)]) { $0 })
            say("quadruple", try await cluster.pmap([(1, "a", 2.5, true)]) { ($0.3, $0.2, $0.1, $0.0) })
            let nesting: [(Int, (String, [Int]))] = [(1, ("a", [2]))]
            say("nested", try await cluster.pmap(nesting) { ($0.1.1, ($0.0, $0.1.0)) })
            let named: [(low: Int, high: Int)] = try await cluster.pmap([3]) { (low: $0 - 1, high: $0 + 1) }
            say("named result", named[0].low, named[0].high)
            say("optional", try await cluster.pmap(1...3) { $0 == 2 ? nil as Int? : $0 })
            let nothing: [Void] = try await cluster.pmap(1...3) { _ in }
            say("void", nothing.count)
            let pairs = try await cluster.pmap(1...3) { _ in ((), Marker()) }
            say("pairs of nothing", pairs.count)
            say(
                "many captures",
                try await cluster.pmap(1...2, capturing: 1, "a", [2.0]) { i, a, b, c in "\(i)\(a)\(b)\(c)" })
            let tripling = RemoteFunction { (x: Int) in x * 3 }
            say("RemoteFunction", try await cluster.pmap(1...3, body: tripling))
            let adding = RemoteFunction { (x: Int, y: Int) in x + y }
            say("RemoteFunction capturing", try await cluster.pmap(1...3, capturing: 5, body: adding))
            say("RemoteFunction call", try await cluster.remoteCallFetch(on: .any, capturing: 4, 5, body: adding))
            let later = RemoteFunction { (x: Int) async in
                await Task.yield(); return x - 1
            }
            say("RemoteFunction async", try await cluster.pmap(1...3, body: later))
            say("wrapped", try await wrapped(cluster, RemoteFunction { (x: Int) in x * 1000 }))
            let (name, process) = try await cluster.remoteCallFetch(on: cluster.workers[0]) {
                (hostName(), processID())
            }
            say("call", name == hostName(), process != processID())
            say("call by number", try await cluster.remoteCallFetch(on: 3) { Worker.id })
            say("call capturing", try await cluster.remoteCallFetch(on: 3, capturing: 3) { x in x * 2 })
            let six: Int = try await cluster.remoteCallFetch {
                await Task.yield()
                return 6
            }
            say("call async", six)
        }
    },
    "concurrent-bodies": { _ in
        try await withCluster(.local(1)) { cluster in
            // Each waits for the other, which only works if both run at the same time.
            let met = try await cluster.pmap(0..<2, batchSize: 2) { _ in
                arrivals.add(1, ordering: .relaxed)
                return await eventually { arrivals.load(ordering: .relaxed) == 2 }
            }
            say("met", met)
            async let first = cluster.pmap(0..<500) { $0 + 1 }
            async let second = cluster.pmap(0..<500) { $0 * 2 }
            let both = try await (first, second)
            say("two maps at once", both.0 == Array(1...500) && both.1 == (0..<500).map { $0 * 2 })
        }
    },
    "large": { _ in
        try await withCluster(.local(2)) { cluster in
            let blocks = (0..<6).map { [UInt8](repeating: UInt8($0), count: 5 << 20) }
            let back = try await cluster.pmap(blocks, batchSize: 1) { block in block.map { $0 &+ 1 } }
            say("5 MiB each way", back == (0..<6).map { [UInt8](repeating: UInt8($0 + 1), count: 5 << 20) })
            let table = [Double](repeating: 1, count: 10_000_000)
            let sums = try await cluster.pmap(1...4, capturing: table) { i, table in
                Double(table.count) + table[table.count - 1] + Double(i)
            }
            say("80 MB captured", sums)
        }
    },
    "capture-memory": { _ in
        let table = [Double](repeating: 1, count: 5_000_000)
        try await withCluster(.local(8)) { cluster in
            let counts = try await cluster.pmap(0..<8, capturing: table, batchSize: 1) { i, table in table.count }
            say("counts", Set(counts))
            say("most memory", status("VmHWM"))
        }
    },
    "many-workers": { arguments in
        let count = Int(arguments[0]) ?? 64
        try await withCluster(.local(count)) { cluster in
            let ids = try await cluster.pmap(0..<count, batchSize: 1) { _ in
                spin(seconds: 0.005)
                return Worker.id
            }
            say("workers", cluster.workers.count, "took part", Set(ids).count)
            say("sum", try await cluster.pmap(0..<10_000) { $0 }.reduce(0, +))
        }
    },
]

/// What a user's own wrapper looks like.
private func wrapped(_ cluster: Cluster, _ body: RemoteFunction<Int, Int>) async throws -> [Int] {
    try await cluster.pmap([1, 2], body: body)
}
