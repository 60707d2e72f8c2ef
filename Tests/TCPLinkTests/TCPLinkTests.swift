import Synchronization
import Testing
import Transport
import Wire

@testable import TCPLink

@Suite("TCPLink")
struct TCPLinkTests {
    @Test("frames of 0 bytes to 10 MB arrive whole and in order, in both directions at once")
    func bothWays() async throws {
        let (left, right) = try await House.link()
        let (atLeft, atRight) = (Inbox(), Inbox())
        atLeft.start(left)
        atRight.start(right)
        let sizes = [0, 1, 7, 8, 4096, 131_064, 131_072, 1_000_000, 10_000_000, 3, 0]
        await withTaskGroup { group in
            for (link, shift) in [(left, 1), (right, 2)] {
                group.addTask {
                    for (index, size) in sizes.enumerated() {
                        #expect(throws: Never.self) { try send(bytes(size, seed: index + shift), on: link) }
                    }
                }
            }
        }
        #expect(await eventually { atLeft.count == sizes.count && atRight.count == sizes.count })
        #expect(atRight.frames == sizes.enumerated().map { bytes($1, seed: $0 + 1) })
        #expect(atLeft.frames == sizes.enumerated().map { bytes($1, seed: $0 + 2) })
        left.close()
        #expect(await eventually { atLeft.ends == [nil] && atRight.ends == [nil] })
    }

