import CPlatform
import Glibc
import SharedMemoryLink
import Synchronization
import Testing
import Transport
import Wire

/// All of it: 10^7 messages each way, instead of what takes part of a second.
private let isFull = unsafe getenv("MUSTER_TEST_FULL") != nil

/// What came of a thread's work; taken by the test.
private typealias Outcome = Eventual<Result<Int, LinkError>>

/// Runs `work` on a thread of its own: those of Swift's pool must not sleep.
private func onThread(_ work: @escaping @Sendable () throws(LinkError) -> Int) -> Outcome {
    final class Job: Sendable {
        let work: @Sendable () throws(LinkError) -> Int
        let outcome = Outcome()
        init(_ work: @escaping @Sendable () throws(LinkError) -> Int) { self.work = work }
    }
    let job = Job(work)
    var thread = pthread_t()
    // SAFETY: the reference handed over is taken once, by the new thread.
    let code = unsafe pthread_create(
        &thread, nil,
        { argument in
            let job = unsafe Unmanaged<Job>.fromOpaque(argument!).takeRetainedValue()
            job.outcome.fulfil(Result { () throws(LinkError) in try job.work() })
            return nil
        }, Unmanaged.passRetained(job).toOpaque())
    precondition(code == 0, "a test gets its threads")
    pthread_detach(thread)
    return job.outcome
}

/// A number that threads tell each other.
private final class Count: Sendable {
    private let number = Atomic(0)
    var value: Int {
        get { number.load(ordering: .acquiring) }
        set { number.store(newValue, ordering: .releasing) }
    }
}

/// Memory for two rings, one each way, and both sides' views.
private func ringsBothWays(capacity: Int) throws -> (there: [Ring], back: [Ring]) {
    let size = Ring.byteCount(capacity: capacity)
    let second = (size + 127) / 128 * 128
    let memory = try SharedMemory(byteCount: second + size)
    return (
        [Ring(creatingIn: memory, capacity: capacity), try Ring(joining: memory, capacity: capacity)],
        [
            Ring(creatingIn: memory, at: second, capacity: capacity),
            try Ring(joining: memory, at: second, capacity: capacity),
        ]
    )
}

