import Glibc
import SharedMemoryLink
import Synchronization
import Testing
import Transport

@testable import Agent

/// A worker as far as the process that started it is concerned: its link, and the far end of the socket beside.
private final class StandIn: Sendable {
    let process: Int32
    let link: RingLink
    let socket: Descriptor
    let end = Eventual<LinkError?>()

    /// - Parameter process: A number that no process has.
    init(_ process: Int32, number: Int? = nil) throws {
        let sockets = try DescriptorPair.messageSockets()
        socket = Descriptor(owning: sockets.far.duplicate())
        let desk = NeighbourDesk()
        link = RingLink(try WorkerRings(), listener: desk, owning: sockets.takeNear())
        desk.open(for: process, link)
        if let number { NeighbourDesk.name(process, number) }
        self.process = process
        link.start(onFrame: { _ in }, onEnd: { [end] in end.fulfil($0) })
    }

    deinit {
        NeighbourDesk.close(process)
        link.close()
    }

    func say(_ message: NeighbourMessage, descriptors count: Int = NeighbourOffer.count) -> SocketMessage.Sending {
        let given = [CInt](repeating: socket.number, count: count)
        return SocketMessage.send(message.bytes, with: given, to: socket.number)
    }

    /// What it is told next, and how many descriptors came along.
    func hear() async throws -> (NeighbourMessage, Int)? {
        for _ in 0..<10_000 {
            switch try SocketMessage.receive(from: socket.number) {
            case .message(let message): return (try NeighbourMessage(message.bytes), message.descriptorCount)
            case .ended: return nil
            case .nothing: try await Task.sleep(for: .milliseconds(1))
            }
        }
        return nil
    }
}

@Suite("NeighbourDesk", .serialized)
struct NeighbourDeskTests {
    /// No process of Linux has a number like these.
    private static let first: Int32 = 2_000_000_001
    private static let second: Int32 = 2_000_000_002

    @Test("a wish reaches the other worker with all that came along, under the number of who wishes")
    func offers() async throws {
        let one = try StandIn(NeighbourDeskTests.first, number: 7)
        let other = try StandIn(NeighbourDeskTests.second)
        #expect(one.say(.connect(request: 3, process: Int(NeighbourDeskTests.second))) == .sent)
        let offer = try await other.hear()
        #expect(offer?.0 == .offer(worker: 7) && offer?.1 == 4)
    }

    @Test("a process that is no worker of this one is refused", arguments: [0, -1, 1, Int.max, Int.min])
    func strangers(process: Int) async throws {
        let one = try StandIn(NeighbourDeskTests.first, number: 7)
        #expect(one.say(.connect(request: 3, process: process)) == .sent)
        guard case .refused(request: 3, let reason, isForNow: false)? = try await one.hear()?.0 else {
            Issue.record("not refused")
            return
        }
        #expect(reason.contains("no worker that the same process started"))
    }

    @Test("who has no number yet is to ask again, and so is who wants a worker that takes no more at the moment")
    func notNow() async throws {
        let one = try StandIn(NeighbourDeskTests.first)
        let other = try StandIn(NeighbourDeskTests.second)
        let wish = NeighbourMessage.connect(request: 1, process: Int(NeighbourDeskTests.second))
        #expect(one.say(wish) == .sent)
        guard case .refused(request: 1, _, isForNow: true)? = try await one.hear()?.0 else {
            Issue.record("not refused for now")
            return
        }
        NeighbourDesk.name(NeighbourDeskTests.first, 7)
        while other.link.sendBeside([UInt8](repeating: 0, count: 4000)) == .sent {}
        #expect(one.say(wish) == .sent)
        guard case .refused(request: 1, let reason, isForNow: true)? = try await one.hear()?.0 else {
            Issue.record("not refused for now")
            return
        }
        #expect(reason.contains("too many links"))
        withExtendedLifetime(other) {}
    }

    @Test("a worker that is gone is refused")
    func gone() async throws {
        let one = try StandIn(NeighbourDeskTests.first, number: 7)
        do { _ = try StandIn(NeighbourDeskTests.second) }
        #expect(one.say(.connect(request: 1, process: Int(NeighbourDeskTests.second))) == .sent)
        guard case .refused(request: 1, _, isForNow: false)? = try await one.hear()?.0 else {
            Issue.record("not refused")
            return
        }
    }

    @Test("nonsense beside its link ends the worker's link with an error", arguments: [0, 1, 2, 3])
    func nonsense(kind: Int) async throws {
        let one = try StandIn(NeighbourDeskTests.first, number: 7)
        let sending =
            switch kind {
            case 0: SocketMessage.send([99], to: one.socket.number)
            case 1: one.say(.connect(request: 1, process: 1), descriptors: 3)
            case 2: one.say(.connect(request: 1, process: 1), descriptors: 5)
            default: one.say(.offer(worker: 2))
            }
        #expect(sending == .sent)
        let error = await one.end.get()
        #expect(error?.code == .broken)
    }
}
