import Muster
import Synchronization

/// How a map over eight elements ends of which the third fails.
private func outcome(_ work: () async throws -> [Int]) async -> String {
    do {
        return "\(try await work())"
    } catch let error as MapError {
        return "MapError \(error.indices) attempt \(error.first.attempt) \(type(of: error.first.error))"
    } catch {
        return "\(error)"
    }
}

private func text<Output>(_ outcomes: [Result<Output, MapFailure>]) -> String {
    outcomes.map { outcome in
        switch outcome {
        case .success(let output): "\(output)"
        case .failure(let failure): "element \(failure.index) attempt \(failure.attempt) \(type(of: failure.error))"
        }
    }.joined(separator: ", ")
}

let failureTable: [String: Program.Scenario] = [
    "failure-table": { _ in
        try await withCluster(.local(1)) { cluster in
            for (handler, delays, check) in [
                ("none", "none", true), ("none", "none", false), ("none", "zeros", true), ("none", "zeros", false),
                ("returns", "none", true), ("returns", "none", false), ("returns", "zeros", true),
                ("returns", "zeros", false), ("throws", "none", true), ("throws", "none", false),
                ("throws", "zeros", true), ("throws", "zeros", false),
            ] {
                for always in [false, true] {
                    for size in ["1", "4", "body"] {
                        let asked = Mutex(0)
                        let checked = Mutex(0)
                        let returns: @Sendable (MapFailure) async throws -> Int = { _ in
                            asked.withLock { $0 += 1 }
                            return -1
                        }
                        let throwsAgain: @Sendable (MapFailure) async throws -> Int = { _ in
                            asked.withLock { $0 += 1 }
                            throw OutOfInk(colour: "red")
                        }
                        let onError = handler == "none" ? nil : handler == "returns" ? returns : throwsAgain
                        let retryDelays = delays == "zeros" ? [0.0, 0, 0] : []
                        let retryCheck: @Sendable (MapFailure) -> Bool = { _ in
                            checked.withLock { $0 += 1 }
                            return check
                        }
                        let how = await outcome {
                            guard size == "body" else {
                                return try await cluster.pmap(
                                    0..<8, capturing: always, batchSize: size == "1" ? 1 : 4, onError: onError,
                                    retryDelays: retryDelays, retryCheck: retryCheck
                                ) { i, always in
                                    if i == 2, always || Worker.attempt == 1 { throw NoPaper() }
                                    return i
                                }
                            }
                            return try await cluster.pmapBatches(
                                0..<8, capturing: always, batchSize: 4, onError: onError, retryDelays: retryDelays,
                                retryCheck: retryCheck
                            ) { (inputs, outputs: inout MutableSpan<Int>, always) in
                                for place in inputs.indices {
                                    if inputs[place] == 2, always || Worker.attempt == 1 { throw NoPaper() }
                                    outputs[place] = inputs[place]
                                }
                            }
                        }
                        let name = "\(handler)-\(delays)-\(check)-\(always ? "always" : "once")-\(size):"
                        say(name, how, "asked", asked.withLock { $0 }, "checked", checked.withLock { $0 })
                    }
                }
            }
        }
    },
    "outcomes": { _ in
        try await withCluster(.local(2)) { cluster in
            say(
                "sync:",
                text(
                    try await cluster.pmap(0..<5, batchSize: 2, onError: { $0 }) { i in
                        if i % 2 == 1 { throw NoPaper() }
                        return i * 10
                    }))
            say(
                "async:",
                text(
                    try await cluster.pmap(0..<3, onError: { $0 }) { i in
                        await Task.yield()
                        if i == 0 { throw NoPaper() }
                        return "\(i)"
                    }))
            let stored = RemoteFunction { (i: Int) in if i == 1 { throw NoPaper() } }
            say("stored:", text(try await cluster.pmap(0..<2, onError: { $0 }, body: stored)))
            let retried = try await cluster.pmap(
                0..<4,
                onError: { failure in
                    if failure.attempt == 1 { throw failure }
                    return failure.with(OutOfInk(colour: "\(failure.attempt)"))
                }, retryDelays: [0]
            ) { i in
                if i == 1 || i == 3 && Worker.attempt == 1 { throw NoPaper() }
                return i
            }
            say("retried:", text(retried))
            await sayFailure("thrown:") {
                try await cluster.pmap(0..<4, onError: { failure -> MapFailure in throw failure }) { i -> Void in
                    if i == 1 { throw NoPaper() }
                }
            }
            // Elements whose number isn't known.
            let sequence = sequence(first: 0) { $0 < 4 ? $0 + 1 : nil }
            say(
                "unknown:",
                text(
                    try await cluster.pmap(sequence, onError: { $0 }) { i in
                        if i == 2 { throw NoPaper() }
                        return i
                    }))
        }
    },
]
