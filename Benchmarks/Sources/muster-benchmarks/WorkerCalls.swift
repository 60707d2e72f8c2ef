import CFloors
import Muster

/// Workers that call each other, all all others, several calls at a time.
struct WorkerCalls: Benchmark {
    let name = "worker-calls"
    let title = "4 workers, each calling the 3 others, 32 calls at a time; calls in all"
    let unit = Unit.millionPerSecond

    private static let rounds = 60
    private static let atATime = 32

    func run(_ host: Host) async throws -> [Series] {
        try await withCluster(.local(4)) { cluster in
            let workers = cluster.workers
            // Links are made by the first calls.
            _ = try await WorkerCalls.callAll(cluster, workers, rounds: 1)
            return try await alternate(
                repeats: 5,
                [
                    Lane(key: "muster.calls", label: "Muster: remoteCallFetch of a body that does not suspend") {
                        let calls = Double(workers.count * 3 * WorkerCalls.rounds * WorkerCalls.atATime)
                        return try await calls
                            / seconds {
                                try await WorkerCalls.callAll(cluster, workers, rounds: WorkerCalls.rounds)
                            } / 1e6
                    },
                    Lane(key: "driver.calls", label: "Muster: the same number from the driver, 32 for each worker") {
                        let calls = Double(workers.count * 3 * WorkerCalls.rounds * WorkerCalls.atATime)
                        return try await calls
                            / seconds {
                                try await WorkerCalls.call(
                                    cluster, workers, rounds: WorkerCalls.rounds * 3, atATime: WorkerCalls.atATime)
                            } / 1e6
                    },
                ])
        }
    }

    private static func callAll(_ cluster: Cluster, _ workers: [WorkerID], rounds: Int) async throws {
        try await cluster.remoteCallFetch(onEach: workers, capturing: workers, rounds) { workers, rounds in
            let cluster = try await Worker.cluster
            try await WorkerCalls.call(
                cluster, workers.filter { $0 != Worker.id }, rounds: rounds, atATime: WorkerCalls.atATime)
        }
    }

