import Testing
import Wire

func readThroughExistential(_ type: any WireDecodable.Type, _ bytes: [UInt8]) throws(WireError) -> any WireDecodable {
    var input = WireReader(bytes.span)
    return try type.init(from: &input)
}

func readThroughPack<each T: WireDecodable>(_ bytes: [UInt8], as types: repeat (each T).Type) throws -> (repeat each T)
{
    var input = WireReader(bytes.span)
    return (repeat try (each T)(from: &input))
}

@Suite("WireReader")
struct WireReaderTests {
    @Test("values come back, alone and several at once")
    func readValues() throws {
        let record = Record(id: -5, weight: 1.5, name: "Grüße", scores: [1, 2, 3])
        let bytes = try record.wireBytes()
        #expect(try Record(wireBytes: bytes) == record)

        var output = WireWriter()
        output.write(1, true, "x" as String?, ["a": 1])
        let more = try output.finish()
        var input = WireReader(more.span)
        let one: Int = try input.read()
        let (flag, text, table): (Bool, String?, [String: Int]) = try input.read()
        #expect(one == 1 && flag && text == "x" && table == ["a": 1])
        try input.expectEnd()
    }

    @Test("a type that is only known at run time can be read")
    func existential() throws {
        let tree = Tree.branch(.leaf(1), .branch(.leaf(2), .leaf(3)))
        #expect(try readThroughExistential(Tree.self, tree.wireBytes()) as? Tree == tree)
    }

    @Test("types in a parameter pack can be read")
    func pack() throws {
        var output = WireWriter()
        output.write(7, "seven", [7.0])
        let (a, b, c) = try readThroughPack(output.finish(), as: Int.self, String.self, [Double].self)
        #expect(a == 7 && b == "seven" && c == [7])
    }

    @Test("a read past the end says what is missing", arguments: 0..<8)
    func truncated(byteCount: Int) {
        let bytes = [UInt8](repeating: 0, count: byteCount)
        let error = #expect(throws: WireError.self) { _ = try Int(wireBytes: bytes) }
        #expect(error == WireError(code: .truncated, offset: 0, needed: 8, available: byteCount))
    }

    @Test("bytes after the value are an error")
    func trailing() {
        let error = #expect(throws: WireError.self) { _ = try UInt8(wireBytes: [1, 2, 3]) }
        #expect(error?.code == .trailingBytes && error?.offset == 1)
    }

    @Test("a type's own complaint comes with the offset")
    func ownError() {
        let error = #expect(throws: WireError.self) { _ = try Tree(wireBytes: [9]) }
        #expect(error?.code == .invalidValue && error?.offset == 1)
        #expect(error.map { "\($0)" } == "invalidValue at byte 1: Tree has no case 9")
    }

    @Test("borrowed bytes can be read without an array")
    func borrowed() throws {
        let bytes = try Record.sample.wireBytes()
        #expect(try unsafe bytes.withUnsafeBytes { try unsafe Record(wireBytes: $0.bytes) } == .sample)
    }
}
