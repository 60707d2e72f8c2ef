import Glibc
import SharedMemoryLink
import Synchronization
import Testing
import Transport
import Wire

/// What arrives at one end: the first byte of each frame, and the blocks.
private final class Arrivals: Sendable {
    private struct State {
        var frames: [[UInt8]] = []
        var blocks: [SharedArray<UInt8>] = []
        var ends: [LinkError?] = []
    }

    private let state = Mutex(State())
    var frames: [[UInt8]] { state.withLock { $0.frames } }
    var blocks: [SharedArray<UInt8>] { state.withLock { $0.blocks } }
    var ends: [LinkError?] { state.withLock { $0.ends } }

    init() {}

    init(of link: some Link) { start(link) }

    func start(_ link: some Link) {
        link.start { frame in
            let (bytes, blocks) = (frame.rest.copyBytes(), frame.restOfBlocks)
            self.state.withLock { state in
                state.frames.append(bytes)
                state.blocks += blocks
            }
        } onEnd: { error in
            self.state.withLock { $0.ends.append(error) }
        }
    }

    func dropBlocks() {
        let blocks = state.withLock { state in
            defer { state.blocks = [] }
            return state.blocks
        }
        _ = consume blocks
    }
}

/// One of two workers that are linked.
private struct Side {
    let link: RingLink
    let arena: SegmentArena

    /// Sends a byte, and an array of this side's memory beside it.
    func send(_ byte: UInt8, blockOf count: Int? = nil) throws {
        let blocks = try count.map { count in
            try SharedArray<UInt8>(count: count, in: arena) { span in
                for index in 0..<count { span[index] = UInt8(truncatingIfNeeded: index &+ Int(byte)) }
            }
        }
        try link.send(unsafe [byte].span.bytes, blocks.map { [$0] } ?? [])
    }
}

private func isBlock(_ block: SharedArray<UInt8>, _ byte: UInt8, of count: Int) -> Bool {
    block.count == count && block.indices.allSatisfy { block[$0] == UInt8(truncatingIfNeeded: $0 &+ Int(byte)) }
}

private func bell() -> Descriptor { Descriptor(owning: fcntl(Poller.links.bell, F_DUPFD_CLOEXEC, 0)) }

/// Two ends as two workers make them, both in this process.
private func sides(_ limits: LinkLimits = LinkLimits()) throws -> (Side, Side) {
    let sockets = try DescriptorPair.messageSockets()
    let far = Descriptor(owning: sockets.far.duplicate())
    let (one, other) = (try SegmentArena(), try SegmentArena())
    let made = try WorkerRings()
    let joined = try WorkerRings(joining: made.takeDescriptor(), owningBell: bell())
    let near = try made.waking(owningBell: bell())
    func segments(_ own: SegmentArena, _ peer: SegmentArena) throws -> SegmentExchange {
        SegmentExchange({ () throws(SharedMemoryError) in own }, peer: try peer.memory.readOnlyDescriptor())
    }
    let left = RingLink(
        near, try segments(one, other), isBetweenWorkers: true, owning: sockets.takeNear(), limits: limits)
    let right = RingLink(
        joined, try segments(other, one), isMaker: false, isBetweenWorkers: true, owning: far, limits: limits)
    return (Side(link: left, arena: one), Side(link: right, arena: other))
}

