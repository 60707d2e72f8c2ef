import Testing
import Transport
import Wire

@Suite("Message")
struct MessageTests {
    private static let messages: [Message] = [
        .hello(
            Hello(process: 4_000_000, host: "nöde-7", buildID: Array(0..<20), cpus: [0, 5, 63], memory: "preferred 1")),
        .hello(Hello(process: 1, host: "", buildID: [], cpus: [], memory: nil)),
        .welcome(Welcome(worker: 2, heartbeatSeconds: 0.25)), .defineFunction,
        .defineCaptures(id: .max, typeName: "Si", isApart: true), .forgetCaptures(id: 0),
        .call(Call(id: 1, function: 2, captures: 3)), .call(Call(id: 1, function: 2, captures: nil)),
        .call(Call(id: 1, function: 2, captures: 3, seed: .max, first: 7, attempt: 4)), .interrupt(graceSeconds: 0.5),
        .callOnce(Call(id: 1, function: 2, captures: nil, seed: 9)), .unresponsive(graceSeconds: 3),
        .callOnce(Call(id: 1, function: 2, captures: nil)), .cancel(call: 9, graceSeconds: 5),
        .cancel(call: 9, graceSeconds: nil), .reply(call: 10),
        .refusal(call: 11, reason: "no"), .heartbeat, .shutdown,
    ]

    @Test("every message comes back as it was, with the bytes behind it", arguments: messages)
    func roundTrip(message: Message) throws {
        let bytes = try message.wireBytes() + [1, 2, 3]
        var reader = WireReader(bytes.span)
        #expect(try reader.read() == message)
        #expect(reader.rest.copyBytes() == [1, 2, 3])
    }

    @Test("a truncated message is an error", arguments: messages)
    func truncated(message: Message) throws {
        let bytes = try message.wireBytes()
        for count in 0..<bytes.count {
            let part = Array(bytes[..<count])
            #expect(throws: WireError.self) { try Message(wireBytes: part) }
        }
    }

    @Test("a message with a flipped bit is read or refused, and never traps", arguments: messages)
    func flipped(message: Message) throws {
        let bytes = try message.wireBytes()
        for bit in 0..<8 * bytes.count {
            var other = bytes
            other[bit / 8] ^= 1 << (bit % 8)
            _ = try? Message(wireBytes: other)
        }
    }

    @Test("a grace that is no time is refused", arguments: [Double.nan, .infinity, -1, 1e300])
    func grace(seconds: Double) throws {
        let bytes = try Message.unresponsive(graceSeconds: seconds).wireBytes()
        #expect(throws: WireError.self) { try Message(wireBytes: bytes) }
    }

    @Test("another version of the protocol is named in the error")
    func version() throws {
        var hello = Hello(process: 1, host: "h", buildID: [], cpus: [], memory: nil)
        hello.version = 7
        let bytes = try Message.hello(hello).wireBytes()
        let error = #expect(throws: WireError.self) { try Message(wireBytes: bytes) }
        #expect("\(try #require(error))".contains("speaks version 7, this one 1"))
    }
}
