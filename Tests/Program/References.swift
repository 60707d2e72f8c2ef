import Glibc
import Muster
import Synchronization

/// How much others refer to in this process.
private func referredTo() -> Int { ProcessState.current?.references.count ?? -1 }

/// Futures that a process keeps between calls.
private let kept = Mutex<[Future<Int>]>([])

/// Whether nothing is referred to any more in any process.
private func isFreed(_ cluster: Cluster) async throws -> Bool {
    try await eventually(within: 20) {
        try await cluster.remoteCallFetch(onEach: [1] + cluster.workers) { referredTo() }.allSatisfy { $0 == 0 }
    }
}

/// Passes a future on to the next process, and the next, which fetch it at last; all let go of it.
private func pass(_ future: Future<Int>, over processes: [WorkerID]) async throws -> Int {
    guard let next = processes.first else { return try await future.fetch() }
    return try await Worker.cluster.remoteCallFetch(on: next, capturing: future, Array(processes.dropFirst())) {
        try await pass($0, over: $1)
    }
}

/// Makes futures, and lets them go: each is waited for, every second fetched.
private func makeFutures(_ count: Int, _ cluster: Cluster) async throws {
    for start in stride(from: 0, to: count, by: 1000) {
        var futures: [Future<Int>] = []
        for number in start..<min(start + 1000, count) {
            futures.append(try await cluster.remoteCall(on: 2, capturing: number) { $0 + 1 })
        }
        for (offset, future) in futures.enumerated() where offset.isMultiple(of: 2) {
            guard try await future.fetch() == start + offset + 1 else { return say("wrong value") }
        }
        try await futures.last?.wait()
    }
}

/// KiB of memory that this process has.
private func residentKiB() -> Int { Int(status("VmRSS").split(separator: " ").first ?? "") ?? 0 }

private struct Footprint {
    let driver: Int
    let worker: Int

    init(_ cluster: Cluster) async throws {
        _ = try await isFreed(cluster)
        driver = residentKiB()
        worker = try await cluster.remoteCallFetch(on: 2) { residentKiB() }
    }
}

private nonisolated(nonsending) func outcome(_ work: nonisolated(nonsending) () async throws -> Void) async -> String {
    do {
        try await work()
        return "no error"
    } catch {
        return account(of: error)
    }
}

/// Waits in all ways for what a process has, and tells how each ended.
private func waitInAllWays(
    _ future: Future<Int>, _ empty: RemoteChannel<Int>, _ full: RemoteChannel<Int>, telling: RemoteChannel<WorkerID>
) async throws -> [String] {
    // From here on there is a link.
    _ = try await future.isReady
    let waiting = [
        Task.immediate { await outcome { _ = try await future.fetch() } },
        Task.immediate { await outcome { try await future.wait() } },
        Task.immediate { await outcome { _ = try await empty.take() } },
        Task.immediate { await outcome { _ = try await empty.fetch() } },
        Task.immediate { await outcome { try await empty.wait() } },
        Task.immediate { await outcome { try await full.put(1) } },
    ]
    // Behind all of those.
    _ = try await future.isReady
    try await telling.put(Worker.id)
    var outcomes: [String] = []
    for task in waiting { outcomes.append(await task.value) }
    return outcomes
}

