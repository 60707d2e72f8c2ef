import Testing
import Transport

@testable import Agent

@Suite("NeighbourMessage")
struct NeighbourMessageTests {
    @Test(
        "messages come back as they were written, and fit",
        arguments: [
            NeighbourMessage.connect(request: .max, process: 12345), .offer(worker: 3),
            .refused(
                request: 1, reason: NeighbourMessage.shortened(String(repeating: "👩‍👩‍👧‍👧", count: 10_000)), isForNow: true),
            .accepted, .declined(reason: "why"),
        ])
    func roundTrip(message: NeighbourMessage) throws {
        #expect(try NeighbourMessage(message.bytes) == message)
        #expect(message.bytes.count <= 4096)
    }

    @Test("bytes that are no message are an error, wherever they end")
    func broken() {
        let bytes = NeighbourMessage.refused(request: 1, reason: "because", isForNow: false).bytes
        for count in 0..<bytes.count {
            #expect(throws: LinkError.self) { _ = try NeighbourMessage(Array(bytes[..<count])) }
        }
        for tag in [UInt8(0), 6, 255] { #expect(throws: LinkError.self) { _ = try NeighbourMessage([tag] + bytes) } }
    }
}
