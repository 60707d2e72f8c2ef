import Testing
import Wire

@testable import Remote

struct Broken: Error, Codable, Equatable {
    var part: Int
}

private struct Hidden: WireCodable, Codable {
    var number = 1
}

/// Runs a body as a worker would.
private func run<Element: Sendable, Output: Sendable, each Capture>(
    _ function: RemoteFunction<Element, Output, repeat each Capture>, on elements: [Element],
    capturing captures: repeat each Capture
) async throws -> BatchReply<Output> {
    let reference = try FunctionReference(wireBytes: function.reference.wireBytes())
    let encoded = try EncodedCaptures(repeat each captures, file: "f", line: 1)
    var reader = WireReader(encoded.message)
    let values = try CapturesInWorker(typeName: encoded.typeName(), from: &reader)
    var input = WireWriter()
    ValueCoder<Element>().write(elements[...], to: &input)
    let bytes = try input.finish()
    let resolved = try ResolvedFunction(reference)
    var output = WireWriter()
    if resolved.isAsynchronous {
        try await resolved.run(values, BatchInput(bytes), &output)
    } else {
        var elements = WireReader(bytes.span)
        try resolved.run(values, &elements, &output) { Task.isCancelled }
    }
    let reply = try output.finish()
    var answer = WireReader(reply.span)
    return try BatchReply(from: &answer)
}

@Suite("RemoteFunction")
struct RemoteFunctionTests {
    @Test("a body runs from its reference, with captures")
    func runs() async throws {
        let plain = try await run(RemoteFunction { (x: Int) in x * x }, on: [1, 2, 3])
        #expect(plain.outputs == [1, 4, 9] && plain.failures.isEmpty)
        let capturing = try await run(
            RemoteFunction { (x: Int, y: Int, z: String) in "\(x + y)\(z)" }, on: [1, 2], capturing: 10, "a")
        #expect(capturing.outputs == ["11a", "12a"])
        let later = RemoteFunction { (x: Int) async -> Int in
            await Task.yield()
            return -x
        }
        #expect(try await run(later, on: [1, 2]).outputs == [-1, -2])
    }

    @Test("elements after one that failed are worked on, and all errors are told, of both kinds of bodies")
    func errors() async throws {
        let goesOn = try await run(
            RemoteFunction { (x: Int) in
                if x == 2 || x == 4 { throw Broken(part: x) }
                return x
            }, on: [1, 2, 3, 4, 5])
        #expect(goesOn.outputs == [1, 3, 5] && goesOn.failures.map(\.index) == [1, 3])
        let failure = try #require(goesOn.failures.first).failure
        #expect(failure.typeName == "RemoteTests.Broken" && failure.error as? Broken == Broken(part: 2))
        let all = RemoteFunction { (x: Int) async throws in
            await Task.yield()
            if x > 1 { throw Broken(part: x) }
        }
        let answer = try await run(all, on: [1, 2, 3])
        #expect(answer.failures.map(\.index) == [1, 2] && answer.outputs.count == 1)
    }

    @Test("a call that is cancelled answers what it had come to, and no failure for the rest")
    func cancelled() async throws {
        try await Task {
            unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
            let answer = try await run(RemoteFunction { (x: Int) in x }, on: [1, 2, 3])
            #expect(answer.outputs.isEmpty && answer.failures.isEmpty)
        }.value
    }

    @Test("captures and private types are refused with file and line")
    func refused() {
        let number = CommandLine.arguments.count
        let captures = #expect(throws: BodyError.self) {
            try RemoteFunction(file: "here.swift", line: 7) { (x: Int) in x + number }.reference
        }
        #expect(captures?.code == .captures)
        #expect(captures?.description.hasPrefix("here.swift:7: ") == true)
        let hidden = #expect(throws: BodyError.self) { try RemoteFunction { (_: Int) in Hidden() }.reference }
        #expect(hidden?.code == .privateType)
        let capture = #expect(throws: BodyError.self) { try EncodedCaptures(Hidden(), file: "f", line: 1).typeName() }
        let asBody = #expect(throws: BodyError.self) { try RemoteFunction { (_: Int, _: Hidden) in }.reference }
        #expect(asBody?.code == .privateType)
        #expect(capture?.code == .privateType)
        let stubborn = #expect(throws: BodyError.self) { try RemoteFunction { (_: Int) in Stubborn() }.reference }
        #expect(stubborn?.code == .notCodable)
    }

    @Test("references and captures of another program are refused, whatever they say")
    func foreign() throws {
        let reference = try RemoteFunction { (x: Int) in x }.reference
        let bytes = try reference.wireBytes()
        for bit in 0..<8 * bytes.count {
            var other = bytes
            other[bit / 8] ^= 1 << (bit % 8)
            if let read = try? FunctionReference(wireBytes: other) { _ = try? ResolvedFunction(read) }
        }
        for name in ["", "Si", "nonsense", "$s", "So8NSObjectC"] {
            var reader = WireReader(bytes.span)
            #expect(throws: WireError.self) { try CapturesInWorker(typeName: name, from: &reader) }
        }
    }

    @Test("one place in the program has one number, another place another")
    func numbers() throws {
        func here() throws -> UInt64 { try RemoteFunction { (x: Int) in x }.reference.id }
        #expect(try here() == here())
        #expect(try here() != RemoteFunction { (x: Int) in x + 1 }.reference.id)
    }
}
