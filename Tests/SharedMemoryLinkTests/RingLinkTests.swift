import Glibc
import SharedMemoryLink
import Synchronization
import Testing
import Transport
import Wire

/// Everything that arrives at one end of a link.
private final class Inbox: Sendable {
    private struct State {
        var frames: [[UInt8]] = []
        var ends: [LinkError?] = []
    }

    private let state = Mutex(State())
    var frames: [[UInt8]] { state.withLock { $0.frames } }
    var count: Int { state.withLock { $0.frames.count } }
    var ends: [LinkError?] { state.withLock { $0.ends } }

    func start(_ link: some Link) {
        link.start { frame in
            let bytes = frame.rest.copyBytes()
            self.state.withLock { $0.frames.append(bytes) }
        } onEnd: { error in
            self.state.withLock { $0.ends.append(error) }
        }
    }
}

/// Polls until `condition` holds; false after `seconds`.
func eventually(within seconds: Double = 10, _ condition: () -> Bool) async -> Bool {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while !condition() {
        guard ContinuousClock.now < deadline else { return false }
        try? await Task.sleep(for: .milliseconds(1))
    }
    return true
}

/// The driver's end of two rings, and what the other side needs for its own.
private struct Ends: ~Copyable {
    let link: RingLink
    let rings: WorkerRings
    let socket: Descriptor

    consuming func takeSocket() -> Descriptor { socket }
}

private func ends(_ limits: LinkLimits = LinkLimits()) throws -> Ends {
    let bell = Poller.links.bell
    let sockets = try DescriptorPair.sockets()
    let far = Descriptor(owning: sockets.far.duplicate())
    let near = try WorkerRings(waking: .event(bell))
    let rings = try WorkerRings(joining: near.takeDescriptor(), bell: bell)
    return Ends(link: RingLink(near, owning: sockets.takeNear(), limits: limits), rings: rings, socket: far)
}

/// Both ends in this process, on one poller.
private func links(_ limits: LinkLimits = LinkLimits()) throws -> (RingLink, RingLink) {
    let ends = try ends(limits)
    let (left, rings) = (ends.link, ends.rings)
    return (left, RingLink(rings, isMaker: false, owning: ends.takeSocket(), limits: limits))
}

private func send(_ bytes: [UInt8], head: [UInt8] = [], on link: some Link) throws(LinkError) {
    let all = head + bytes
    try link.send(unsafe all.span.bytes, [])
}

/// Starts a link to which the other side writes these bytes; the socket's end is the other side's.
private func writeRaw(_ bytes: [UInt8], to inbox: Inbox, _ limits: LinkLimits = LinkLimits()) throws -> Descriptor {
    let ends = try ends(limits)
    inbox.start(ends.link)
    var writer = RingWriter(ends.rings.fromWorker)
    #expect(try writer.write(unsafe bytes.span.bytes) == bytes.count)
    writer.publish()
    return ends.takeSocket()
}

/// A frame's bytes, which tell frames and places in them apart.
private func bytes(_ count: Int, seed: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ seed) }
}

@Suite("RingLink", .serialized)
struct RingLinkTests {
    @Test("frames of 0 bytes to 10 MB arrive whole and in order, in both directions at once")
    func bothWays() async throws {
        let (left, right) = try links()
        let (atLeft, atRight) = (Inbox(), Inbox())
        atLeft.start(left)
        atRight.start(right)
        let sizes = [0, 1, 7, 8, 4096, 131_064, 131_072, 1_000_000, 10_000_000, 3, 0]
        await withTaskGroup { group in
            for (link, shift) in [(left, 1), (right, 2)] {
                group.addTask {
                    for (index, size) in sizes.enumerated() {
                        #expect(throws: Never.self) { try send(bytes(size, seed: index + shift), head: [9], on: link) }
                    }
                }
            }
        }
        #expect(await eventually { atLeft.count == sizes.count && atRight.count == sizes.count })
        #expect(atRight.frames == sizes.enumerated().map { [9] + bytes($1, seed: $0 + 1) })
        #expect(atLeft.frames == sizes.enumerated().map { [9] + bytes($1, seed: $0 + 2) })
        left.close()
        #expect(await eventually { atLeft.ends == [nil] && atRight.ends == [nil] })
    }

