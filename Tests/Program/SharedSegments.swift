import Glibc
import Muster
import SharedMemoryLink

/// Bytes of 40 MB of numbers.
private let largeCount = 5_000_000
private let megabyte = 1 << 20

/// Memory of arenas that this process maps, in MB: of a page that n processes map, each is charged an nth.
func arenaMegabytes() -> Double {
    var (kilobytes, isArena) = (0, false)
    for line in text(of: "/proc/self/smaps").split(separator: "\n") {
        if line.contains("/memfd:") {
            isArena = line.contains("/memfd:muster-arena")
        } else if line.first?.isHexDigit == true, !line.prefix(20).contains(":") {
            isArena = false
        } else if isArena, line.hasPrefix("Pss:") {
            kilobytes += line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        }
    }
    return Double(kilobytes) / 1000
}

/// Mappings and descriptors of arenas in this process.
private func arenaReferences() -> Int {
    text(of: "/proc/self/maps").split(separator: "\n").count { $0.contains("/memfd:muster-arena") }
        + names(in: "/proc/self/fd").count { target(of: "/proc/self/fd/\($0)").contains("/memfd:muster-arena") }
}

/// Megabytes that segments of this process have.
func usedMegabytes() throws -> Int { try SegmentArena.shared.usedByteCount / megabyte }

/// Waits until segments have no more than that many megabytes.
func segmentsShrink(to megabytes: Int = 0) async throws -> Bool {
    try await eventually { try SegmentArena.shared.usedByteCount <= megabytes * megabyte }
}

/// The same for each worker's own.
private func workersSegmentsShrink(_ cluster: Cluster, to megabytes: Int = 0) async throws -> Bool {
    for worker in cluster.workers {
        let isFree = try await eventually {
            try await cluster.remoteCallFetch(on: worker, capturing: megabytes) { megabytes in
                try SegmentArena.shared.usedByteCount <= megabytes << 20
            }
        }
        if !isFree { return false }
    }
    return true
}

/// Where an array lies: the arena and the place in it, the same in all processes.
struct Place: WireCodable, Codable, Hashable {
    var arena: UInt64
    var offset: Int

    init(_ array: SharedArray<Double>) {
        let place = array.segmentPlace
        arena = place?.segment.name.arena ?? 0
        offset = place.map { $0.segment.name.offset + $0.byteOffset } ?? -1
    }
}

/// Numbers of which the first of each page is 1.
private func ones(_ count: Int = largeCount) throws -> SharedArray<Double> {
    try SharedArray(count: count, in: .shared) { span in
        for index in stride(from: 0, to: count, by: pageCount) { span[index] = 1 }
    }
}

/// Numbers on a page.
private let pageCount = 512
private let pages = (largeCount + pageCount - 1) / pageCount

/// How many pages of ``ones(_:)`` there are; reads from all of them.
private func onesCount(_ array: SharedArray<Double>) -> Int {
    stride(from: 0, to: array.count, by: pageCount).count { array[$0] == 1 }
}

private func address(of array: SharedArray<Double>) -> UInt {
    unsafe array.span.withUnsafeBufferPointer { UInt(bitPattern: $0.baseAddress) }
}

/// Memory that is no segment, of which one sees when it goes; more than fits into any arena.
private final class Kept: Sendable {
    private static let count = 1 << 40

