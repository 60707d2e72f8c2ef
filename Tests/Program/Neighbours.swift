import Agent
import Glibc
import Muster
import SharedMemoryLink
import Synchronization
import Transport
import Wire

/// Links between two workers, one end of each, as bodies of a worker use them.
private final class Conversation: Sendable {
    struct Frame: Sendable {
        let bytes: [UInt8]
        let blocks: [SharedArray<UInt8>]
    }

    private struct State {
        var frames: [Frame] = []
        var waiting: [Eventual<Frame?>] = []
        var isOver = false
    }

    let link: any Link
    let end = Eventual<LinkError?>()
    private let state = Mutex(State())

    init(_ link: any Link) {
        self.link = link
        link.start { [self] frame in
            take(Frame(bytes: frame.rest.copyBytes(), blocks: frame.restOfBlocks))
        } onEnd: { [self] error in
            take(nil)
            end.fulfil(error)
        }
    }

    convenience init(toProcess process: Int) async throws {
        guard let neighbours = WorkerLoop.neighbours else { throw NoWorker() }
        self.init(try await neighbours.connect(toProcess: process))
    }

    private func take(_ frame: Frame?) {
        let waiting = state.withLock { state -> [Eventual<Frame?>] in
            if let frame {
                if state.waiting.isEmpty {
                    state.frames.append(frame)
                    return []
                }
                return [state.waiting.removeFirst()]
            }
            state.isOver = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for one in waiting { one.fulfil(frame) }
    }

    /// The next frame; `nil` when the link has ended.
    func next() async -> Frame? {
        let (frame, waiting) = state.withLock { state -> (Frame?, Eventual<Frame?>?) in
            if !state.frames.isEmpty { return (state.frames.removeFirst(), nil) }
            if state.isOver { return (nil, nil) }
            let waiting = Eventual<Frame?>()
            state.waiting.append(waiting)
            return (nil, waiting)
        }
        return await waiting?.get() ?? frame
    }

    /// Sends bytes, and numbers beside them, and waits for both to come back.
    func echo(_ bytes: [UInt8], _ block: SharedArray<UInt8>? = nil) async throws -> Frame? {
        try link.send(unsafe bytes.span.bytes, block.map { [$0] } ?? [])
        return await next()
    }
}

struct NoWorker: Error {}

/// What this worker was linked to by others: it sends everything back.
private final class Echo: Sendable {
    private struct State {
        var workers: [Int] = []
        var endCount = 0
    }

    private static let state = Mutex(State())
    /// Frames that are not sent back, of one byte.
    static let silent = Atomic(0)

    static func listen() {
        WorkerLoop.neighbours?.onLink { worker, link in
            state.withLock { $0.workers.append(worker) }
            link.start { frame in
                if frame.rest.byteCount == 64 {
                    silent.add(1, ordering: .relaxed)
                } else {
                    try? link.send(frame.rest, frame.restOfBlocks)
                }
            } onEnd: { _ in
                state.withLock { $0.endCount += 1 }
            }
        }
    }