    @Test("thousands of frames that wait for a slow reader arrive in order")
    func thousands() async throws {
        let (left, right) = try links()
        for number in 0..<20_000 {
            try send([UInt8(truncatingIfNeeded: number), UInt8(truncatingIfNeeded: number >> 8)], on: left)
        }
        let inbox = Inbox()
        inbox.start(right)
        Inbox().start(left)  // sends what the ring did not take
        #expect(await eventually { inbox.count == 20_000 })
        #expect(
            inbox.frames == (0..<20_000).map { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] })
        left.close()
        right.close()
    }

    @Test("frames from several threads stay whole, and each thread's in order")
    func threads() async throws {
        let (left, right) = try links()
        let inbox = Inbox()
        inbox.start(right)
        Inbox().start(left)
        await withTaskGroup { group in
            for sender in UInt8(0)..<4 {
                group.addTask {
                    for number in 0..<500 {
                        let body = [UInt8](repeating: sender, count: 1000) + [UInt8(truncatingIfNeeded: number)]
                        #expect(throws: Never.self) { try send(body, head: [sender], on: left) }
                    }
                }
            }
        }
        #expect(await eventually { inbox.count == 2000 })
        for sender in UInt8(0)..<4 {
            let own = inbox.frames.filter { $0[0] == sender }
            #expect(own.allSatisfy { $0.count == 1002 && $0[..<1001].allSatisfy { $0 == sender } })
            #expect(own.map { $0[1001] } == (0..<500).map { UInt8(truncatingIfNeeded: $0) })
        }
        left.close()
        right.close()
    }

    @Test("what was sent before the other side went away still arrives, then the end, once")
    func sentBeforeEnd() async throws {
        let (left, right) = try links()
        Inbox().start(left)
        for number in UInt8(0)..<50 { try send([number], on: left) }
        left.close()
        left.close()
        let inbox = Inbox()
        inbox.start(right)
        #expect(await eventually { !inbox.ends.isEmpty })
        #expect(inbox.frames == (UInt8(0)..<50).map { [$0] })
        #expect(await eventually { (try? send([1], on: right)) == nil })
        let error = #expect(throws: LinkError.self) { try send([1], on: right) }
        #expect(error?.code == .closed)
        #expect(inbox.ends == [nil])
    }

    @Test("a link that is closed by its own side refuses at once, started or not")
    func closedHere() async throws {
        let (left, right) = try links()
        left.close()
        #expect(throws: LinkError.closed) { try send([1], on: left) }
        let (early, other) = (Inbox(), Inbox())
        early.start(left)
        other.start(right)
        #expect(await eventually { early.ends == [nil] && other.ends == [nil] })
    }

    @Test("a stream that ends within a frame gives no frame, but the end", arguments: [0, 1, 8, 99])
    func midFrame(count: Int) async throws {
        let inbox = Inbox()
        let socket = try writeRaw([100, 0, 0, 0, 0, 0, 0, 0] + [UInt8](repeating: 1, count: count), to: inbox)
        _ = consume socket
        #expect(await eventually { !inbox.ends.isEmpty })
        #expect(inbox.frames.isEmpty && inbox.ends.count == 1)
    }

    @Test("a frame over the limit is refused by the sender, and ends the receiver's link")
    func limits() async throws {
        let (left, right) = try links(LinkLimits(frameByteCount: 1000))
        let error = #expect(throws: LinkError.self) { try send(bytes(1000, seed: 0), head: [1], on: left) }
        #expect(error?.code == .frameTooLarge)
        let inbox = Inbox()
        inbox.start(right)
        try send(bytes(1000, seed: 0), on: left)
        #expect(await eventually { inbox.count == 1 })
        let refusing = Inbox()
        let socket = try writeRaw(
            [233, 3, 0, 0, 0, 0, 0, 0], to: refusing, LinkLimits(frameByteCount: 1000))
        #expect(await eventually { !refusing.ends.isEmpty })
        #expect(refusing.ends.first??.code == .frameTooLarge)
        _ = consume socket
        left.close()
    }

    @Test("a reader that does not read fills the limit of what may wait, and then sending is refused")
    func tooMuch() throws {
        let (left, right) = try links(LinkLimits(waitingByteCount: 1 << 20))
        let error = #expect(throws: LinkError.self) {
            for _ in 0..<1000 { try send(bytes(100_000, seed: 0), on: left) }
        }
        #expect(error?.code == .tooMuchWaiting)
        left.close()
        withExtendedLifetime(right) {}
    }

    @Test("an answer from within the handler arrives, and many links at once keep apart")
    func echoes() async throws {
        let pairs = try (0..<20).map { _ in try links() }
        let inboxes = pairs.map { _ in Inbox() }
        for (index, (left, right)) in pairs.enumerated() {
            right.start { frame in
                let bytes = frame.rest.copyBytes()
                try? send(bytes + [1], on: right)
            } onEnd: { _ in
            }
            inboxes[index].start(left)
        }
        for round in 0..<100 {
            for (index, (left, _)) in pairs.enumerated() { try send([UInt8(index), UInt8(round)], on: left) }
        }
        #expect(await eventually { inboxes.allSatisfy { $0.count == 100 } })
        for (index, inbox) in inboxes.enumerated() {
            #expect(inbox.frames == (0..<100).map { [UInt8(index), UInt8($0), 1] })
        }
        for (left, _) in pairs { left.close() }
        #expect(await eventually { inboxes.allSatisfy { $0.ends.count == 1 } })
    }

    @Test("links that have ended leave no descriptor")
    func descriptors() async throws {
        func count() -> Int {
            guard let stream = unsafe opendir("/proc/self/fd") else { return -1 }
            defer { unsafe closedir(stream) }
            var count = 0
            while unsafe readdir(stream) != nil { count += 1 }
            return count
        }
        let before = count()
        for _ in 0..<200 {
            let (left, right) = try links()
            let inbox = Inbox()
            inbox.start(left)
            Inbox().start(right)
            right.close()
            #expect(await eventually { inbox.ends.count == 1 })
        }
        // Other tests have descriptors too; 200 links would have left 400.
        #expect(await eventually { count() < before + 100 })
    }

    @Test("who looks for what has come already leaves the ring so that the poller's thread is woken")
    func lookInVain() async throws {
        let ends = try ends()
        let inbox = Inbox()
        inbox.start(ends.link)
        var writer = RingWriter(ends.rings.fromWorker)
        // The poller's thread is awake when the lock is taken, and asleep when it is given back.
        let isAwake = Atomic(false)
        Poller.links.perform {
            isAwake.store(true, ordering: .relaxed)
            usleep(20_000)
        }
        #expect(await eventually { isAwake.load(ordering: .relaxed) })
        ends.link.look {
            usleep(100_000)
            return true
        }
        let frame = bytes(3, seed: 1)
        try writer.send(RawSpan(), unsafe frame.span.bytes, until: monotonicSeconds() + 1)
        #expect(await eventually(within: 2) { inbox.count == 1 })
        ends.link.close()
    }
}