    @Test("thousands of frames that were sent before anybody listened arrive in order")
    func thousands() async throws {
        let (left, right) = try await House.link()
        let numbers = (0..<20_000).map { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
        for number in numbers { try send(number, on: left) }
        let inbox = Inbox()
        inbox.start(right)
        #expect(await eventually { inbox.count == 20_000 })
        #expect(inbox.frames == numbers)
        left.close()
        right.close()
    }

    @Test("frames from several threads stay whole, and each thread's in order")
    func threads() async throws {
        let (left, right) = try await House.link()
        let inbox = Inbox()
        inbox.start(right)
        await withTaskGroup { group in
            for sender in UInt8(0)..<4 {
                group.addTask {
                    for number in 0..<500 {
                        let body = [UInt8](repeating: sender, count: 1001) + [UInt8(truncatingIfNeeded: number)]
                        #expect(throws: Never.self) { try send(body, on: left) }
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

    /// Makes blocks, and knows them.
    private final class KnownBlocks: BlockMaker {
        let addresses = Mutex<Set<UInt>>([])

        func makeBlock(byteCount: Int) -> (bytes: SharedArray<UInt8>, base: UnsafeMutableRawPointer)? {
            guard let made = unsafe HeapBlocks().makeBlock(byteCount: byteCount) else { return nil }
            addresses.withLock { _ = unsafe $0.insert(UInt(bitPattern: made.base)) }
            return unsafe made
        }
    }

    @Test("arrays beside a message arrive in memory of the link's maker, with small frames before and behind")
    func blocks() async throws {
        let maker = KnownBlocks()
        let (left, right) = try await House.link(LinkSettings(maker: maker))
        let inbox = Inbox()
        inbox.start(right)
        let arrays = [0, 1, 65_536, 131_072, 200_000, 10_000_000].map { bytes($0, seed: $0) }
        let shared = arrays.map { SharedArray($0) }
        try send([1], on: left)
        try send([2], shared, on: left)
        try send([], [shared[2]], on: left)
        try send([3], on: left)
        #expect(await eventually { inbox.count == 4 })
        #expect(inbox.frames == [[1], [2], [], [3]])
        #expect(inbox.blocks.map(\.count) == [0, 6, 1, 0])
        #expect(inbox.blocks[1].map { Array($0) } == arrays)
        #expect(Array(inbox.blocks[2][0]) == arrays[2])
        let addresses = maker.addresses.withLock { $0 }
        #expect(addresses.count == 6)
        for block in inbox.blocks.joined() where !block.isEmpty {
            let address = unsafe block.withContiguousStorageIfAvailable { UInt(bitPattern: $0.baseAddress) }
            #expect(address.map { addresses.contains($0) } == true)
        }
        left.close()
        right.close()
    }

    @Test("a message that was written with blocks is read from them")
    func wireMessages() async throws {
        let (left, right) = try await House.link()
        let numbers = Mutex<[Double]>([])
        right.start { input in
            let read = try? input.read() as [Double]
            numbers.withLock { $0 = read ?? [] }
        } onEnd: { _ in
        }
        var output = WireWriter(reserving: 64, keepingBlocksOf: 16 << 10)
        let sent = (0..<100_000).map { Double($0) }
        output.write(sent)
        try left.send(&output)
        #expect(await eventually { numbers.withLock { $0 } == sent })
        left.close()
        right.close()
    }

    @Test("too large a frame, too many blocks, and a link that has ended are refused at the call")
    func limits() async throws {
        let (left, right) = try await House.link(LinkSettings(limits: LinkLimits(frameByteCount: 1000)))
        let inbox = Inbox()
        inbox.start(right)
        let large = #expect(throws: LinkError.self) { try send(bytes(1001, seed: 0), on: left) }
        #expect(large?.code == .frameTooLarge)
        let block = SharedArray(bytes(1000, seed: 0))
        let beside = #expect(throws: LinkError.self) { try send([1], [block], on: left) }
        #expect(beside?.code == .frameTooLarge)
        let many = [SharedArray<UInt8>](repeating: SharedArray([]), count: 65_537)
        let blocks = #expect(throws: LinkError.self) { try send([], many, on: left) }
        #expect(blocks?.code == .frameTooLarge)
        try send([], [block], on: left)
        #expect(await eventually { inbox.count == 1 })
        left.close()
        left.close()
        #expect(throws: LinkError.closed) { try send([1], on: left) }
        #expect(await eventually { inbox.ends == [nil] })
        #expect(throws: LinkError.closed) { try send([1], on: right) }
    }

    @Test("what the other side does not read may wait up to the limit, and arrives when it does")
    func backPressure() async throws {
        let limits = LinkLimits(waitingByteCount: 20_000_000)
        let (left, right) = try await House.link(LinkSettings(limits: limits))
        let frame = bytes(1_000_000, seed: 1)
        var sent = 0
        var refusal: LinkError?
        // Besides what may wait, the kernel's buffers take some.
        while sent < 200, refusal == nil {
            do throws(LinkError) {
                try send(frame, on: left)
                sent += 1
            } catch {
                refusal = error
            }
        }
        #expect(refusal?.code == .tooMuchWaiting)
        #expect(sent >= 19 && sent < 200)
        let inbox = Inbox()
        inbox.start(right)
        #expect(await eventually { inbox.count == sent })
        #expect(inbox.frames.allSatisfy { $0 == frame })
        try send([1], on: left)
        #expect(await eventually { inbox.frames.last == [1] })
        left.close()
        right.close()
    }

    @Test("frames that were sent just before a close arrive; the end is orderly, each side is told once")
    func closing() async throws {
        for isDriver in [true, false] {
            let (driver, peer) = try await House.link()
            let (left, right) = isDriver ? (driver, peer) : (peer, driver)
            let (atLeft, atRight) = (Inbox(), Inbox())
            atLeft.start(left)
            atRight.start(right)
            for number in UInt8(0)..<100 { try send([number], on: left) }
            left.close()
            right.close()
            #expect(await eventually { atLeft.ends == [nil] && atRight.ends == [nil] })
        }
        let (left, right) = try await House.link()
        let inbox = Inbox()
        for number in UInt8(0)..<100 { try send([number], on: left) }
        left.close()
        inbox.start(right)
        #expect(await eventually { inbox.ends == [nil] })
        #expect(inbox.frames == (UInt8(0)..<100).map { [$0] })
    }

    @Test("a close in the middle of a large frame ends both sides, and nothing of it is delivered")
    func closeWhileSending() async throws {
        let (left, right) = try await House.link()
        let (atLeft, atRight) = (Inbox(), Inbox())
        atLeft.start(left)
        let large = SharedArray(bytes(50_000_000, seed: 1))
        try send([1], [large], on: left)
        // The other side reads nothing yet, so the frame is stuck in the middle.
        left.close()
        #expect(await eventually { atLeft.ends == [nil] })
        atRight.start(right)
        #expect(await eventually { atRight.ends.count == 1 })
        #expect(atRight.ends.first??.code == .broken)
        #expect(atRight.count == 0)
    }

    @Test("a link that is closed by the handler of a frame delivers no more")
    func closeWhileReceiving() async throws {
        let (left, right) = try await House.link()
        let ends = Mutex<[LinkError?]>([])
        let count = Atomic(0)
        right.start { _ in
            count.add(1, ordering: .relaxed)
            right.close()
        } onEnd: { error in
            ends.withLock { $0.append(error) }
        }
        let inbox = Inbox()
        inbox.start(left)
        for number in UInt8(0)..<50 { try? send([number], on: left) }
        #expect(await eventually { ends.withLock { $0 } == [nil] && inbox.ends.count == 1 })
        #expect(count.load(ordering: .relaxed) == 1)
    }

    /// Looks at a link without keeping it.
    private final class Glance: Sendable {
        private let link: Mutex<Weak>
        private struct Weak: Sendable { weak var link: TCPLink? }
        init(_ link: TCPLink) { self.link = Mutex(Weak(link: link)) }
        var isGone: Bool { link.withLock { $0.link == nil } }
    }

    /// Links that have ended, in different ways, and that nobody keeps any more.
    private func ended() async throws -> [Glance] {
        let (left, right) = try await House.link()
        let (early, late) = try await House.link()
        let (atLeft, atRight) = (Inbox(), Inbox())
        atLeft.start(left)
        atRight.start(right)
        try send([1], [SharedArray(bytes(1_000_000, seed: 1))], on: left)
        #expect(await eventually { atRight.count == 1 })
        right.close()
        // Of these, nobody ever started one.
        early.close()
        late.close()
        #expect(await eventually { atLeft.ends == [nil] && atRight.ends == [nil] })
        return [left, right, early, late].map(Glance.init)
    }

    @Test("a link that has ended keeps nothing, nor does anything keep it")
    func freed() async throws {
        let glances = try await ended()
        #expect(await eventually { glances.allSatisfy(\.isGone) }, "\(glances.map(\.isGone))")
    }

    @Test("when something was last heard is known")
    func lastHeard() async throws {
        let (left, right) = try await House.link()
        let (atLeft, atRight) = (Inbox(), Inbox())
        atLeft.start(left)
        atRight.start(right)
        let before = monotonicSeconds()
        #expect(right.lastHeard <= before)
        try send([1], on: left)
        #expect(await eventually { atRight.count == 1 })
        #expect(right.lastHeard >= before && right.lastHeard <= monotonicSeconds())
        #expect(left.lastHeard <= before)
        left.close()
        right.close()
    }

    // MARK: - What a peer may do that has proven itself and is not what it should be

    /// A link to somebody who has joined and now says what they like.
    private func hostile(
        _ limits: LinkLimits = LinkLimits()
    ) async throws -> (house: House, stranger: Stranger, link: TCPLink, inbox: Inbox) {
        let house = try await House { $0.links.limits = limits }
        let stranger = try await Stranger(to: house.listener.port, house.expect())
        stranger.say(Greeting(.joining(.agent), to: .driver, buildID: House.buildID))
        let hasJoined = await eventually { house.peers.count == 1 }
        #expect(hasJoined)
        let link = try #require(house.peers.first).link
        let inbox = Inbox()
        inbox.start(link)
        return (house, stranger, link, inbox)
    }

    private static func words(_ words: UInt64...) -> [UInt8] {
        words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
    }

    @Test(
        "hostile frames end their link with an error, and no other",
        arguments: [
            words(1 << 63, 0), words(.max, .max), words(0, 1 << 31), words(1, 1, 1 << 62),
            words(0, 3, 1 << 35, 1 << 35, 1),
            bytes(1000, seed: 77), Array("GET / HTTP/1.1\r\nHost: driver\r\n\r\n".utf8),
        ])
    func hostileFrames(bytes: [UInt8]) async throws {
        let (house, stranger, _, inbox) = try await hostile()
        let other = try await house.join(try house.expect())
        #expect(await eventually { house.peers.count == 2 })
        let atOther = Inbox()
        atOther.start(other)
        stranger.say(Self.words(1, 0) + [42] + bytes)
        #expect(await eventually { inbox.ends.count == 1 && stranger.isClosed })
        #expect(inbox.frames == [[42]])
        let code = inbox.ends.first??.code
        #expect(code == .frameTooLarge || code == .broken)
        try send([7], on: try #require(house.peers.last).link)
        #expect(await eventually { atOther.frames == [[7]] })
        other.close()
        await house.listener.close()
    }

    @Test("a frame that stops in the middle is an error, whether the end is orderly or not", arguments: [true, false])
    func truncated(isOrderly: Bool) async throws {
        let (house, stranger, _, inbox) = try await hostile()
        stranger.say(Self.words(10, 0) + [1, 2, 3])
        if isOrderly { stranger.close() } else { stranger.cutOff() }
        #expect(await eventually { inbox.ends.count == 1 })
        #expect(inbox.ends.first??.code == .broken && inbox.count == 0)
        await house.listener.close()
    }

    @Test("a connection that is cut off between frames is not taken for an orderly end")
    func cutOff() async throws {
        let (house, stranger, link, inbox) = try await hostile()
        stranger.say(Self.words(1, 0) + [42])
        #expect(await eventually { inbox.frames == [[42]] })
        stranger.cutOff()
        #expect(await eventually { inbox.ends.count == 1 })
        #expect(inbox.ends.first??.code == .broken)
        #expect(throws: LinkError.closed) { try send([1], on: link) }
        await house.listener.close()
    }
}
