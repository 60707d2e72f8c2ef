import CFloors
import Glibc
import SharedMemoryLink
import Transport

/// One byte to another process and back through rings, without anything around them.
struct RingRoundTrip: Benchmark {
    let name = "ring-round-trip"
    let title = "one byte to another process and back through rings, 20,000 times"
    let unit = Unit.microseconds

    private static let calls = 20_000

    func run(_ host: Host) async throws -> [Series] {
        let (first, second) = (CInt(host.driver), CInt(host.worker))
        return try await alternate(
            repeats: 9,
            [
                Lane(key: "futex.apart", label: "C: one word each way, woken always") {
                    floor_ring_round_trip(first, second, RingRoundTrip.calls, ringSpins)
                },
                Lane(key: "c.apart", label: "C: rings of bytes, CPUs \(first) and \(second)") {
                    floor_frame_round_trip(first, second, 1, RingRoundTrip.calls, ringSpins)
                },
                Lane(key: "muster.apart", label: "Muster: rings, CPUs \(first) and \(second)", floor: "c.apart") {
                    try await host.bound(to: [host.driver]) { try RingRoundTrip.measure(on: host.worker) }
                },
                Lane(key: "c.together", label: "C: rings of bytes, both on CPU \(first), asleep at once") {
                    floor_frame_round_trip(first, first, 1, RingRoundTrip.calls / 10, 0)
                },
                Lane(key: "muster.together", label: "Muster: rings, both on CPU \(first)", floor: "c.together") {
                    try await host.bound(to: [host.driver]) { try RingRoundTrip.measure(on: host.driver) }
                },
            ])
    }

    private static func measure(on cpu: Int) throws -> Double {
        let peer = try RingPair.start(.echo, calls: calls, cpu: cpu)
        var writer = RingWriter(peer.there)
        var frames = FrameReader(RingReader(peer.back))
        let byte: [UInt8] = [1]
        var start = 0.0
        for call in -ringWarmUp..<calls {
            if call == 0 { start = floor_seconds() }
            try writer.send(unsafe byte.span.bytes, RawSpan(), until: start + 600)
            while try !frames.withNextFrame({ _, _ in }) { _ = frames.waitForBytes(until: .infinity) }
        }
        let seconds = floor_seconds() - start
        peer.end()
        return seconds / Double(calls) * 1e6
    }
}

/// Frames of one size to another process, which copies them out of the ring.
struct RingFrames: Benchmark {
    let byteCount: Int
    var name: String { "ring-frames-\(byteCount)" }
    var title: String { "frames of \(byteCount) bytes to another process through a ring of 256 KiB" }
    let unit = Unit.gigabytesPerSecond

    private var calls: Int { max(2000, min(1_000_000, (1 << 28) / byteCount)) }

    func run(_ host: Host) async throws -> [Series] {
        let (first, second) = (CInt(host.driver), CInt(host.worker))
        return try await alternate(
            repeats: 9,
            [
                Lane(key: "c", label: "C: ring of bytes, CPUs \(first) and \(second)") {
                    floor_frames_one_way(first, second, byteCount, calls, ringSpins)
                },
                Lane(key: "muster", label: "Muster: ring", floor: "c") {
                    try await host.bound(to: [host.driver]) { try measure(on: host.worker) }
                },
            ])
    }

    private func measure(on cpu: Int) throws -> Double {
        let peer = try RingPair.start(.drain, calls: calls, cpu: cpu)
        var writer = RingWriter(peer.there)
        var frames = FrameReader(RingReader(peer.back))
        let bytes = [UInt8](repeating: 1, count: byteCount)
        var start = 0.0
        for call in -ringWarmUp..<calls {
            if call == 0 { start = floor_seconds() }
            try writer.send(unsafe bytes.span.bytes, RawSpan(), until: .infinity)
        }
        while try !frames.withNextFrame({ _, _ in }) { _ = frames.waitForBytes(until: .infinity) }
        let seconds = floor_seconds() - start
        peer.end()
        return Double(byteCount * calls) / seconds * 1e-9
    }
}

/// As often as C looks before it sleeps; about the 50 µs that Muster looks.
private let ringSpins = 2000
/// Frames before the clock starts, as C has them.
private let ringWarmUp = 500

/// What the other process does with what comes.
struct RingPeer {
    enum Work: String { case echo, drain }
    let work: Work
    let calls: Int
    let cpu: Int

    init?(_ arguments: some Collection<String>) {
        let words = Array(arguments)
        guard let work = Work(rawValue: words[0]), let calls = Int(words[1]), let cpu = Int(words[2]) else {
            return nil
        }
        (self.work, self.calls, self.cpu) = (work, calls, cpu)
    }

    func run() throws {
        var cpu = CInt(cpu)
        guard unsafe floor_bind_process(&cpu, 1) == 0 else { exit(1) }
        let memory = try SharedMemory(
            mapping: Descriptor(owning: 3), access: .readingAndWriting,
            byteCounts: 2 * RingPair.place...2 * RingPair.place)
        var frames = FrameReader(RingReader(try Ring(joining: memory, capacity: RingPair.capacity)))
        var writer = RingWriter(try Ring(joining: memory, at: RingPair.place, capacity: RingPair.capacity))
        let byte: [UInt8] = [1]
        for _ in 0..<calls + ringWarmUp {
            while try !frames.withNextFrame({ _, _ in }) { _ = frames.waitForBytes(until: .infinity) }
            if work == .echo { try writer.send(unsafe byte.span.bytes, RawSpan(), until: .infinity) }
        }
        if work == .drain { try writer.send(unsafe byte.span.bytes, RawSpan(), until: .infinity) }
    }
}

/// Two rings, and the process at their other side.
private struct RingPair {
    static let capacity = 1 << 18
    /// Where the second ring starts.
    static let place = (Ring.byteCount(capacity: capacity) + 127) / 128 * 128

    let there: Ring
    let back: Ring
    private let process: pid_t

    static func start(_ work: RingPeer.Work, calls: Int, cpu: Int) throws -> RingPair {
        let memory = try SharedMemory(byteCount: 2 * place)
        let there = Ring(creatingIn: memory, capacity: capacity)
        let back = Ring(creatingIn: memory, at: place, capacity: capacity)
        let descriptor = try memory.writableDescriptor()
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_adddup2(&actions, descriptor.number, 3)
        let words = ["muster-benchmarks", "--ring-peer", work.rawValue, "\(calls)", "\(cpu)"]
        var arguments = unsafe words.map { unsafe strdup($0) } + [nil]
        defer { unsafe arguments.forEach { unsafe free($0) } }
        var process: pid_t = 0
        let code = unsafe posix_spawn(&process, "/proc/self/exe", &actions, nil, &arguments, environ)
        guard code == 0 else { throw SystemError("start the other process", errno: code) }
        return RingPair(there: there, back: back, process: process)
    }

    func end() {
        var status: Int32 = 0
        unsafe waitpid(process, &status, 0)
    }
}