    /// The workers that made links to this one, and how many of the links have ended.
    static var told: ([Int], Int) { state.withLock { ($0.workers, $0.endCount) } }
}

/// The conversation that a worker keeps from one body to the next.
private let kept = Mutex<Conversation?>(nil)

/// How many files this process has open; Swift's runtime takes a timer when it first needs one.
private func openFileCount() -> Int {
    names(in: "/proc/self/fd").count { !target(of: "/proc/self/fd/\($0)").contains("timerfd") }
}

private func numbers(_ count: Int) throws -> SharedArray<UInt8> {
    try SharedArray(count: count, in: .shared) { span in
        for index in 0..<count { span[index] = UInt8(truncatingIfNeeded: index &* 7) }
    }
}

/// Says things to another worker; returns how many came back whole, and whether arrays stayed where they were.
private func converse() async throws -> (Int, Bool) {
    guard let conversation = kept.withLock({ $0 }) else { return (0, false) }
    var (good, areShared) = (0, true)
    for size in [0, 1, 8, 1000, 131_072, 10_000_000] {
        let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
        if try await conversation.echo(bytes)?.bytes == bytes { good += 1 }
    }
    for count in [1, 4096, 8_000_000] {
        let block = try numbers(count)
        let back = try await conversation.echo([1], block)
        if let found = back?.blocks.first, Array(found) == Array(block) { good += 1 }
        areShared = areShared && back?.blocks.first?.segmentPlace?.segment.name == block.segmentPlace?.segment.name
    }
    return (good, areShared)
}

private func processes(of cluster: Cluster) async throws -> [WorkerID: Int] {
    var processes: [WorkerID: Int] = [:]
    for worker in cluster.workers {
        processes[worker] = try await cluster.remoteCallFetch(on: worker) { Int(getpid()) }
    }
    return processes
}

let neighbours: [String: Program.Scenario] = [
    "neighbours": { _ in
        try await withCluster(.local(2)) { cluster in
            let other = try await processes(of: cluster)[3] ?? 0
            let filesHere = openFileCount()
            let before = try await cluster.remoteCallFetch(on: 2) { openFileCount() }
            // In place of the cluster, which takes such links for those of its calls.
            try await cluster.remoteCallFetch(on: 3) { Echo.listen() }
            try await cluster.remoteCallFetch(on: 2, capturing: other) { other in
                let conversation = try await Conversation(toProcess: other)
                kept.withLock { $0 = conversation }
            }
            let (good, areShared) = try await cluster.remoteCallFetch(on: 2) { try await converse() }
            say("came back", good)
            say("arrays stayed", areShared)
            say("the other knows", try await cluster.remoteCallFetch(on: 3) { Echo.told.0 })
            for (name, process) in [("driver", Int(getpid())), ("init", 1), ("nobody", 4_000_000)] {
                await sayFailure(name) {
                    try await cluster.remoteCallFetch(on: 2, capturing: process) { process in
                        _ = try await Conversation(toProcess: process)
                    }
                }
            }
            await sayFailure("self") {
                try await cluster.remoteCallFetch(on: 2) { _ = try await Conversation(toProcess: Int(getpid())) }
            }
            try await cluster.remoteCallFetch(on: 2, capturing: other) { other in
                _ = kill(pid_t(other), SIGKILL)
                _ = await kept.withLock { $0 }?.end.get()
            }
            say("ended with the other")
            await sayFailure("dead") {
                try await cluster.remoteCallFetch(on: 2, capturing: other) { other in
                    _ = try await Conversation(toProcess: other)
                }
            }
            say(
                "files as before",
                try await eventually {
                    try await cluster.remoteCallFetch(on: 2, capturing: before) { before in
                        kept.withLock { $0 = nil }
                        return openFileCount() <= before
                    }
                })
            say(
                "memory as before",
                try await eventually {
                    try await cluster.remoteCallFetch(on: 2) { try SegmentArena.shared.usedByteCount == 0 }
                })
            // One of the workers is gone.
            say("files here as before", await eventually { openFileCount() <= filesHere })
        }
    },
    "silent-neighbour": { _ in
        try await withCluster(.local(2)) { cluster in
            let other = try await processes(of: cluster)[3] ?? 0
            try await cluster.remoteCallFetch(on: 3) { Echo.listen() }
            let before = try await cluster.remoteCallFetch(on: 2) { openFileCount() }
            kill(pid_t(other), SIGSTOP)
            await sayFailure("cancelled") {
                try await cluster.remoteCallFetch(on: 2, capturing: other) { other in
                    let waiting = Task { _ = try await Conversation(toProcess: other) }
                    waiting.cancel()
                    try await waiting.value
                }
            }
            await sayFailure("silent") {
                try await cluster.remoteCallFetch(on: 2, capturing: other) { other in
                    _ = try await Conversation(toProcess: other)
                }
            }
            kill(pid_t(other), SIGCONT)
            let good = try await cluster.remoteCallFetch(on: 2, capturing: other) { other in try await greet([other]) }
            say("afterwards", good == 1)
            say(
                "files as before",
                try await eventually {
                    try await cluster.remoteCallFetch(on: 2, capturing: before) { openFileCount() <= $0 }
                })
        }
    },
    "many-neighbours": { arguments in
        let count = Int(arguments[0]) ?? 20
        try await withCluster(.local(count)) { cluster in
            let others = try await Array(processes(of: cluster).values)
            for worker in cluster.workers { try await cluster.remoteCallFetch(on: worker) { Echo.listen() } }
            var before: [WorkerID: Int] = [:]
            for worker in cluster.workers {
                before[worker] = try await cluster.remoteCallFetch(on: worker) { openFileCount() }
            }
            let start = ContinuousClock.now
            let good = try await withThrowingTaskGroup(of: Int.self) { group in
                for worker in cluster.workers {
                    group.addTask {
                        try await cluster.remoteCallFetch(on: worker, capturing: others) { others in
                            try await greet(others.filter { $0 != Int(getpid()) })
                        }
                    }
                }
                return try await group.reduce(0, +)
            }
            say("took", ContinuousClock.now - start)
            say("answers", good)
            var (links, ends, isClean) = (0, 0, true)
            for worker in cluster.workers {
                let known = try await cluster.remoteCallFetch(on: worker) { Set(Echo.told.0).count }
                links += known
                isClean =
                    try await eventually {
                        try await cluster.remoteCallFetch(on: worker, capturing: before[worker] ?? 0) { before in
                            openFileCount() <= before
                        }
                    } && isClean
                ends += try await cluster.remoteCallFetch(on: worker) { Echo.told.1 }
            }
            say("known", links, "ended", ends)
            say("files as before", isClean)
        }
    },
    "jobs": { _ in
        try await withCluster(.local(1)) { cluster in
            let thread = try await cluster.remoteCallFetch(on: 2) { Int(bitPattern: pthread_self()) }
            let (good, threads) = try await cluster.remoteCallFetch(on: 2) { try await runJobs(2000) }
            say("one after the other", good)
            say("on the thread of bodies", threads == [thread])
            // Beside the driver's calls.
            let jobs = Task { try await cluster.remoteCallFetch(on: 2) { try await runJobs(2000).0 } }
            var sum = 0
            for number in 1...500 {
                sum += try await cluster.remoteCallFetch(on: 2, capturing: number) { number in number }
            }
            say("sum", sum)
            say("beside calls", try await jobs.value)
            say("after the body", try await cluster.remoteCallFetch(on: 2) { jobAfterThis() })
            say("ran", try await cluster.remoteCallFetch(on: 2) { late.load(ordering: .acquiring) })
        }
    },
    "neighbour-speed": { arguments in
        let rounds = arguments.first.flatMap { Int($0) } ?? 100_000
        try await withCluster(.localAffinity(count: 2)) { cluster in
            let other = try await processes(of: cluster)[3] ?? 0
            for worker in cluster.workers { try await cluster.remoteCallFetch(on: worker) { Echo.listen() } }
            for _ in 0..<3 {
                let times = try await cluster.remoteCallFetch(on: 2, capturing: other, rounds) { other, rounds in
                    try await measure(other, rounds)
                }
                say("round trip between pollers", times[0], "ns")
                say("round trip of who looks", times[1], "ns")
                say("one way", times[2], "ns a frame")
                say("8 MB there and back", times[3], "ns")
                say("to link", times[4], "ns")
            }
        }
    },
]

/// Greets other workers, all at the same time, and takes leave; how many answered.
private func greet(_ others: [Int]) async throws -> Int {
    try await withThrowingTaskGroup(of: Int.self) { group in
        for other in others {
            group.addTask {
                let conversation = try await Conversation(toProcess: other)
                let block = try numbers(100_000)
                let back = try await conversation.echo([1, 2], block)
                conversation.link.close()
                _ = await conversation.end.get()
                guard let back, back.bytes == [1, 2], let found = back.blocks.first else { return 0 }
                return Array(found) == Array(block) ? 1 : 0
            }
        }
        return try await group.reduce(0, +)
    }
}

/// Whether a job of ``jobAfterThis()`` has run.
private let late = Atomic(0)

/// A job that is queued by a body runs after that: whether it had not run when the body ended.
private func jobAfterThis() -> Bool {
    WorkerLoop.perform { late.store(1, ordering: .releasing) }
    spin(seconds: 0.05)
    return late.load(ordering: .acquiring) == 0
}

/// Runs jobs on the thread of bodies, half of them one by one; how many ran in their order, and on which threads.
private func runJobs(_ count: Int) async throws -> (Int, Set<Int>) {
    struct Seen {
        var numbers: [Int] = []
        var threads: Set<Int> = []
    }
    final class Log: Sendable { let seen = Mutex(Seen()) }
    let log = Log()
    for number in 0..<count {
        let isThere = Eventual<Bool>()
        WorkerLoop.perform {
            log.seen.withLock { seen in
                seen.numbers.append(number)
                seen.threads.insert(Int(bitPattern: pthread_self()))
            }
            isThere.fulfil(true)
        }
        if number % 2 == 1 { _ = await isThere.get() }
    }
    return log.seen.withLock { seen in
        (zip(seen.numbers, 0...).count { $0 == $1 }, seen.threads)
    }
}

/// Answers counted by who waits for them.
private final class Tally: Sendable {
    let count = Atomic(0)
    let isDone = Eventual<Bool>()
}

/// Nanoseconds of a round trip from poller to poller, of one that a thread looks for, of a frame one way, and of a round
/// trip with 8 MB; and to make a link.
private func measure(_ other: Int, _ rounds: Int) async throws -> [Int] {
    guard let neighbours = WorkerLoop.neighbours else { throw NoWorker() }
    var times: [Int] = []
    func time(_ count: Int, _ work: () async throws -> Void) async throws {
        let start = monotonicSeconds()
        try await work()
        times.append(Int((monotonicSeconds() - start) / Double(count) * 1e9))
    }
    let ball: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]
    do {
        let link = try await neighbours.connect(toProcess: other)
        let tally = Tally()
        link.start { _ in
            if tally.count.add(1, ordering: .relaxed).newValue < rounds {
                try? link.send(unsafe ball.span.bytes, [])
            } else {
                tally.isDone.fulfil(true)
            }
        } onEnd: { _ in
        }
        try await time(rounds) {
            try link.send(unsafe ball.span.bytes, [])
            _ = await tally.isDone.get()
        }
        link.close()
    }
    let link = try await neighbours.connect(toProcess: other)
    let tally = Tally()
    link.start { _ in
        tally.count.add(1, ordering: .releasing)
    } onEnd: { _ in
    }
    func roundTrip(_ round: Int, _ blocks: [SharedArray<UInt8>]) throws {
        try link.send(unsafe ball.span.bytes, blocks)
        while tally.count.load(ordering: .acquiring) < round {
            link.look { tally.count.load(ordering: .acquiring) >= round }
        }
    }
    try await time(rounds) { for round in 1...rounds { try roundTrip(round, []) } }
    let frame = [UInt8](repeating: 1, count: 64)
    try await time(rounds * 10) {
        for _ in 0..<rounds * 10 { try link.send(unsafe frame.span.bytes, []) }
        try roundTrip(rounds + 1, [])
    }
    let block = try numbers(8_000_000)
    try await time(100) { for round in 1...100 { try roundTrip(rounds + 1 + round, [block]) } }
    link.close()
    try await time(100) { for _ in 0..<100 { try await neighbours.connect(toProcess: other).close() } }
    return times
}
