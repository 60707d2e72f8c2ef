import Glibc
import SharedMemoryLink
import Testing
import Transport
import Wire

@testable import Agent

/// The worker that was wished for, as far as its end of the link's socket goes.
private final class Other: Sendable {
    let wish: NeighbourWish
    let socket: Descriptor
    let offer: [CInt]

    init() throws {
        let made = try NeighbourOffer()
        let copies = made.descriptors.map { fcntl($0, F_DUPFD_CLOEXEC, 0) }
        let heard = NeighbourWish(made.rings)
        heard.listen(owning: made.takeSocket())
        (wish, offer) = (heard, copies)
        socket = Descriptor(owning: copies[1])
    }

    deinit { for (index, number) in offer.enumerated() where index != 1 { close(number) } }

    func answer(_ message: NeighbourMessage, with descriptors: [CInt] = []) {
        #expect(SocketMessage.send(message.bytes, with: descriptors, to: socket.number) == .sent)
    }
}

extension NeighbourWish.Outcome {
    fileprivate var error: LinkError? { if case .failed(let error) = self { error } else { nil } }
}

/// A message as the process between passes it on.
private func message(with descriptors: [CInt]) throws -> SocketMessage? {
    let pair = try DescriptorPair.messageSockets()
    let sending = SocketMessage.send(NeighbourMessage.offer(worker: 2).bytes, with: descriptors, to: pair.far.number)
    #expect(sending == .sent)
    let near = pair.takeNear()
    if case .message(let message) = try SocketMessage.receive(from: near.number) { return message }
    return nil
}

/// What the worker that is offered a link makes of it.
private func answer(_ offer: consuming SocketMessage) -> RingLink? { NeighbourAnswer.link(to: offer) }

private func openFileCount() -> Int {
    guard let stream = unsafe opendir("/proc/self/fd") else { return -1 }
    defer { unsafe closedir(stream) }
    var count = 0
    while unsafe readdir(stream) != nil { count += 1 }
    return count
}

@Suite("NeighbourWish", .serialized)
struct NeighbourWishTests {
    @Test("an offer and its answer make a link, over which frames go both ways")
    func linked() async throws {
        let made = try NeighbourOffer()
        let wish = NeighbourWish(made.rings)
        guard let offer = try message(with: made.descriptors) else { throw LinkError.closed }
        wish.listen(owning: made.takeSocket())
        let answered = answer(offer)
        let right = try #require(answered)
        guard case .linked(let left) = await wish.get() else { throw LinkError.closed }
        let (atLeft, atRight) = (Eventual<[UInt8]>(), Eventual<[UInt8]>())
        let ends = (Eventual<LinkError?>(), Eventual<LinkError?>())
        left.start(onFrame: { atLeft.fulfil($0.rest.copyBytes()) }, onEnd: { ends.0.fulfil($0) })
        right.start(onFrame: { atRight.fulfil($0.rest.copyBytes()) }, onEnd: { ends.1.fulfil($0) })
        try left.send(unsafe [UInt8(1)].span.bytes, [])
        try right.send(unsafe [UInt8(2)].span.bytes, [])
        #expect(await atLeft.get() == [2])
        #expect(await atRight.get() == [1])
        left.close()
        #expect(await ends.0.get() == nil)
        #expect(await ends.1.get() == nil)
    }

    @Test(
        "the other's end, its refusal and its nonsense are errors", arguments: ["end", "declined", "connect", "bytes"])
    func failures(kind: String) async throws {
        var other: Other? = try Other()
        let wish = try #require(other?.wish)
        switch kind {
        case "end": break
        case "declined": other?.answer(.declined(reason: "no memory left"))
        case "connect": other?.answer(.connect(request: 1, process: 1))
        default:
            #expect(other.map { SocketMessage.send([77], to: $0.socket.number) } == .sent)
        }
        other = nil
        let error = await wish.get().error
        #expect(error?.code == (kind == "end" ? .closed : .broken))
        if kind == "declined" { #expect(error?.description == "no memory left") }
    }

    @Test("an answer with other descriptors than it should have is an error", arguments: [0, 1, 2, 3])
    func wrongDescriptors(count: Int) async throws {
        let other = try Other()
        // Two of the right number, but neither is a bell.
        other.answer(.accepted, with: [CInt](repeating: other.socket.number, count: count))
        let error = await other.wish.get().error
        #expect(error?.code == .broken)
    }

    @Test("of several outcomes the first counts, also if it comes before the other could answer")
    func early() async throws {
        let made = try NeighbourOffer()
        let wish = NeighbourWish(made.rings)
        wish.end(.failed(.closed))
        wish.end(.notNow("later"))
        wish.listen(owning: made.takeSocket())
        #expect(await wish.get().error == .closed)
    }

    @Test("an offer of other things is no link; who offered is told why, where there is a socket for that")
    func wrongOffers() async throws {
        let before = openFileCount()
        for wrong in 0..<4 {
            let other = try Other()
            var descriptors = other.offer
            descriptors[wrong] = other.offer[(wrong + 2) % 4]
            guard let offer = try message(with: descriptors) else { throw LinkError.closed }
            let link = answer(offer)
            // What the fourth is shows when the first array arrives.
            #expect((link == nil) == (wrong < 3))
            if wrong == 0 || wrong == 2 {
                let error = await other.wish.get().error
                #expect(error?.code == .broken && error?.description.isEmpty == false)
            } else {
                other.wish.end(.failed(.closed))
            }
        }
        for count in [0, 3, 5] {
            let other = try Other()
            guard let offer = try message(with: [CInt](repeating: other.socket.number, count: count)) else {
                throw LinkError.closed
            }
            let link = answer(offer)
            #expect(link == nil)
            other.wish.end(.failed(.closed))
        }
        // Other tests have descriptors too; nothing of seven offers is left, of six to eleven each.
        #expect(openFileCount() < before + 40)
    }
}
