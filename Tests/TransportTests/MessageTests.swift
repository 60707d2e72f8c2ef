import Testing
import Transport
import Wire

/// A reference whose name is three bytes.
private final class NamedAttachment: WireAttachment {
    func writeName(to output: inout WireWriter) {
        for byte in [1, 2, 3] as [UInt8] { output.write(byte) }
    }
    func lend(to process: Int) {}
}

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
        .callOnce(Call(id: 1, function: 2, captures: nil, result: .dropped)),
        .callOnce(Call(id: 1, function: 2, captures: nil, result: .kept(name))), .ask(call: .max, verb: 7, name),
        .counts, .putAllowed(name), .giveBack(name, places: -1), .putBack(name), .allow(name, places: .max),
        .belong(cluster: 9, worker: 3), .relay(process: 4), .introduce, .roster, .joined, .left(process: 5),
    ]
    private static let name = ReferenceName(whence: 3, number: .max)

    @Test("references that it brings are behind it, and what is cut off or claimed too long is refused")
    func names() throws {
        var output = WireWriter()
        Message.counts.write(to: &output)
        output.attachments.append(NamedAttachment())
        Message.seal(&output)
        let bytes = try output.finish()
        let opened = try open(bytes)
        #expect(try Message(wireBytes: try #require(opened).message) == .counts && opened?.names == [1, 2, 3])
        #expect(try open(try Message.counts.wireBytes()) == nil)
        for count in 1..<bytes.count {
            #expect(throws: WireError.self) { try open(Array(bytes[..<count])) }
        }
        for bit in 0..<8 * bytes.count {
            var other = bytes
            other[bit / 8] ^= 1 << (bit % 8)
            _ = try? open(other)
        }
    }

    private func open(_ bytes: [UInt8]) throws -> (message: [UInt8], names: [UInt8])? {
        let frame = WireReader(bytes.span)
        return Message.hasNames(frame.rest) ? try Message.open(frame.rest) : nil
    }

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