    static func call(_ cluster: Cluster, _ workers: [WorkerID], rounds: Int, atATime: Int) async throws {
        try await withThrowingTaskGroup { group in
            for worker in workers {
                for lane in 0..<atATime {
                    group.addTask {
                        for round in 0..<rounds {
                            let next = try await cluster.remoteCallFetch(on: worker, capturing: lane + round) {
                                $0 &+ 1
                            }
                            precondition(next == lane + round + 1)
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}

/// A channel between two workers.
struct ChannelItems: Benchmark {
    let name = "channel-items"
    let title = "RemoteChannel<Int> of 1,000 places, from one worker to another, 200,000 items"
    let unit = Unit.millionPerSecond

    private static let count = 200_000

    func run(_ host: Host) async throws -> [Series] {
        try await withCluster(.localAffinity(cpus: [host.driver, host.worker])) { cluster in
            try await alternate(
                repeats: 5,
                [
                    Lane(key: "muster.consumer", label: "Muster: the channel is where items are taken") {
                        try await ChannelItems.carry(cluster, on: 3, ChannelItems.count, atATime: 1)
                    },
                    Lane(key: "muster.batches", label: "Muster: the same, up to 100 taken at a time") {
                        try await ChannelItems.carry(cluster, on: 3, ChannelItems.count, atATime: 100)
                    },
                    Lane(key: "muster.producer", label: "Muster: where they are put, up to 100 taken at a time") {
                        try await ChannelItems.carry(cluster, on: 2, ChannelItems.count, atATime: 100)
                    },
                    Lane(key: "muster.far", label: "Muster: where they are put, taken one by one") {
                        try await ChannelItems.carry(cluster, on: 2, ChannelItems.count / 10, atATime: 1)
                    },
                ])
        }
    }

    /// Worker 2 puts and worker 3 takes; in millions of items per second.
    private static func carry(
        _ cluster: Cluster, on owner: WorkerID, _ count: Int, atATime: Int
    ) async throws -> Double {
        let channel = try await cluster.remoteChannel(of: Int.self, capacity: 1000, on: owner)
        return try await Double(count)
            / seconds {
                let producer = try await cluster.remoteCall(on: 2, capturing: channel, count) { channel, count in
                    for item in 0..<count { try await channel.put(item) }
                }
                let sum = try await cluster.remoteCallFetch(on: 3, capturing: channel, count, atATime) {
                    channel, count, atATime in
                    var (taken, sum) = (0, 0)
                    while taken < count {
                        if atATime == 1 {
                            sum &+= try await channel.take()
                            taken += 1
                        } else {
                            let items = try await channel.take(upTo: atATime)
                            for item in items { sum &+= item }
                            taken += items.count
                        }
                    }
                    return sum
                }
                precondition(sum == count * (count - 1) / 2)
                try await producer.wait()
            } / 1e6
    }
}

/// Large items through a channel between two workers.
struct ChannelBulk: Benchmark {
    let name = "channel-bulk"
    let title = "RemoteChannel<[Double]> of 8 places, from one worker to another, 1,000 items of 1 MB"
    let unit = Unit.gigabytesPerSecond

    private static let count = 1000
    private static let length = 125_000

    func run(_ host: Host) async throws -> [Series] {
        try await withCluster(.localAffinity(cpus: [host.driver, host.worker])) { cluster in
            try await alternate(
                repeats: 3,
                [
                    Lane(key: "copy.warm", label: "C: memcpy of 80 MB into pages the process has") {
                        80_000_000 / floor_copy(80_000_000, 0) / 1e9
                    },
                    Lane(key: "muster.bulk", label: "Muster: the channel is where items are taken", floor: "copy.warm")
                    {
                        try await ChannelBulk.carry(cluster, on: 3)
                    },
                    Lane(key: "muster.producer", label: "Muster: where they are put", floor: "copy.warm") {
                        try await ChannelBulk.carry(cluster, on: 2)
                    },
                ])
        }
    }

    private static func carry(_ cluster: Cluster, on owner: WorkerID) async throws -> Double {
        let channel = try await cluster.remoteChannel(of: [Double].self, capacity: 8, on: owner)
        return try await Double(count * length * 8)
            / seconds {
                let producer = try await cluster.remoteCall(on: 2, capturing: channel, length, count) {
                    channel, length, count in
                    let item = [Double](repeating: 1, count: length)
                    for _ in 0..<count { try await channel.put(item) }
                }
                let sum = try await cluster.remoteCallFetch(on: 3, capturing: channel, count) { channel, count in
                    var sum = 0.0
                    for _ in 0..<count { sum += try await channel.take()[0] }
                    return sum
                }
                precondition(sum == Double(count))
                try await producer.wait()
            } / 1e9
    }
}

/// Futures, made and dropped.
struct Futures: Benchmark {
    let name = "futures"
    let title = "remoteCall and fetch, 100,000 futures, 100 at a time"
    let unit = Unit.millionPerSecond

    private static let count = 100_000

    func run(_ host: Host) async throws -> [Series] {
        try await withCluster(.localAffinity(cpus: [host.worker])) { cluster in
            try await alternate(
                repeats: 3,
                [
                    Lane(key: "muster.futures", label: "Muster: worker on CPU \(host.worker)") {
                        try await Double(Futures.count)
                            / seconds {
                                for start in stride(from: 0, to: Futures.count, by: 100) {
                                    var futures: [Future<Int>] = []
                                    for number in start..<start + 100 {
                                        futures.append(
                                            try await cluster.remoteCall(on: 2, capturing: number) { $0 &+ 1 })
                                    }
                                    for (offset, future) in futures.enumerated() {
                                        let value = try await future.fetch()
                                        precondition(value == start + offset + 1)
                                    }
                                }
                            } / 1e6
                    }
                ])
        }
    }
}
