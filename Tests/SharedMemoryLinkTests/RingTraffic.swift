import SharedMemoryLink
import Transport
import Wire

// What goes through rings under load. The test program, which is two processes, has this file too.

/// A generator that gives the same numbers for the same seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

/// Messages that both sides can make up: random lengths, and bytes that tell messages and places in them apart.
struct RingTraffic {
    private var generator: SeededGenerator
    private var bytes: [UInt8]
    private let largest: Int

    init(seed: UInt64, largest: Int = 2000) {
        generator = SeededGenerator(seed: seed)
        self.largest = largest
        var noise = SeededGenerator(seed: 0)
        bytes = (0..<largest + 256).map { _ in UInt8.random(in: 0...255, using: &noise) }
    }

    /// Most messages are small; the noise is the same for all, from another byte on.
    private mutating func next() -> Range<Int> {
        let random = generator.next()
        let length = random & 7 == 0 ? Int(random >> 32) % (largest + 1) : Int(random >> 32) % 65
        let first = Int(random >> 8) & 255
        return first..<first + length
    }

    private static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reduce(UInt64(bytes.count)) { $0 &* 31 &+ UInt64($1) }
    }

    private static func isMessage(_ frame: [UInt8], _ body: ArraySlice<UInt8>) -> Bool {
        let checksum = unsafe withUnsafeBytes(of: checksum(frame.dropFirst(8))) { unsafe [UInt8]($0) }
        return frame.prefix(8) == checksum[...] && frame.dropFirst(8) == body
    }

    /// Sends that many messages; returns how many.
    mutating func send(_ count: Int, through ring: Ring, policy: SpinPolicy = SpinPolicy()) throws(LinkError) -> Int {
        var writer = RingWriter(ring, policy: policy)
        for _ in 0..<count {
            let range = next()
            let head = [RingTraffic.checksum(bytes[range])]
            try writer.send(
                unsafe head.span.bytes, unsafe bytes.span.bytes.extracting(range), until: monotonicSeconds() + 60)
        }
        return count
    }

    /// Checks that many messages; returns how many came as they should before one did not.
    mutating func check(_ count: Int, from ring: Ring, policy: SpinPolicy = SpinPolicy()) throws(LinkError) -> Int {
        var frames = FrameReader(RingReader(ring, policy: policy))
        var good = 0
        while good < count {
            var isGood = true
            let isThere = try frames.withNextFrame { frame, _ in
                let range = next()
                isGood = RingTraffic.isMessage(frame.copyBytes(), bytes[range])
            }
            guard isGood else { return good }
            if isThere {
                good += 1
            } else {
                guard try !frames.isAtEnd(), frames.waitForBytes(until: monotonicSeconds() + 60) else { return good }
            }
        }
        return good
    }
}

/// Sends numbers one by one, and waits for each to come back; returns how many did.
func roundTrips(_ count: Int, to there: Ring, from back: Ring, policy: SpinPolicy) throws(LinkError) -> Int {
    var writer = RingWriter(there, policy: policy)
    var frames = FrameReader(RingReader(back, policy: policy))
    for number in 0..<count {
        let head = [number]
        try writer.send(unsafe head.span.bytes, RawSpan(), until: monotonicSeconds() + 60)
        var answer = -1
        while try !frames.withNextFrame({ frame, _ in answer = unsafe frame.unsafeLoadUnaligned(as: Int.self) }) {
            guard frames.waitForBytes(until: monotonicSeconds() + 60) else { return number }
        }
        guard answer == number else { return number }
    }
    return count
}

/// Sends back all that comes until the ring ends; returns how many frames came.
func echoAll(from there: Ring, to back: Ring, policy: SpinPolicy) throws(LinkError) -> Int {
    var writer = RingWriter(back, policy: policy)
    var frames = FrameReader(RingReader(there, policy: policy))
    var count = 0
    while true {
        var bytes: [UInt8] = []
        while try frames.withNextFrame({ frame, _ in bytes = frame.copyBytes() }) {
            try writer.send(unsafe bytes.span.bytes, RawSpan(), until: monotonicSeconds() + 60)
            count += 1
        }
        guard try !frames.isAtEnd(), frames.waitForBytes(until: monotonicSeconds() + 60) else { return count }
    }
}