let references: [String: Program.Scenario] = [
    "futures": { arguments in
        try await withWorkers(3, arguments[0]) { cluster in
            let cached = try await cluster.remoteCall(on: 2) { [1, 2, 3] }
            say("first", try await cached.fetch())
            let inner = try await cluster.remoteCall(on: 2) { 21 }
            let outer = try await cluster.remoteCall(on: 3, capturing: inner) { $0 }
            let doubled = try await cluster.remoteCallFetch(on: 4, capturing: outer) { outer in
                try await outer.fetch().fetch() * 2
            }
            say("future in a future", doubled, try await outer.fetch().fetch(), try await outer.fetch().id.where)
            let channel = try await cluster.remoteChannel(of: Future<Int>.self, capacity: 4, on: 3)
            try await channel.put(inner)
            let taken = try await cluster.remoteCallFetch(on: 4, capturing: channel) { try await $0.take().fetch() }
            say("future in a channel", taken)
            var many: [Future<Int>] = []
            for number in 0..<30 {
                many.append(
                    try await cluster.remoteCall(on: WorkerID(number % 4 + 1), capturing: number) { $0 * 10 })
            }
            let sum = try await cluster.remoteCallFetch(on: 4, capturing: many) { many in
                var sum = 0
                for future in many { sum += try await future.fetch() }
                return sum
            }
            say("futures in captures", sum)
            say("futures in a map", try await cluster.pmap(many) { try await $0.fetch() + 1 }.reduce(0, +))
            let gate = try await cluster.future(of: Int.self)
            let waiting = try await cluster.remoteCall(on: 2, capturing: gate) { try await $0.fetch() + 1 }
            let elsewhere = try await cluster.remoteCallFetch(on: 3, capturing: waiting) { try await $0.isReady }
            say("not ready", try await waiting.isReady, elsewhere, try await gate.isReady)
            await sayFailure("not within") { try await waiting.wait(deadline: .milliseconds(20)) }
            await sayFailure("not fetched within") { _ = try await waiting.fetch(deadline: .milliseconds(20)) }
            await sayFailure("not within, elsewhere") {
                try await cluster.remoteCallFetch(on: 3, capturing: waiting) {
                    try await $0.wait(deadline: .milliseconds(20))
                }
            }
            try await cluster.remoteCallFetch(on: 4, capturing: gate) { try await $0.put(1) }
            try await waiting.wait()
            say("ready then", try await waiting.isReady, try await waiting.fetch(), try await gate.fetch())
            let contested = try await cluster.future(of: WorkerID.self, on: 3)
            let wins = try await cluster.remoteCallFetch(onEach: [1, 2, 3, 4], capturing: contested) {
                contested -> WorkerID? in
                do {
                    try await contested.put(Worker.id)
                    return Worker.id
                } catch let error as ReferenceError where error.code == .alreadySet {
                    return nil
                }
            }
            say(
                "one has won", try await contested.fetch() == wins.compactMap { $0 }.first, wins.compactMap { $0 }.count
            )
            let failing = try await cluster.remoteCall(on: 2) { () throws -> Int in throw Refusal(worker: 2) }
            try await failing.wait()
            await sayFailure("its error") { _ = try await failing.fetch() }
            await sayFailure("its error elsewhere") {
                _ = try await cluster.remoteCallFetch(on: 4, capturing: failing) { try await $0.fetch() }
            }
            await sayFailure("nobody there") { _ = try await cluster.future(of: Int.self, on: 77) }
            try await cluster.removeWorkers([2])
            say("cached", try await cached.fetch(), try await cached.isReady)
            await sayFailure("gone") { _ = try await inner.fetch() }
            await sayFailure("gone elsewhere") {
                _ = try await cluster.remoteCallFetch(on: 3, capturing: inner) { try await $0.fetch() }
            }
        }
    },
    "freed": { arguments in
        try await withWorkers(3, arguments[0]) { cluster in
            func step(_ name: String, _ work: () async throws -> Void) async throws {
                try await work()
                say(name, try await isFreed(cluster))
            }
            try await step("never used") { _ = try await cluster.future(of: Int.self, on: 2) }
            try await step("never waited for") { _ = try await cluster.remoteCall(on: 2) { 1 } }
            try await step("fetched") { _ = try await cluster.remoteCall(on: 2) { 1 }.fetch() }
            try await step("threw") {
                _ = try await cluster.remoteCall(on: 2) { () throws -> Int in throw Refusal(worker: 2) }
            }
            try await step("put") { try await cluster.future(of: Int.self, on: 3).put(4) }
            try await step("on the driver") { _ = try await cluster.remoteCall(on: 1) { 1 }.fetch() }
            do {
                let future = try await cluster.remoteCall(on: 2) { 7 }
                try await future.wait()
                say("there", try await cluster.remoteCallFetch(on: 2) { referredTo() })
                try await cluster.remoteCallFetch(on: 3, capturing: future) { future in
                    kept.withLock { $0 = [future] }
                }
            }
            let held = try await cluster.remoteCallFetch(on: 3) {
                try await kept.withLock { $0 }.first?.fetch()
            }
            say("held by 3", held ?? -1, try await cluster.remoteCallFetch(on: 2) { referredTo() })
            try await step("let go by 3") { try await cluster.remoteCallFetch(on: 3) { kept.withLock { $0 = [] } } }
            try await step("dropped while its body runs") {
                let gate = try await cluster.future(of: Int.self)
                _ = try await cluster.remoteCall(on: 2, capturing: gate) { try await $0.fetch() }
                _ = try await cluster.remoteCall(on: 1, capturing: gate) { try await $0.fetch() }
                try await gate.put(1)
            }
            try await step("one in the other") {
                let inner = try await cluster.remoteCall(on: 2) { 1 }
                let outer = try await cluster.remoteCall(on: 3, capturing: inner) { $0 }
                _ = try await cluster.remoteCall(on: 4, capturing: outer) { [$0] }.fetch()[0].fetch().fetch()
            }
            try await step("passed on and on") {
                for turn in 0..<20 {
                    let processes = (0..<6).map { WorkerID((turn * 7 + $0 * $0) % 4 + 1) }
                    let future = try await cluster.remoteCall(on: WorkerID(turn % 4 + 1), capturing: turn) { $0 }
                    if try await pass(future, over: processes) != turn { say("wrong value") }
                }
            }
            try await step("channels") {
                let channel = try await cluster.remoteChannel(of: Future<Int>.self, capacity: 10, on: 3)
                for _ in 0..<5 { try await channel.put(try await cluster.remoteCall(on: 2) { 1 }) }
                _ = try await cluster.remoteCallFetch(on: 4, capturing: channel) { channel in
                    try await channel.put(try await Worker.cluster.remoteCall(on: 1) { 2 })
                    return try await channel.take().fetch()
                }
            }
            try await step("a channel of a kind of one's own") {
                let stack = try await cluster.remoteChannel(on: 2) { LimitedStack(limit: 2) }
                try await stack.put(1)
            }
            try await step("given up") {
                let future = try await cluster.future(of: Int.self, on: 2)
                let fetching = Task.immediate { try await future.fetch() }
                fetching.cancel()
                _ = await fetching.result
            }
            let passes = try await cluster.pmap(0..<200) { number in
                let cluster = try await Worker.cluster
                let future = try await cluster.remoteCall(on: WorkerID(number % 4 + 1), capturing: number) { $0 }
                return try await pass(future, over: [WorkerID(number % 3 + 2), WorkerID(number % 2 + 1)])
            }
            say("at the same time", passes == Array(0..<200), try await isFreed(cluster))
            say("left", try await cluster.remoteCallFetch(onEach: [1, 2, 3, 4]) { referredTo() })
        }
    },
    "future-memory": { arguments in
        let count = Int(arguments[1]) ?? 0
        try await withWorkers(1, arguments[0]) { cluster in
            try await makeFutures(max(count / 10, 10_000), cluster)
            let before = try await Footprint(cluster)
            try await makeFutures(count, cluster)
            let after = try await Footprint(cluster)
            say("driver grew by KiB", after.driver - before.driver)
            say("worker grew by KiB", after.worker - before.worker)
            say("bytes", before.driver, after.driver, before.worker, after.worker)
            // All at the same time.
            var futures: [Future<Int>] = []
            for number in 0..<count {
                futures.append(try await cluster.remoteCall(on: 2, capturing: number) { $0 })
            }
            say("last", try await futures.last?.fetch() ?? -1)
            say("at the same time", try await cluster.remoteCallFetch(on: 2) { referredTo() })
            futures = []
            say("freed", try await isFreed(cluster))
            let rooms = try await cluster.remoteCallFetch(onEach: [1, 2]) {
                ProcessState.current?.references.room ?? -1
            }
            say("no room kept", rooms.allSatisfy { $0 < 8192 }, rooms)
            let last = try await Footprint(cluster)
            say("afterwards", last.driver, last.worker)
        }
    },
    "owner-gone": { arguments in
        try await withWorkers(3, arguments[0]) { cluster in
            let future = try await cluster.future(of: Int.self, on: 2)
            let empty = try await cluster.remoteChannel(of: Int.self, on: 2)
            let full = try await cluster.remoteChannel(of: Int.self, capacity: 0, on: 2)
            let telling = try await cluster.remoteChannel(of: WorkerID.self, capacity: 3)
            let process = try await cluster.remoteCallFetch(on: 2) { processID() }
            var calls: [Future<[String]>] = []
            for other in [1, 3, 4] as [WorkerID] {
                calls.append(
                    try await cluster.remoteCall(on: other, capturing: future, empty, full, telling) {
                        try await waitInAllWays($0, $1, $2, telling: $3)
                    })
            }
            for _ in calls { _ = try await telling.take() }
            if arguments[1] == "killed" {
                kill(pid_t(process), SIGKILL)
            } else {
                try await cluster.removeWorkers([2])
            }
            for call in calls {
                for (number, outcome) in try await call.fetch().enumerated() {
                    say("\(call.id.where) \(number)", outcome)
                }
            }
            await sayFailure("afterwards") { _ = try await future.fetch() }
            await sayFailure("afterwards elsewhere") {
                _ = try await cluster.remoteCallFetch(on: 3, capturing: empty) { try await $0.take() }
            }
            let squares = try await cluster.pmap(0..<10) { $0 * $0 }
            say("goes on", squares.count)
        }
    },
    "holder-killed": { arguments in
        try await withWorkers(3, arguments[0]) { cluster in
            // Worker 4 alone refers to something of each other process, when it is killed.
            for owner in [1, 2, 3] as [WorkerID] {
                let future = try await cluster.remoteCall(on: owner) { 1 }
                try await cluster.remoteCallFetch(on: 4, capturing: future) { future in
                    kept.withLock { $0.append(future) }
                }
            }
            say("held", try await cluster.remoteCallFetch(onEach: [1, 2, 3]) { referredTo() })
            let process = try await cluster.remoteCallFetch(on: 4) { processID() }
            kill(pid_t(process), SIGKILL)
            _ = await eventually { !cluster.workers.contains(4) }
            say("freed", try await isFreed(cluster))
        }
    },
    "all-to-all": { arguments in
        let count = Int(arguments[0]) ?? 0
        try await withWorkers(count, "direct", topology: .allToAll(lazy: arguments[1] == "lazy")) { cluster in
            let workers = cluster.workers
            let sums = try await cluster.remoteCallFetch(onEach: workers) {
                let cluster = try await Worker.cluster
                return try await cluster.remoteCallFetch(onEach: cluster.workers, capturing: Worker.id.rawValue) {
                    $0 * Worker.id.rawValue
                }.reduce(0, +)
            }
            let sum = workers.map(\.rawValue).reduce(0, +)
            say("products", sums == workers.map { $0.rawValue * sum })
            // Each gives its future to all others, who fetch it.
            var futures: [Future<Int>] = []
            for worker in workers { futures.append(try await cluster.remoteCall(on: worker) { Worker.id.rawValue }) }
            let fetched = try await cluster.remoteCallFetch(onEach: workers, capturing: futures) { futures in
                var sum = 0
                for future in futures { sum += try await future.fetch() }
                return sum
            }
            say("fetched", fetched == workers.map { _ in sum })
            futures = []
            say("freed", try await isFreed(cluster))
        }
    },
]
