import CFloors
import Muster

/// A large capture: once per worker the first time, not at all the second.
struct CapturedArray: Benchmark {
    let name = "captured-array"
    let title = "pmap(1...100, capturing: 80 MB) { i, x in x.reduce(0, +) + Double(i) }, 2 workers"
    let unit = Unit.milliseconds

    func run(_ host: Host) async throws -> [Series] {
        let array = [Double](repeating: 1, count: 10_000_000)
        return try await withCluster(.localAffinity(cpus: [host.second, host.worker])) { cluster in
            let warm = CachingPool(cluster.workers)
            let shared = try SharedArray<Double>(copying: array.span, in: .shared)
            let (first, second) = (CInt(host.second), CInt(host.worker))
            return try await alternate(
                repeats: 3,
                [
                    Lane(key: "loop", label: "Swift: a loop in one thread") {
                        await seconds {
                            for i in 1...100 { blackHole(sum(array, i)) }
                        } * 1e3
                    },
                    Lane(key: "c.sums", label: "C: two threads do the same sums") {
                        floor_two_thread_sums(first, second, array.count, 100) * 1e3
                    },
                    Lane(key: "c.copy", label: "C: one copy of 80 MB into new shared memory, populated") {
                        floor_shared(80_000_000, floor_shared_copy_populated) * 1e3
                    },
                    Lane(key: "muster.cold", label: "Muster: the workers do not have the array", floor: "c.sums") {
                        try await map(array, cluster, CachingPool(cluster.workers))
                    },
                    Lane(key: "muster.warm", label: "Muster: the workers have it from before", floor: "c.sums") {
                        try await map(array, cluster, warm)
                    },
                    Lane(key: "muster.shared", label: "Muster: a SharedArray that they do not have", floor: "c.sums") {
                        try await seconds {
                            let sums = try await cluster.pmap(
                                1...100, capturing: shared, pool: CachingPool(cluster.workers)
                            ) { i, x in x.reduce(0, +) + Double(i) }
                            precondition(sums.count == 100 && sums[99] == 10_000_100)
                        } * 1e3
                    },
                    Lane(key: "loop.lanes", label: "Swift: eight sums at a time, in one thread") {
                        await seconds {
                            for i in 1...100 { blackHole(sumInLanes(array) + Double(i)) }
                        } * 1e3
                    },
                    Lane(key: "muster.lanes.cold", label: "Muster: eight at a time, cold", floor: "loop.lanes") {
                        try await mapInLanes(array, cluster, CachingPool(cluster.workers))
                    },
                    Lane(key: "muster.lanes.warm", label: "Muster: eight at a time, warm", floor: "loop.lanes") {
                        try await mapInLanes(array, cluster, warm)
                    },
                ])
        }
    }

    private nonisolated(nonsending) func map(
        _ array: [Double], _ cluster: Cluster, _ pool: CachingPool
    ) async throws -> Double {
        try await seconds {
            let sums = try await cluster.pmap(1...100, capturing: array, pool: pool) { i, x in
                x.reduce(0, +) + Double(i)
            }
            precondition(sums.count == 100 && sums[99] == 10_000_100)
        } * 1e3
    }
}

/// The sums of 80 MB once more, each as fast as memory is. Returns milliseconds.
nonisolated(nonsending) func mapInLanes(
    _ array: [Double], _ cluster: Cluster, _ pool: CachingPool
) async throws -> Double {
    try await seconds {
        let sums = try await cluster.pmap(1...100, capturing: array, pool: pool) { i, x in sumInLanes(x) + Double(i) }
        precondition(sums.count == 100 && sums[99] == 10_000_100)
    } * 1e3
}

@inline(never)
private func sum(_ array: [Double], _ i: Int) -> Double {
    array.reduce(0, +) + Double(i)
}

/// Eight sums side by side, as those of NumPy and Julia are: `reduce` has to add in order, so that each addition waits for
/// the one before, and beside such libraries would be the slower for its sum, whatever the map costs.
@inline(never)
func sumInLanes(_ array: [Double]) -> Double {
    var lanes = SIMD8<Double>.zero
    let inLanes = array.count / 8 * 8
    for start in stride(from: 0, to: inLanes, by: 8) {
        lanes += SIMD8(
            array[start], array[start + 1], array[start + 2], array[start + 3],
            array[start + 4], array[start + 5], array[start + 6], array[start + 7])
    }
    return array[inLanes...].reduce(lanes.sum(), +)
}