@Suite("Rings under load", .serialized)
struct RingStressTests {
    @Test(
        "messages of random sizes arrive whole and in order, both ways at once, from small rings and large",
        arguments: [64, 4096, 1 << 18])
    func bothWays(capacity: Int) async throws {
        let count = isFull ? 10_000_000 : 4_000
        let (there, back) = try ringsBothWays(capacity: capacity)
        let outcomes = [(there, UInt64(1)), (back, 2)].flatMap { rings, seed in
            [
                onThread { () throws(LinkError) in
                    var traffic = RingTraffic(seed: seed)
                    return try traffic.send(count, through: rings[0])
                },
                onThread { () throws(LinkError) in
                    var traffic = RingTraffic(seed: seed)
                    return try traffic.check(count, from: rings[1])
                },
            ]
        }
        for outcome in outcomes { #expect(await outcome.get() == .success(count)) }
    }

    @Test("two sides that sleep at once, always, wake each other every time", arguments: [false, true])
    func sleeps(tinyLooks: Bool) async throws {
        let rounds = isFull ? 1_000_000 : 8_000
        let policy = tinyLooks ? SpinPolicy(limit: 0.5e-6) : .never
        let (there, back) = try ringsBothWays(capacity: 64)
        let echo = onThread { () throws(LinkError) in
            try echoAll(from: there[1], to: back[1], policy: policy)
        }
        let asker = onThread { () throws(LinkError) in
            defer { there[0].close() }
            return try roundTrips(rounds, to: there[0], from: back[0], policy: policy)
        }
        #expect(await asker.get() == .success(rounds))
        #expect(await echo.get() == .success(rounds))
    }

    @Test(
        "frames far larger than the ring come whole, and a writer that sleeps whenever it is full is woken every time",
        arguments: [(16, 100_000), (4096, 3_000_000), (1 << 18, isFull ? 300_000_000 : 20_000_000)])
    func large(capacity: Int, byteCount: Int) async throws {
        let (rings, _) = try ringsBothWays(capacity: capacity)
        var bytes = [UInt8](repeating: 0, count: byteCount)
        for index in stride(from: 0, to: byteCount, by: 997) { bytes[index] = UInt8(truncatingIfNeeded: index / 997) }
        let writing = onThread { [bytes] () throws(LinkError) in
            var writer = RingWriter(rings[0], policy: .never)
            for _ in 0..<2 { try writer.send(unsafe bytes.span.bytes, RawSpan(), until: monotonicSeconds() + 600) }
            return 2
        }
        let reading = onThread { [bytes] () throws(LinkError) in
            var frames = FrameReader(RingReader(rings[1], policy: .never))
            var good = 0
            while good < 2 {
                var isGood = true
                let isThere = try frames.withNextFrame { frame, _ in
                    isGood = frame.copyBytes() == bytes
                    if isGood { good += 1 }
                }
                guard isGood, isThere || frames.waitForBytes(until: monotonicSeconds() + 600) else { return good }
            }
            return good
        }
        #expect(await writing.get() == .success(2))
        #expect(await reading.get() == .success(2))
    }

    @Test(
        "a reader that waits is interrupted every time, and what is written meanwhile is not lost",
        arguments: [0, 5e-5])
    func interruptions(limit: Double) async throws {
        let rounds = isFull ? 1_000_000 : 8_000
        let (there, _) = try ringsBothWays(capacity: 64)
        let asked = Count()
        let seen = Count()
        let receiving = there[1]
        let reading = onThread { () throws(LinkError) in
            var reader = RingReader(receiving, policy: SpinPolicy(limit: limit))
            var byteCount = 0
            while seen.value < rounds {
                guard reader.waitForBytes(until: monotonicSeconds() + 60) else { return -1 }
                byteCount += try reader.read(64).count
                seen.value = asked.value
            }
            return byteCount + (try reader.read(64).count)
        }
        let interrupting = onThread { () throws(LinkError) in
            var writer = RingWriter(there[0])
            for round in 1...rounds {
                if round % 3 == 0 {
                    _ = try writer.write([1])
                    writer.publish()
                }
                asked.value = round
                receiving.interruptReader()
                let deadline = monotonicSeconds() + 60
                while seen.value < round {
                    guard monotonicSeconds() < deadline else { return round }
                    sched_yield()
                }
            }
            return rounds
        }
        #expect(await interrupting.get() == .success(rounds))
        #expect(await reading.get() == .success(rounds / 3))
    }

    @Test("an interruption before the wait ends it at once, and only that one")
    func interruptedBefore() throws {
        let (there, _) = try ringsBothWays(capacity: 64)
        var reader = RingReader(there[1], policy: .never)
        there[1].interruptReader()
        there[1].interruptReader()
        let start = monotonicSeconds()
        let isInterrupted = reader.waitForBytes(until: start + 60)
        #expect(isInterrupted && monotonicSeconds() - start < 30)
        let isInterruptedAgain = reader.waitForBytes(until: monotonicSeconds() + 0.01)
        #expect(!isInterruptedAgain)
    }

    @Test("closing wakes who sleeps, on either side and at either end", arguments: [0, 1], [0, 1])
    func closing(closer: Int, sleeper: Int) async throws {
        let (rings, _) = try ringsBothWays(capacity: 16)
        let begins = Eventual<Bool>()
        let waiting = onThread { () throws(LinkError) in
            if sleeper == 0 {
                var writer = RingWriter(rings[0], policy: .never)
                _ = try writer.write([UInt8](repeating: 1, count: 16))
                begins.fulfil(true)
                return try writer.waitForSpace(until: monotonicSeconds() + 60) ? 1 : 0
            }
            var reader = RingReader(rings[1], policy: .never)
            begins.fulfil(true)
            return reader.waitForBytes(until: monotonicSeconds() + 60) ? 1 : 0
        }
        _ = await begins.get()
        try await Task.sleep(for: .milliseconds(5))  // by now it sleeps, in most cases; it has to be woken in all
        #expect(waiting.value == nil)
        rings[closer].close()
        #expect(await waiting.get() == .success(1))
    }

    @Test("a reader in a poller is woken by its event, and only while it says that it sleeps")
    func event() async throws {
        let event = Descriptor(owning: eventfd(0, CInt(EFD_CLOEXEC) | CInt(EFD_NONBLOCK)))
        var value: eventfd_t = 0
        var pair = try RingPair(capacity: 64, waking: .event(event.number))
        _ = try pair.writer.write([1])
        pair.writer.publish()
        #expect(unsafe eventfd_read(event.number, &value) == -1)
        let sleepsWithNews = pair.reader.sleepInPoller()
        #expect(!sleepsWithNews)
        _ = try pair.writer.write([1])
        pair.writer.publish()
        #expect(unsafe eventfd_read(event.number, &value) == -1)
        #expect(try pair.reader.read(64) == [1, 1])
        let sleeps = pair.reader.sleepInPoller()
        #expect(sleeps)
        for byte in UInt8(2)...3 {
            _ = try pair.writer.write([byte])
            pair.writer.publish()
        }
        #expect(unsafe eventfd_read(event.number, &value) == 0 && value == 1)
        #expect(try pair.reader.read(64) == [2, 3])
        _ = pair.reader.sleepInPoller()
        pair.reader.wakeFromPoller()
        _ = try pair.writer.write([4])
        pair.writer.publish()
        #expect(unsafe eventfd_read(event.number, &value) == -1)
        pair.sending.close()
        #expect(unsafe eventfd_read(event.number, &value) == 0)
    }

    @Test("a writer in a poller is woken by its event when there is space, and only while it says that it sleeps")
    func eventForSpace() async throws {
        let event = Descriptor(owning: eventfd(0, CInt(EFD_CLOEXEC) | CInt(EFD_NONBLOCK)))
        var value: eventfd_t = 0
        let memory = try SharedMemory(byteCount: Ring.byteCount(capacity: 16))
        var writer = RingWriter(Ring(creatingIn: memory, capacity: 16))
        var reader = RingReader(try Ring(joining: memory, capacity: 16, waking: .event(event.number)))
        let sleepsWithSpace = try writer.sleepInPoller()
        #expect(!sleepsWithSpace)
        #expect(try writer.write([UInt8](repeating: 1, count: 16)) == 16)
        let sleeps = try writer.sleepInPoller()
        #expect(sleeps)
        #expect(unsafe eventfd_read(event.number, &value) == -1)
        #expect(try reader.read(3).count == 3)
        #expect(unsafe eventfd_read(event.number, &value) == 0 && value == 1)
        #expect(try writer.write([1, 2, 3, 4]) == 3)
    }

    @Test("a peer that scribbles while the other side reads and writes makes it stop with an error, if at all")
    func hostile() async throws {
        let deadline = monotonicSeconds() + (isFull ? 60 : 0.3)
        var rounds = 0
        var seed: UInt64 = 0
        while monotonicSeconds() < deadline {
            seed += 1
            rounds += try await hostileRound(seed: seed)
        }
        #expect(rounds > 0)
    }

    /// One ring and one who scribbles over it through a mapping of his own; how often the two ends came around.
    private func hostileRound(seed: UInt64) async throws -> Int {
        let capacity = 1 << (3 + seed % 10)
        let memory = try SharedMemory(byteCount: Ring.byteCount(capacity: Int(capacity)))
        let other = try SharedMemory(
            mapping: memory.writableDescriptor(), access: .readingAndWriting, byteCounts: 1...1 << 30)
        let rings = [
            Ring(creatingIn: memory, capacity: Int(capacity)), try Ring(joining: memory, capacity: Int(capacity)),
        ]
        let isOver = Flag()
        let end = monotonicSeconds() + 0.01
        let ends = [
            onThread { () throws(LinkError) in
                var writer = RingWriter(rings[0], policy: SpinPolicy(limit: 1e-6))
                var count = 1
                while monotonicSeconds() < end {
                    _ = try writer.write([1, 0, 0, 0, 0, 0, 0, 0, UInt8(truncatingIfNeeded: count)])
                    _ = try writer.waitForSpace(until: monotonicSeconds() + 1e-4)
                    count += 1
                }
                return count
            },
            onThread { () throws(LinkError) in
                var frames = FrameReader(
                    RingReader(rings[1], policy: SpinPolicy(limit: 1e-6)), limits: LinkLimits(frameByteCount: 1 << 20))
                var count = 1
                while monotonicSeconds() < end, try !frames.isAtEnd() {
                    while try frames.withNextFrame({ _, _ in count += 1 }) && monotonicSeconds() < end {}
                    _ = frames.waitForBytes(until: monotonicSeconds() + 1e-4)
                }
                return count
            },
        ]
        let scribbler = onThread { () throws(LinkError) in
            var generator = SeededGenerator(seed: seed)
            while !isOver.isSet { unsafe scribble(other.bytes, capacity: Int(capacity), &generator) }
            return 0
        }
        var rounds = 0
        for outcome in ends {
            switch await outcome.get() {
            case .success(let count): rounds += count
            case .failure(let error):
                #expect([.broken, .frameTooLarge, .closed].contains(error.code), "\(error)")
                rounds += 1
            }
        }
        isOver.set()
        _ = await scribbler.get()
        return rounds
    }
}

private final class Flag: Sendable {
    private let value = Atomic(false)
    var isSet: Bool { value.load(ordering: .relaxed) }
    func set() { value.store(true, ordering: .relaxed) }
}
