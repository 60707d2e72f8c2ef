import Glibc
import Muster

private let megabyte = 1 << 20

/// As many numbers as take that many MB.
private func numbers(_ megabytes: Int) -> [Double] { [Double](repeating: 1, count: megabytes << 17) }

/// What takes that many MB on its way, in many pieces: none of it fits a segment.
private func words(_ megabytes: Int) -> [String] {
    [String](repeating: String(repeating: "word", count: 256), count: megabytes << 10)
}

private func isWhole(_ words: [String], _ megabytes: Int) -> Bool {
    words.count == megabytes << 10 && words.last?.utf8.count == 1024
}

/// A result that the driver takes its time to read.
struct SlowToRead: WireCodable {
    var words: [String]

    init(words: [String]) { self.words = words }

    func write(to output: inout WireWriter) { output.write(words) }

    init(from input: inout WireReader) throws(WireError) {
        words = try input.read()
        spin(seconds: 0.02)
    }
}

let memoryFaults: [String: Program.Scenario] = [
    // 64 MB for the driver, and 64 for each worker.
    "out-of-memory": { _ in
        SegmentArena.limitShared(to: 64 * megabyte)
        try await withCluster(.local(2, options: noRestarts)) { cluster in
            let (small, large) = (numbers(20), numbers(100))
            func goesOn(_ name: String) async throws {
                // Those that were done with may still be on their way back.
                let isFree = try await segmentsShrink()
                let sums = try await cluster.pmap([small], capturing: small, pool: WorkerPool(cluster.workers)) {
                    [$0[0] + $1[0]] + $0
                }
                say(name, "then", isFree, sums[0].count == small.count + 1, cluster.workers)
            }
            await sayFailure("capture") { try await cluster.pmap(0..<4, capturing: large) { $0 + $1.count } }
            try await goesOn("capture")
            await sayFailure("element") { try await cluster.pmap([small, large, small], batchSize: 1) { $0.count } }
            try await goesOn("element")
            await sayFailure("result") { try await cluster.pmap(0..<2, batchSize: 1) { _ in numbers(100) } }
            try await goesOn("result")
            await sayFailure("later result") {
                try await cluster.pmap(0..<2, batchSize: 1) { _ in
                    await Task.yield()
                    return numbers(100)
                }
            }
            try await goesOn("later result")
            await sayFailure("call") { try await cluster.remoteCallFetch(capturing: large) { $0.count } }
            try await goesOn("call")
            await sayFailure("call's result") { try await cluster.remoteCallFetch { numbers(100) } }
            try await goesOn("call's result")
            await sayFailure("shared array") { _ = try SharedArray<Double>(count: 100 << 17, in: .shared) { _ in } }
            try await goesOn("shared array")
            await sayFailure("shared array there") {
                try await cluster.pmap([1]) { _ in try SharedArray<Double>(count: 100 << 17, in: .shared) { _ in } }
            }
            try await goesOn("shared array there")
            await sayFailure("stream") {
                for try await _ in try cluster.pmapStream([small, large], batchSize: 1, body: { $0.count }) {}
            }
            try await goesOn("stream")
        }
    },
    // The ring to a worker is full for as long as its body runs: far longer than it may be silent.
    "full-ring-to-worker": { _ in
        try await withCluster(.local(1), heartbeatLimit: .seconds(1)) { cluster in
            let elements = [[String]](repeating: words(2), count: 6)
            let counts = try await cluster.pmap(elements, batchSize: 1) { words in
                spin(seconds: 0.3)
                return isWhole(words, 2)
            }
            say("elements", counts == [Bool](repeating: true, count: 6))
            let map = Task {
                try await cluster.pmap(elements, batchSize: 2) { words in
                    spin(seconds: 2)
                    return words.count
                }
            }
            _ = await eventually { ((try? cluster.member(2).pendingCount) ?? 0) > 1 }
            map.cancel()
            await sayFailure("cancelled") { try await map.value }
            say("then", try await cluster.pmap(1...3) { $0 }, cluster.workers)
        }
    },
    "full-ring-lost": { arguments in
        let signal = arguments[0] == "stop" ? SIGSTOP : SIGKILL
        try await withCluster(.local(2, options: noRestarts), heartbeatLimit: .seconds(1)) { cluster in
            let elements = [[String]](repeating: words(2), count: 8)
            let process = pid_t(try cluster.member(2).launched.process)
            let results = try await cluster.pmap(elements, capturing: [process, signal], batchSize: 1) { words, how in
                // The other worker ends this one, which has a second element behind the one it is at.
                if Worker.id == 2 { while true { sleep(1) } }
                kill(how[0], how[1])
                return words
            }
            say("results", results.allSatisfy { isWhole($0, 2) }, cluster.workers)
        }
    },
    // Answers larger than the ring, while the driver reads others, and sends as much.
    "full-ring-from-worker": { _ in
        try await withCluster(.local(2), heartbeatLimit: .seconds(1)) { cluster in
            let slow = try await cluster.pmap(0..<24, batchSize: 1) { _ in SlowToRead(words: words(1)) }
            say("slow to read", slow.allSatisfy { isWhole($0.words, 1) })
            let elements = [[String]](repeating: words(1), count: 16)
            let echoed = try await cluster.pmap(elements, batchSize: 2) { words in words + words }
            say("both ways", echoed.allSatisfy { isWhole($0, 2) })
            let later = try await cluster.pmap(elements, batchSize: 8) { words in
                await Task.yield()
                return words + words
            }
            say("both ways at once", later.allSatisfy { isWhole($0, 2) })
            // A handler that waits for what comes after it: nobody may wait for the handler.
            let handled = try await cluster.pmap(
                0..<16, batchSize: 1,
                onError: { _ in
                    try await cluster.pmap(0..<4, batchSize: 1) { _ in words(1) }.flatMap { $0 }
                }
            ) { i in
                if i == 0 { throw NoPaper() }
                return words(4)
            }
            say("handler", handled.allSatisfy { isWhole($0, 4) })
            var taken = 0
            for try await (_, words) in try cluster.pmapStream(
                0..<16, batchSize: 1, readAhead: 4, body: { _ in words(1) })
            {
                spin(seconds: 0.01)
                if isWhole(words, 1) { taken += 1 }
            }
            say("taken one by one", taken, cluster.workers)
        }
    },
]