@Suite("A link between two workers", .serialized)
struct NeighbourLinkTests {
    @Test("frames and large arrays cross both ways at once; the arrays stay where the sender has put them")
    func bothWays() async throws {
        let (left, right) = try sides()
        let (atLeft, atRight) = (Arrivals(of: left.link), Arrivals(of: right.link))
        let count = 1_000_000
        for byte in UInt8(0)..<40 {
            try left.send(byte, blockOf: byte % 4 == 0 ? count : nil)
            try right.send(byte &+ 100, blockOf: byte % 4 == 0 ? count : nil)
        }
        #expect(await eventually { atLeft.frames.count == 40 && atRight.frames.count == 40 })
        #expect(atRight.frames == (UInt8(0)..<40).map { [$0] })
        #expect(atLeft.frames == (UInt8(100)..<140).map { [$0] })
        for (arrivals, sender, first) in [(atRight, left, UInt8(0)), (atLeft, right, 100)] {
            #expect(arrivals.blocks.count == 10)
            for (index, block) in arrivals.blocks.enumerated() {
                #expect(isBlock(block, first &+ UInt8(index) * 4, of: count))
                #expect(block.segmentPlace?.segment.name.arena == sender.arena.identity)
            }
            #expect(sender.arena.usedByteCount >= 10 * count)
            arrivals.dropBlocks()
        }
        // The other side says when it has done with them.
        #expect(await eventually { left.arena.usedByteCount == 0 && right.arena.usedByteCount == 0 })
        left.link.close()
        #expect(await eventually { atLeft.ends == [nil] && atRight.ends == [nil] })
    }