    /// Reserved, and never touched.
    var array: SharedArray<Double> {
        let base = unsafe mmap(nil, Kept.count * 8, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        guard let base = unsafe base, unsafe base != MAP_FAILED else { return SharedArray(copying: [0].span) }
        // SAFETY: as many as were reserved; nobody reads them, since they fit nowhere.
        let elements = unsafe UnsafeBufferPointer(start: base.assumingMemoryBound(to: Double.self), count: Kept.count)
        return unsafe SharedArray(elements, owner: self)
    }
}

let sharedSegments: [String: Program.Scenario] = [
    "segments-return": { _ in
        try await withCluster(.local(2)) { cluster in
            let plain = WorkerPool(cluster.workers)
            for round in 1...3 {
                let elements = (0..<2).map { [Double](repeating: Double($0), count: largeCount) }
                let table = [Double](repeating: Double(round), count: largeCount)
                let results = try await cluster.pmap(elements, capturing: table, pool: plain, batchSize: 1) {
                    x, table in
                    [Double](repeating: x[largeCount - 1] + table[largeCount - 1], count: largeCount)
                }
                say("round", round, results.map { [$0.count, Int($0[largeCount - 1])] })
            }
            say("maps", try await segmentsShrink(), try await workersSegmentsShrink(cluster))
            let table = [Double](repeating: 3, count: largeCount)
            say("call", try await cluster.remoteCallFetch(capturing: table) { Array($0.dropFirst()) }.count)
            say("calls", try await segmentsShrink(), try await workersSegmentsShrink(cluster))
            let later = try await cluster.pmap([table], capturing: table, pool: plain) { x, y in
                await Task.yield()
                return [x[0] + y[0]] + x
            }
            say("asynchronous", later[0].count, try await segmentsShrink(), try await workersSegmentsShrink(cluster))
        }
    },
    // Nobody keeps what was sent last until it sends something else.
    "last-message": { _ in
        try await withCluster(.local(2)) { cluster in
            do {
                let samples = try ones()
                _ = try await cluster.remoteCallFetch(on: 2, capturing: samples) { $0 }
                _ = try await cluster.pmap([samples], pool: WorkerPool([3])) { $0 }
            }
            say("echoed", try await segmentsShrink())
            do {
                let samples = try ones()
                _ = try await cluster.remoteCallFetch(on: 2, capturing: samples) { samples in
                    await Task.yield()
                    return samples
                }
            }
            say("echoed later", try await segmentsShrink())
            do {
                let made = try await cluster.remoteCallFetch(on: 2) { try ones() }
                _ = try await cluster.remoteCallFetch(on: 2, capturing: made) { $0.count }
                _ = try await cluster.remoteCallFetch(on: 3, capturing: made) { $0.count }
            }
            say("passed on", try await segmentsShrink(), try await workersSegmentsShrink(cluster))
            // Also what could not be sent.
            weak var unsent: Kept?
            do {
                let kept = Kept()
                unsent = kept
                let samples = kept.array
                await sayFailure("unsent") { try await cluster.remoteCallFetch(on: 2, capturing: samples) { $0.count } }
            }
            say("dropped", unsent == nil)
        }
    },
    // As it is with many small rounds: nothing is left of any.
    "rounds": { arguments in
        let rounds = Int(arguments[0]) ?? 50
        try await withCluster(.local(2)) { cluster in
            let arena = try SegmentArena.shared
            func taken() async throws -> [Int] {
                [arena.memory.allocatedByteCount]
                    + (try await cluster.pmap(0..<2, batchSize: 1) { _ in
                        try SegmentArena.shared.memory.allocatedByteCount
                    })
            }
            let plain = WorkerPool(cluster.workers)
            var (early, memory) = ([Int](), 0)
            for round in 1...rounds {
                let elements = (0..<4).map { [Double](repeating: Double($0), count: 500_000) }
                let table = [Double](repeating: 1, count: 500_000)
                _ = try await cluster.pmap(elements, capturing: table, pool: plain, batchSize: 1) { x, table in
                    [Double](repeating: x[0] + table[0], count: x.count)
                }
                if round == rounds / 5 {
                    guard try await segmentsShrink() else { return say("rounds", "segments stay") }
                    (early, memory) = (try await taken(), residentKilobytes())
                }
            }
            say("free", try await segmentsShrink(), try await workersSegmentsShrink(cluster))
            let grown = zip(try await taken(), early).map { ($0 - $1) / megabyte }
            say("grown", grown.allSatisfy { $0 <= 24 }, grown, (residentKilobytes() - memory) / 1000 <= 40)
        }
    },
    "killed-with-segments": { _ in
        try await withCluster(.local(2, options: noRestarts)) { cluster in
            let before = arenaReferences()
            // What it was given, while it has it.
            do {
                let samples = try ones()
                let map = Task {
                    try await cluster.pmap([samples], capturing: samples, pool: WorkerPool([2]), retries: 0) { x, y in
                        kill(getpid(), SIGKILL)
                        return x[0] + y[0]
                    }
                }
                do { _ = try await map.value } catch { say("killed", error is MapError) }
                say("ours", onesCount(samples) == pages)
            }
            say("given back", try await segmentsShrink(), cluster.workers)
            // What it gave, while this process has it.
            do {
                let result = try await cluster.remoteCallFetch(on: 3) { try ones() }
                try await cluster.addWorkers(.local(1, options: noRestarts))
                try kill(pid_t(cluster.member(3).launched.process), SIGKILL)
                _ = await eventually { cluster.workers == [4] }
                say("theirs", onesCount(result) == pages)
            }
            // The arenas of workers that are gone are, too: left are this process's and the one worker's.
            say("let go", await eventually { arenaReferences() < before })
            say("goes on", try await cluster.pmap(1...3) { $0 })
        }
    },
    "lingers-with-segments": { _ in
        try await withCluster(.local(2, options: noRestarts)) { cluster in
            let samples = try ones()
            let results = try await cluster.pmap(0..<2, capturing: samples, batchSize: 1) { _, samples in try ones() }
            say("ready", results.count)
            try await Task.sleep(for: .seconds(1000))
            say(samples.count)
        }
    },
    "one-copy": { _ in
        try await withCluster(.local(2)) { cluster in
            let samples = try ones()
            let place = Place(samples)
            let seen = try await cluster.pmap(0..<2, capturing: samples, batchSize: 1) { _, samples in
                (Place(samples), onesCount(samples))
            }
            say("capture", seen.allSatisfy { $0 == place && $1 == pages })
            // Both workers read all of it, and so did this process.
            let read = onesCount(samples)
            let shares = try await cluster.pmap(0..<2, batchSize: 1) { _ in arenaMegabytes() }
            let sum = shares.reduce(arenaMegabytes(), +)
            say("megabytes", sum >= 39 && sum <= 48, sum, read == pages)
            say("element", try await cluster.pmap([samples, samples], batchSize: 1) { Place($0) } == [place, place])
            say("argument", try await cluster.remoteCallFetch(capturing: samples) { Place($0) } == place)
            // It comes back as what it was.
            let echoed = try await cluster.pmap([samples, samples], batchSize: 1) { $0 }
            say("echo", echoed.allSatisfy { address(of: $0) == address(of: samples) })
            let echo = try await cluster.remoteCallFetch(capturing: samples) { $0.extracting(100_000..<200_000) }
            say("part of it", address(of: echo) == address(of: samples) + 800_000, try usedMegabytes())
            // What a worker has made lies where it was made.
            let (made, there) = try await cluster.remoteCallFetch(on: 2) {
                let array = try ones()
                return (array, Place(array))
            }
            let results = try await cluster.pmap(0..<2, batchSize: 1) { _ in
                let array = try ones(1 << 18)
                return (array, Place(array))
            }
            say("result", Place(made) == there, there.arena != place.arena, results.allSatisfy { Place($0) == $1 })
            // And goes back there as what it was.
            let back = try await cluster.remoteCallFetch(on: 2, capturing: made) { (Place($0), onesCount($0)) }
            say("sent back", back.0 == there, back.1 == pages, try usedMegabytes())
            // Another worker does not map that one's memory: there it is one copy more, of this process's.
            let elsewhere = try await cluster.remoteCallFetch(on: 3, capturing: made) { (Place($0), onesCount($0)) }
            say("to another", elsewhere.0.arena == place.arena, elsewhere.1 == pages)
            say("and that copy goes", try await segmentsShrink(to: 40))
        }
        say("left", try await segmentsShrink())
    },
]
