import Synchronization
import Testing
import Wire

@testable import Transport

/// What arrives at one end of a link.
private final class Arrivals: Sendable {
    private let frames = Mutex<[[UInt8]]>([])
    private let blocks = Mutex<[SharedArray<UInt8>]>([])
    let end = Eventual<LinkError?>()

    var bytes: [[UInt8]] { frames.withLock { $0 } }
    var arrays: [SharedArray<UInt8>] { blocks.withLock { $0 } }

    func take(from link: MemoryLink) {
        link.start { [self] frame in
            let (bytes, arrays) = (frame.rest.copyBytes(), frame.restOfBlocks)
            blocks.withLock { $0 += arrays }
            frames.withLock { $0.append(bytes) }
        } onEnd: { [end] in
            end.fulfil($0)
        }
    }

    func wait(for count: Int) async {
        while bytes.count < count { await Task.yield() }
    }
}

/// A lock that is held while something is sent.
private final class Held: Sendable {
    let count = Mutex(0)
}

extension MemoryLink {
    fileprivate func send(_ bytes: UInt8..., beside blocks: [SharedArray<UInt8>] = []) throws(LinkError) {
        try send(unsafe bytes.span.bytes, blocks)
    }
}

@Suite("MemoryLink")
struct MemoryLinkTests {
    private let arrivals = Arrivals()

    private func address(of block: SharedArray<UInt8>) -> Int {
        unsafe block.span.withUnsafeBufferPointer { Int(bitPattern: $0.baseAddress) }
    }

    @Test("frames arrive in order, those that were sent before the start too, and then the end")
    func order() async throws {
        let (near, far) = MemoryLink.pair()
        for number in 0..<100 { try near.send(UInt8(number)) }
        arrivals.take(from: far)
        for number in 100..<200 { try near.send(UInt8(number)) }
        near.close()
        #expect(await arrivals.end.get() == nil)
        #expect(arrivals.bytes == (0..<200).map { [UInt8($0)] })
        #expect(throws: LinkError.closed) { try near.send(1) }
        #expect(throws: LinkError.closed) { try far.send(1) }
    }

    @Test("frames sent from several threads stay in the order of each")
    func threads() async throws {
        let (near, far) = MemoryLink.pair()
        arrivals.take(from: far)
        await withTaskGroup { group in
            for thread in 0..<4 {
                group.addTask { for number in 0..<200 { try? near.send(UInt8(thread), UInt8(number)) } }
            }
        }
        near.close()
        _ = await arrivals.end.get()
        for thread in 0..<4 {
            #expect(arrivals.bytes.filter { $0[0] == thread }.map { $0[1] } == (0..<200).map { UInt8($0) })
        }
    }

    @Test("large arrays arrive as the very memory that was sent")
    func blocks() async throws {
        let (near, far) = MemoryLink.pair()
        arrivals.take(from: far)
        let block = SharedArray([UInt8](repeating: 7, count: 100_000))
        try near.send(1, beside: [block])
        await arrivals.wait(for: 1)
        let arrived = arrivals.arrays[0]
        #expect(address(of: arrived) == address(of: block) && arrived.count == 100_000)
        near.close()
    }

    @Test("a connection is lost after as many frames as were told, at both ends", arguments: [0, 1, 5])
    func loss(count: Int) async throws {
        let (near, far) = MemoryLink.pair(.init(lossAfter: count), back: .init())
        let replies = Arrivals()
        replies.take(from: near)
        arrivals.take(from: far)
        try far.send(9)
        await replies.wait(for: 1)
        for number in 0..<count { try near.send(UInt8(number)) }
        await arrivals.wait(for: count)
        #expect(arrivals.end.value == nil)
        try near.send(99)
        let lost = LinkError(code: .broken, "the connection was lost after \(count) frames")
        #expect(await arrivals.end.get() == lost)
        #expect(await replies.end.get() == lost)
        #expect(arrivals.bytes.count == count && replies.bytes == [[9]])
        #expect(throws: LinkError.closed) { try near.send(1) }
        #expect(throws: LinkError.closed) { try far.send(1) }
    }

    @Test("a connection that is lost on demand ends with the reason, after what was on its way")
    func lossOnDemand() async throws {
        let (near, far) = MemoryLink.pair()
        try near.send(1)
        near.lose("the cable was cut")
        arrivals.take(from: far)
        #expect(await arrivals.end.get() == LinkError(code: .broken, "the cable was cut"))
        #expect(arrivals.bytes == [[1]])
    }

    @Test("what the other side does not take is refused when it is too much, and taken again later")
    func backPressure() async throws {
        let (near, far) = MemoryLink.pair(.init(capacity: 4))
        arrivals.take(from: far)
        far.pause()
        try near.send(1, 2)
        try near.send(3, beside: [SharedArray([4])])
        let full = #expect(throws: LinkError.self) { try near.send(5) }
        #expect(full?.code == .tooMuchWaiting)
        let large = #expect(throws: LinkError.self) { try near.send(1, 2, 3, 4, 5) }
        #expect(large?.code == .frameTooLarge)
        #expect(arrivals.bytes.isEmpty)
        far.resume()
        await arrivals.wait(for: 2)
        while (try? near.send(5, 6, 7, 8)) == nil { await Task.yield() }
        await arrivals.wait(for: 3)
        near.close()
        _ = await arrivals.end.get()
        #expect(arrivals.bytes == [[1, 2], [3], [5, 6, 7, 8]])
    }

    @Test("a frame is on its way for as long as was told, at least")
    func delay() async throws {
        let (near, far) = MemoryLink.pair(.init(delay: .milliseconds(50)))
        arrivals.take(from: far)
        let start = monotonicSeconds()
        try near.send(1)
        try near.send(2)
        await arrivals.wait(for: 2)
        #expect(monotonicSeconds() - start >= 0.05)
        #expect(arrivals.bytes == [[1], [2]] && far.lastHeard >= start + 0.05)
        near.close()
    }

    @Test("an end that is closed takes nothing more, however late it would come")
    func closedHere() async throws {
        let (near, far) = MemoryLink.pair(.init(delay: .seconds(1000)))
        arrivals.take(from: far)
        try near.send(1)
        far.close()
        #expect(await arrivals.end.get() == nil)
        #expect(arrivals.bytes.isEmpty)
        near.close()
        near.close()
    }

    @Test("the sender's locks are free when a frame is taken, and its stack is not used")
    func reentry() async throws {
        let (near, far) = MemoryLink.pair()
        arrivals.take(from: near)
        let held = Held()
        far.start { _ in
            held.count.withLock { $0 += 1 }
            try? far.send(1)
        } onEnd: { _ in
        }
        for _ in 0..<10 { try held.count.withLock { _ in try near.send(2) } }
        await arrivals.wait(for: 10)
        #expect(held.count.withLock { $0 } == 10)
        near.close()
    }
}
