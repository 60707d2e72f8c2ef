import CFloors
import Muster

/// A map whose body costs nothing: all that is measured is ours.
struct TrivialMap: Benchmark {
    let name = "map-trivial"
    let title = "pmap { $0 &+ 1 } over 100,000 Ints, 2 workers"
    let unit = Unit.millionPerSecond

    func run(_ host: Host) async throws -> [Series] {
        let elements = Array(0..<100_000)
        return try await withCluster(.localAffinity(cpus: [host.second, host.worker])) { cluster in
            try await alternate(
                repeats: 3,
                [
                    Lane(key: "loop", label: "Swift: a loop in one thread") { try await loop(elements) },
                    Lane(key: "muster.one", label: "Muster: batches of 1", floor: "loop") {
                        try await map(elements, cluster, batchSize: 1)
                    },
                    Lane(key: "muster.automatic", label: "Muster: automatic batches", floor: "loop") {
                        try await map(elements, cluster, batchSize: .automatic)
                    },
                ])
        }
    }
}

/// Enough elements that the batches can become large.
struct MillionIntegers: Benchmark {
    let name = "map-million"
    let title = "pmap { $0 &+ 1 } over 1,000,000 Ints, 2 workers"
    let unit = Unit.millionPerSecond

    func run(_ host: Host) async throws -> [Series] {
        let elements = Array(0..<1_000_000)
        let chunks = stride(from: 0, to: elements.count, by: 50_000).map { Array(elements[$0..<$0 + 50_000]) }
        return try await withCluster(.localAffinity(cpus: [host.second, host.worker])) { cluster in
            try await alternate(
                repeats: 7,
                [
                    Lane(key: "loop", label: "Swift: a loop in one thread") { try await loop(elements) },
                    Lane(key: "muster.automatic", label: "Muster: automatic batches", floor: "loop") {
                        try await map(elements, cluster, batchSize: .automatic)
                    },
                    Lane(key: "muster.hundredth", label: "Muster: batches of 10,000", floor: "loop") {
                        try await map(elements, cluster, batchSize: 10_000)
                    },
                    Lane(key: "muster.chunks", label: "Muster: 20 arrays of 50,000, as elements", floor: "loop") {
                        let seconds = try await seconds {
                            let parts = try await cluster.pmap(chunks, batchSize: 1) { $0.map { $0 &+ 1 } }
                            let results = Array(parts.joined())
                            precondition(results.count == elements.count && results[999_999] == 1_000_000)
                        }
                        return Double(elements.count) / seconds / 1e6
                    },
                ])
        }
    }
}

/// Enough elements that memory is what counts.
struct TenMillionIntegers: Benchmark {
    let name = "map-ten-million"
    let title = "pmap { $0 &+ 1 } over 10,000,000 Ints, 2 workers"
    let unit = Unit.millionPerSecond

    func run(_ host: Host) async throws -> [Series] {
        let elements = Array(0..<10_000_000)
        let copied = elements.count * MemoryLayout<Int>.stride
        return try await withCluster(.localAffinity(cpus: [host.second, host.worker])) { cluster in
            let shared = try SharedArray<Int>(copying: elements.span, in: .shared)
            return try await alternate(
                repeats: 7,
                [
                    Lane(key: "loop", label: "Swift: a loop in one thread") { try await loop(elements) },
                    Lane(key: "copy.warm", label: "C: memcpy into pages the process has") {
                        Double(elements.count) / floor_copy(copied, 0) / 1e6
                    },
                    Lane(key: "copy.fresh", label: "C: memcpy into new pages") {
                        Double(elements.count) / floor_copy(copied, 1) / 1e6
                    },
                    Lane(key: "muster.automatic", label: "Muster: automatic batches", floor: "loop") {
                        try await map(elements, cluster, batchSize: .automatic)
                    },
                    Lane(key: "muster.batches", label: "Muster: batch bodies", floor: "copy.warm") {
                        try await mapBatches(elements, cluster)
                    },
                    Lane(key: "muster.shared", label: "Muster: batch bodies, SharedArray", floor: "copy.warm") {
                        try await mapBatches(shared, cluster)
                    },
                ])
        }
    }
}

/// What an element costs, however many there are.
struct MapScale: Benchmark {
    let name = "map-scale"
    let title = "pmap over 1,000 to 10,000,000 Ints with a body of some 50 ns, automatic batches, 2 workers"
    let unit = Unit.millionPerSecond

    func run(_ host: Host) async throws -> [Series] {
        try await withCluster(.localAffinity(cpus: [host.second, host.worker])) { cluster in
            try await alternate(
                repeats: 3,
                [1_000, 10_000, 100_000, 1_000_000, 10_000_000].map { count in
                    Lane(key: "muster.\(count)", label: "Muster: \(count) elements") {
                        let seconds = try await seconds {
                            let results = try await cluster.pmap(0..<count) { number in
                                var state = UInt64(truncatingIfNeeded: number)
                                for _ in 0..<300 { state = state &* 6_364_136_223_846_793_005 &+ 1 }
                                return state
                            }
                            precondition(results.count == count)
                        }
                        return Double(count) / seconds / 1e6
                    }
                })
        }
    }
}

/// Million elements a second.
private nonisolated(nonsending) func mapBatches(
    _ elements: some Collection<Int>, _ cluster: Cluster
) async throws -> Double {
    let seconds = try await seconds {
        let results: [Int] = try await cluster.pmapBatches(elements) { inputs, outputs in
            for index in inputs.indices { outputs[index] = inputs[index] &+ 1 }
        }
        precondition(results.count == elements.count && results[elements.count - 1] == elements.count)
    }
    return Double(elements.count) / seconds / 1e6
}

/// Million elements a second.
private nonisolated(nonsending) func loop(_ elements: [Int]) async throws -> Double {
    let seconds = await seconds {
        blackHole(elements)
        var results: [Int] = []
        results.reserveCapacity(elements.count)
        for element in elements { results.append(element &+ 1) }
        blackHole(results)
    }
    return Double(elements.count) / seconds / 1e6
}

/// Million elements a second.
nonisolated(nonsending) func map(
    _ elements: [Int], _ cluster: Cluster, batchSize: BatchSize
) async throws -> Double {
    let seconds = try await seconds {
        let results = try await cluster.pmap(elements, batchSize: batchSize) { $0 &+ 1 }
        precondition(results.count == elements.count && results[elements.count - 1] == elements[elements.count - 1] + 1)
    }
    return Double(elements.count) / seconds / 1e6
}
