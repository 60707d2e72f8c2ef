import Glibc
import Muster
import Synchronization

/// What a manager is told of its workers, beside bringing them up as another does.
private struct Telling<Inner: ClusterManager>: ClusterManager {
    let inner: Inner

    func launch(_ site: LaunchSite) async throws { try await inner.launch(site) }

    func manage(_ worker: WorkerID, _ event: WorkerEvent) async {
        let names: [WorkerEvent: String] = [
            .registered: "registered", .deregistered: "deregistered", .interrupted: "interrupted",
            .finalized: "finalized",
        ]
        say("event", worker, names[event] ?? "?")
    }
}

/// A file by which a body tells that it has begun.
private func flagPath(_ name: String) -> String { "/tmp/muster-test-\(getpid())-\(name)" }

private func raiseFlag(_ path: String) { close(unsafe open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)) }

private func isFlagRaised(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

private func draw(_ count: Int, from random: ElementRandom) -> [UInt64] {
    var random = random
    return (0..<count).map { _ in random.next() }
}

/// Whether the two are alike; where not, the first place.
private func same<Value: Equatable>(_ found: [Value], _ expected: [Value]) -> String {
    guard found.count == expected.count else { return "\(found.count) values" }
    guard let place = found.indices.first(where: { found[$0] != expected[$0] }) else { return "true" }
    return "differs at \(place): \(found[place]) and not \(expected[place])"
}

let bodies: [String: Program.Scenario] = [
    "random": { arguments in
        let workers = Int(arguments[0]) ?? 1
        let expected = (0..<100).map { draw(3, from: ElementRandom(seed: 7, index: $0)) }
        try await withCluster(.local(workers)) { cluster in
            for (name, size) in [("1", 1), ("3", 3), ("automatic", .automatic), ("100", 100)] as [(String, BatchSize)] {
                for here in [false, true] {
                    let found = try await cluster.pmap(0..<100, batchSize: size, distributed: !here, seed: 7) { _ in
                        draw(3, from: Worker.random)
                    }
                    say("sync \(name) \(here):", same(found, expected))
                    let later = try await cluster.pmap(0..<100, batchSize: size, distributed: !here, seed: 7) { _ in
                        let before = draw(3, from: Worker.random)
                        await Task.yield()
                        return before == draw(3, from: Worker.random) ? before : []
                    }
                    say("async \(name) \(here):", same(later, expected))
                    let places = try await cluster.pmap(100..<200, batchSize: size, distributed: !here) { i in
                        Worker.index == i - 100
                    }
                    say("index \(name) \(here):", places.allSatisfy { $0 })
                }
                let batches: [UInt64] = try await cluster.pmapBatches((0..<100).map { $0 }, batchSize: size, seed: 7) {
                    (inputs, outputs) in
                    for index in inputs.indices {
                        var random = Worker.random(at: index)
                        outputs[index] = random.next()
                    }
                }
                say("batches \(name):", same(batches, expected.map { $0[0] }))
            }
            let retried = try await cluster.pmap(0..<100, batchSize: 10, seed: 7, retryDelays: [0, 0]) { _ in
                let numbers = draw(3, from: Worker.random)
                if Worker.attempt < 3 { throw NoPaper() }
                return numbers
            }
            say("retried:", same(retried, expected))
            say("outside:", Worker.index == nil, Worker.attempt, Worker.isCancelled)
            let call = try await cluster.remoteCallFetch { Worker.index == nil && Worker.attempt == 1 }
            say("call:", call)
        }
    },
    "seeds": { _ in
        let numbers: @Sendable (UInt64) async throws -> [[UInt64]] = { seed in
            try await withCluster(.local(2), seed: seed) { cluster in
                let first = try await cluster.pmap(0..<10) { _ in draw(1, from: Worker.random)[0] }
                let second = try await cluster.pmap(0..<10) { _ in draw(1, from: Worker.random)[0] }
                let third = try await cluster.pmap(0..<10, distributed: false) { _ in draw(1, from: Worker.random)[0] }
                let calls = [
                    try await cluster.remoteCallFetch { draw(1, from: Worker.random)[0] },
                    try await cluster.remoteCallFetch { draw(1, from: Worker.random)[0] },
                ]
                return [first, second, third, calls]
            }
        }
        let (first, again, other) = (try await numbers(0), try await numbers(0), try await numbers(1))
        say("again:", first == again)
        // Not a number twice: by chance one in 10^16 would be.
        let all = (first + other).flatMap { $0 }
        say("apart:", Set(all).count == all.count)
    },
    "attempts": { _ in
        try await withCluster(.local(3)) { cluster in
            say(
                "errors:",
                try await cluster.pmap(0..<6, batchSize: 3, retryDelays: [0, 0, 0]) { i in
                    if Worker.attempt <= i % 3 { throw NoPaper() }
                    return Worker.attempt
                })
            say(
                "ends:",
                try await cluster.pmap(0..<4, batchSize: 1) { i in
                    if i == 1, Worker.attempt == 1 { quit(3) }
                    return i == 1 ? Worker.attempt : 0
                })
        }
    },
    "isCancelled": { _ in
        try await withCluster(.local(1, options: noRestarts)) { cluster in
            for here in [false, true] {
                let path = flagPath("cancelled-\(here)")
                let map = Task {
                    try await cluster.pmap([1, 2, 3], capturing: path, batchSize: 3, distributed: !here) { _, path in
                        raiseFlag(path)
                        while !Worker.isCancelled {}
                    }
                }
                say("begun \(here):", await eventually { isFlagRaised(path) })
                unsafe unlink(path)
                map.cancel()
                await sayFailure("cancelled \(here):") { try await map.value }
            }
            let path = flagPath("call")
            let call = Task {
                try await cluster.remoteCallFetch(capturing: path) { path in
                    raiseFlag(path)
                    while !Worker.isCancelled {}
                }
            }
            say("call begun:", await eventually { isFlagRaised(path) })
            unsafe unlink(path)
            call.cancel()
            await sayFailure("call:") { try await call.value }
            say("afterwards:", try await cluster.pmap(1...3) { Worker.isCancelled ? 0 : $0 }, cluster.workers)
        }
    },
    "interrupts": { _ in
        try await withCluster(Telling(inner: .local(1, options: noRestarts))) { cluster in
            for here in [false, true] {
                let path = flagPath("interrupted-\(here)")
                let map = Task {
                    try await cluster.pmap(0..<4, capturing: path, batchSize: 4) { i, path in
                        guard i == 1 else { return Worker.isCancelled ? -1 : i }
                        raiseFlag(path)
                        while !Worker.isCancelled {}
                        return 100
                    }
                }
                _ = await eventually { isFlagRaised(path) }
                unsafe unlink(path)
                try await cluster.interrupt(here ? [2] : nil)
                say("element \(here):", try await map.value)
            }
            let path = flagPath("async")
            let map = Task {
                try await cluster.pmap(0..<2, capturing: path, batchSize: 1, retryDelays: [0]) { i, path in
                    if i == 0, Worker.attempt == 1 {
                        raiseFlag(path)
                        try await Task.sleep(for: .seconds(600))
                    }
                    return Worker.attempt
                }
            }
            _ = await eventually { isFlagRaised(path) }
            unsafe unlink(path)
            try await cluster.interrupt()
            let attempts = try await map.value
            say("async:", attempts[0])
            await sayFailure("nobody:") { try await cluster.interrupt([7]) }
            say("there:", cluster.workers)
        }
    },
    "interruptsOthers": { _ in
        try await withCluster(.local(2, options: noRestarts), cancellationGrace: .milliseconds(200)) { cluster in
            let path = flagPath("others")
            let map = Task {
                try await cluster.remoteCallFetch(on: 3, capturing: path) { path in
                    try await Worker.cluster.pmap(
                        0..<3, capturing: path, pool: WorkerPool([2]), batchSize: 3
                    ) { i, path -> Int in
                        if i == 0 {
                            raiseFlag(path)
                            while !Worker.isCancelled {}
                            return 100
                        }
                        // Longer than the grace.
                        spin(seconds: 0.4)
                        return i
                    }
                }
            }
            _ = await eventually { isFlagRaised(path) }
            unsafe unlink(path)
            try await cluster.interrupt([2])
            say("goes on:", try await map.value, cluster.workers)
        }
    },
    "graces": { arguments in
        let how = arguments[0]
        try await withCluster(.local(1), cancellationGrace: .milliseconds(300)) { cluster in
            let path = flagPath("grace")
            let stubborn = Task {
                let deadline: Duration? = how == "deadline" ? .milliseconds(100) : nil
                try await cluster.remoteCallFetch(capturing: path, deadline: deadline) { path in
                    raiseFlag(path)
                    spin(seconds: 600)
                }
            }
            _ = await eventually { isFlagRaised(path) }
            unsafe unlink(path)
            let process = try cluster.member(2).launched.process
            // Behind it in the same worker.
            let behind = Task { try await cluster.remoteCallFetch(on: 2) { 1 } }
            let map = Task { try await cluster.pmap(0..<10) { $0 } }
            _ = await eventually { ((try? cluster.member(2).pendingCount) ?? 0) > 2 }
            if how == "cancel" { stubborn.cancel() }
            if how == "interrupt" { try await cluster.interrupt() }
            await sayFailure("stubborn:") { try await stubborn.value }
            await sayFailure("behind:") { try await behind.value }
            say("map:", try await map.value)
            say("another:", cluster.workers, try cluster.member(3).launched.process != process)
        }
        // A map that has failed waits for what runs, however long.
        try await withCluster(.local(2, options: noRestarts), cancellationGrace: .milliseconds(10)) { cluster in
            await sayFailure("failed map:") {
                try await cluster.pmap(0..<2, batchSize: 1) { i in
                    if i == 1 { spin(seconds: 0.3) }
                    if i == 0 { throw NoPaper() }
                }
            }
            say("both there:", cluster.workers)
        }
        // An asynchronous body holds nobody up, and its worker stays.
        try await withCluster(.local(1), cancellationGrace: .milliseconds(10)) { cluster in
            let path = flagPath("patient")
            let patient = Task {
                try await cluster.remoteCallFetch(capturing: path) { path in
                    raiseFlag(path)
                    while !isFlagRaised(path + "-end") { await Task.yield() }
                }
            }
            _ = await eventually { isFlagRaised(path) }
            patient.cancel()
            await sayFailure("patient:") { try await patient.value }
            // Longer than the grace, and in order behind the cancellation.
            try await cluster.remoteCallFetch(on: 2) { spin(seconds: 0.2) }
            say("stays:", cluster.workers)
            raiseFlag(path + "-end")
            _ = await eventually { ((try? cluster.member(2).pendingCount) ?? 1) == 0 }
            unsafe unlink(path)
            unsafe unlink(path + "-end")
        }
    },
    "deadlines": { _ in
        try await withCluster(.local(2), cancellationGrace: .milliseconds(300)) { cluster in
            do {
                try await cluster.remoteCallFetch(on: 2, deadline: .milliseconds(100)) { while !Worker.isCancelled {} }
            } catch let error as DeadlineExceeded {
                let site = error.callSite.description
                say(
                    "call:", error.worker, error.index == nil, error.limit, site.hasPrefix("muster_test_program/Bodies")
                )
            }
            say("in time:", try await cluster.remoteCallFetch(on: 2, deadline: .seconds(600)) { 5 })
            say(
                "second attempts:",
                try await cluster.pmap(0..<6, batchSize: 6, deadline: .milliseconds(200), retryDelays: [0]) { i in
                    if i % 3 == 1, Worker.attempt == 1 { while !Worker.isCancelled {} }
                    return Worker.attempt
                })
            say("same workers:", cluster.workers)
            let told = Mutex<[String]>([])
            let asked = try await cluster.pmap(
                0..<6, deadline: .milliseconds(200),
                onError: { failure in
                    guard let error = failure.error as? DeadlineExceeded else { throw failure }
                    told.withLock {
                        $0.append("\(failure.index) \(error.index ?? -1) \(error.worker == failure.worker)")
                    }
                    return -1
                }
            ) { i in
                if i == 4 { try await Task.sleep(for: .seconds(600)) }
                return i
            }
            say("async:", asked, told.withLock { $0 })
            // Both workers meet one that does not end, and are replaced.
            let stubborn = try await cluster.pmap(0..<8, deadline: .milliseconds(100), onError: { _ in -1 }) { i in
                if i == 0 || i == 5 { spin(seconds: 600) }
                return i
            }
            say("stubborn:", stubborn)
            await sayFailure("unhandled:") {
                try await cluster.pmap(0..<2, distributed: false, deadline: .milliseconds(100)) { i in
                    if i == 1 { while !Worker.isCancelled {} }
                }
            }
            var streamed: [Int] = []
            let stream = try cluster.pmapStream(0..<4, deadline: .milliseconds(200), retryDelays: [0]) { i in
                if i == 2, Worker.attempt == 1 { while !Worker.isCancelled {} }
                return i * Worker.attempt
            }
            for try await (_, output) in stream { streamed.append(output) }
            say("streamed:", streamed)
        }
    },
]
