import Testing
import Wire

struct Record: WireCodable, Hashable {
    var id: Int64, weight: Double, name: String, scores: [Int32]

    init(id: Int64, weight: Double, name: String, scores: [Int32]) {
        (self.id, self.weight, self.name, self.scores) = (id, weight, name, scores)
    }

    func write(to output: inout WireWriter) { output.write(id, weight, name, scores) }

    init(from input: inout WireReader) throws(WireError) { (id, weight, name, scores) = try input.read() }
}

indirect enum Tree: WireCodable, Hashable {
    case leaf(Int)
    case branch(Tree, Tree)

    func write(to output: inout WireWriter) {
        switch self {
        case .leaf(let value): output.write(0 as UInt8, value)
        case .branch(let left, let right): output.write(1 as UInt8, left, right)
        }
    }

    init(from input: inout WireReader) throws(WireError) {
        let tag: UInt8 = try input.read()
        switch tag {
        case 0: self = .leaf(try input.read())
        case 1:
            let (left, right): (Tree, Tree) = try input.read()
            self = .branch(left, right)
        default: throw input.invalid("Tree has no case \(tag)")
        }
    }
}

/// A generic type in a module that knows nothing of lifetimes.
struct Pair<First: WireCodable, Second: WireCodable>: WireCodable {
    var first: First, second: [Second]

    func write(to output: inout WireWriter) { output.write(first, second) }

    init(from input: inout WireReader) throws(WireError) { (first, second) = try input.read() }
}

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
}