    @Test(
        "what the rings do not take waits, in order, until the other side starts and reads", arguments: [false, true])
    func backPressure(fromMaker: Bool) async throws {
        let (left, right) = try sides()
        let (sender, receiver) = fromMaker ? (left, right) : (right, left)
        let head = [UInt8](repeating: 0, count: 100)
        let atSender = Arrivals(of: sender.link)
        for number in 0..<20_000 {
            let bytes = [UInt8(truncatingIfNeeded: number), UInt8(truncatingIfNeeded: number >> 8)] + head
            try sender.link.send(unsafe bytes.span.bytes, [])
        }
        let arrivals = Arrivals(of: receiver.link)
        #expect(await eventually { arrivals.frames.count == 20_000 })
        #expect(
            arrivals.frames
                == (0..<20_000).map { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] + head })
        sender.link.close()
        #expect(await eventually { arrivals.ends == [nil] && atSender.ends == [nil] })
    }

    @Test("a side that does not read fills the limit of what may wait, and then sending is refused")
    func limit() throws {
        let (left, right) = try sides(LinkLimits(waitingByteCount: 1 << 20))
        let frame = [UInt8](repeating: 1, count: 100_000)
        let error = #expect(throws: LinkError.self) {
            for _ in 0..<1000 { try left.link.send(unsafe frame.span.bytes, []) }
        }
        #expect(error?.code == .tooMuchWaiting)
        withExtendedLifetime(right) {}
    }

    @Test("what was sent before a side closed still arrives, then the end, once", arguments: [false, true])
    func sentBeforeEnd(makerCloses: Bool) async throws {
        let (left, right) = try sides()
        let (closing, other) = makerCloses ? (left, right) : (right, left)
        let atClosing = Arrivals(of: closing.link)
        for byte in UInt8(0)..<50 { try closing.send(byte, blockOf: 10_000) }
        closing.link.close()
        closing.link.close()
        #expect(throws: LinkError.closed) { try closing.send(1) }
        let arrivals = Arrivals(of: other.link)
        #expect(await eventually { !arrivals.ends.isEmpty && !atClosing.ends.isEmpty })
        #expect(arrivals.frames == (UInt8(0)..<50).map { [$0] })
        #expect(zip(UInt8(0)..., arrivals.blocks).allSatisfy { isBlock($1, $0, of: 10_000) })
        let error = #expect(throws: LinkError.self) { try other.send(1) }
        #expect(error?.code == .closed)
        #expect(arrivals.ends == [nil] && atClosing.ends == [nil])
    }

    @Test(
        "what was lent stays as it is after the end, until the other side has done with it", arguments: [false, true])
    func lentAfterEnd(senderCloses: Bool) async throws {
        let (left, right) = try sides()
        let (atLeft, atRight) = (Arrivals(of: left.link), Arrivals(of: right.link))
        try left.send(1, blockOf: 2_000_000)
        try right.send(2, blockOf: 3_000_000)
        #expect(await eventually { atLeft.blocks.count == 1 && atRight.blocks.count == 1 })
        (senderCloses ? left : right).link.close()
        #expect(await eventually { atLeft.ends == [nil] && atRight.ends == [nil] })
        // It would be had for this, if it was free.
        let more = try SharedArray<UInt8>(count: 2_000_000, in: left.arena) { span in span[0] = 99 }
        #expect(isBlock(atRight.blocks[0], 1, of: 2_000_000) && isBlock(atLeft.blocks[0], 2, of: 3_000_000))
        #expect(left.arena.usedByteCount >= 4_000_000 && right.arena.usedByteCount >= 3_000_000)
        _ = consume more
        atRight.dropBlocks()
        #expect(await eventually { left.arena.usedByteCount == 0 })
        // Each direction by itself.
        #expect(right.arena.usedByteCount >= 3_000_000 && isBlock(atLeft.blocks[0], 2, of: 3_000_000))
        atLeft.dropBlocks()
        #expect(await eventually { right.arena.usedByteCount == 0 })
    }

    @Test("a side that is gone without a word ends the other, which has its memory back")
    func gone() async throws {
        var pair: (Side, Side)? = try sides()
        let left = try #require(pair?.0)
        let arrivals = Arrivals(of: left.link)
        try left.send(1, blockOf: 1_000_000)
        #expect(left.arena.usedByteCount >= 1_000_000)
        pair = nil
        #expect(await eventually { arrivals.ends == [nil] && left.arena.usedByteCount == 0 })
    }

    @Test("a link that was closed before it is started refuses at once, and ends both sides then")
    func closedEarly() async throws {
        let (left, right) = try sides()
        left.link.close()
        #expect(throws: LinkError.closed) { try left.send(1) }
        let (atLeft, atRight) = (Arrivals(of: left.link), Arrivals(of: right.link))
        #expect(await eventually { atLeft.ends == [nil] && atRight.ends == [nil] })
    }

    @Test("something else than a farewell beside the link ends it with an error")
    func nonsense() async throws {
        let sockets = try DescriptorPair.messageSockets()
        let far = Descriptor(owning: sockets.far.duplicate())
        let rings = try WorkerRings().waking(owningBell: bell())
        let arrivals = Arrivals(
            of: RingLink(rings, isBetweenWorkers: true, owning: sockets.takeNear()))
        #expect(SocketMessage.send([1, 2, 3], to: far.number) == .sent)
        #expect(await eventually { arrivals.ends.count == 1 })
        #expect(arrivals.ends.first??.code == .broken)
    }

    @Test("a bell that is no eventfd is refused, by either side")
    func noBell() throws {
        let made = try WorkerRings()
        let maker = #expect(throws: LinkError.self) {
            let pipe = try DescriptorPair.pipe()
            _ = try made.waking(owningBell: Descriptor(owning: pipe.far.duplicate()))
        }
        let joiner = #expect(throws: LinkError.self) {
            let pipe = try DescriptorPair.pipe()
            _ = try WorkerRings(joining: made.takeDescriptor(), owningBell: Descriptor(owning: pipe.far.duplicate()))
        }
        #expect(maker?.code == .broken && joiner?.code == .broken)
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
        for round in 0..<100 {
            let (left, right) = try sides()
            let (atLeft, atRight) = (Arrivals(of: left.link), Arrivals(of: right.link))
            try left.send(1, blockOf: 10_000)
            #expect(await eventually { atRight.blocks.count == 1 })
            (round % 2 == 0 ? left : right).link.close()
            #expect(await eventually { atLeft.ends.count == 1 && atRight.ends.count == 1 })
        }
        // Other tests have descriptors too; 100 links would have left 800.
        #expect(await eventually { count() < before + 100 })
    }
}
