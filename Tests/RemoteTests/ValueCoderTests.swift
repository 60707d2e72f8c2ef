import Synchronization
import Testing
import Wire

@testable import Remote

struct Stubborn: Sendable {}

/// Counts the objects of one test that are alive.
private final class Census: Sendable {
    let alive = Atomic(0)
}

private let census = Census()

/// An object that is counted while it lives; reading one whose number is odd fails.
final class Counted: WireCodable, Sendable {
    let number: Int

    init(_ number: Int) {
        self.number = number
        census.alive.add(1, ordering: .relaxed)
    }

    deinit { census.alive.subtract(1, ordering: .relaxed) }

    func write(to output: inout WireWriter) { output.write(number) }

    convenience init(from input: inout WireReader) throws(WireError) {
        let number: Int = try input.read()
        guard number.isMultiple(of: 2) else { throw input.invalid("an odd one") }
        self.init(number)
    }
}

private func encode<Value>(_ values: [Value]) throws -> [UInt8] {
    var output = WireWriter()
    ValueCoder<Value>().write(values[...], to: &output)
    return try output.finish()
}

private func decode<Value>(_ bytes: [UInt8], as _: Value.Type = Value.self) throws(WireError) -> [Value] {
    var reader = WireReader(bytes.span)
    let values = try ValueCoder<Value>().read(from: &reader)
    try reader.expectEnd()
    return values
}

@Suite("ValueCoder", .serialized)
struct ValueCoderTests {
    @Test("the layout of tuples is read from their metadata")
    func metadata() throws {
        typealias Mixed = (UInt8, Int64, label: Bool, String)
        let members = try #require(TupleMetadata(Mixed.self)).members
        #expect(members.map(\.offset) == [0, 8, 16, 24])
        #expect(members[1].type == Int64.self && members[3].type == String.self)
        #expect(TupleMetadata(Void.self)?.members.isEmpty == true)
        for type in [Int.self, String.self, Counted.self, [Int].self, (() -> Void).self, Any.self, Int?.self]
            as [any Any.Type]
        {
            #expect(TupleMetadata(type) == nil, "\(type)")
        }
    }

    @Test("tuples come back as they were, also with padding, nesting and labels")
    func tuples() throws {
        let mixed: [(UInt8, Int64, Bool)] = [(1, -2, true), (255, .max, false)]
        let back: [(UInt8, Int64, Bool)] = try decode(encode(mixed))
        #expect(back.elementsEqual(mixed, by: ==))
        let nested: [(String, (Int?, [Double]))] = [("ä", (nil, [])), ("", (3, [1, 2]))]
        let again: [(String, (Int?, [Double]))] = try decode(encode(nested))
        #expect(again.elementsEqual(nested) { $0.0 == $1.0 && $0.1 == $1.1 })
        let labelled: [(key: String, value: Int)] = [("a", 1)]
        let unlabelled: [(String, Int)] = try decode(encode(labelled))
        #expect(unlabelled.elementsEqual([("a", 1)], by: ==), "labels do not travel")
        #expect(try decode(encode([(), ()]), as: Void.self).count == 2)
        #expect(try decode(encode([(Int, Int)]()), as: (Int, Int).self).isEmpty)
        #expect(try decode(encode([1, 2, 3]), as: Int.self) == [1, 2, 3])
    }

    @Test("types that can't travel are named, the first of them")
    func refused() {
        #expect(TravellingType.of((Int, String).self).refusedName == nil)
        #expect(TravellingType.of(Never.self).refusedName == nil)
        #expect(TravellingType.of(Stubborn.self).refusedName == "RemoteTests.Stubborn")
        #expect(TravellingType.of((Int, (Stubborn, String)).self).refusedName == "RemoteTests.Stubborn")
        #expect(TravellingType.of((() -> Void).self).refusedName != nil)
    }

    @Test("truncated tuples are an error, and flipped bits never trap")
    func hostile() throws {
        let bytes = try encode([("text", 5, [1.5, 2.5]), ("more", -1, [])])
        for count in 0..<bytes.count {
            #expect(throws: WireError.self) { try decode(Array(bytes[..<count]), as: (String, Int, [Double]).self) }
        }
        for bit in 0..<8 * bytes.count {
            var other = bytes
            other[bit / 8] ^= 1 << (bit % 8)
            _ = try? decode(other, as: (String, Int, [Double]).self)
        }
    }

    @Test("a count that the bytes can't hold is refused before memory is taken", arguments: [1 << 20, UInt64.max])
    func counts(count: UInt64) throws {
        let bytes = try count.wireBytes() + [0, 0]
        #expect(throws: WireError.self) { try decode(bytes, as: (Int8, Int8).self) }
    }

    @Test("tuples whose reading fails half-way leave no object behind", arguments: 0..<6)
    func leaks(bad: Int) throws {
        let before = census.alive.load(ordering: .relaxed)
        do {
            let numbers = (0..<6).map { $0 == bad ? 2 * $0 + 1 : 2 * $0 }
            let values = [
                (Counted(numbers[0]), (Counted(numbers[1]), 7), Counted(numbers[2])),
                (Counted(numbers[3]), (Counted(numbers[4]), 8), Counted(numbers[5])),
            ]
            let bytes = try encode(values)
            #expect(census.alive.load(ordering: .relaxed) == before + 6)
            #expect(throws: WireError.self) { try decode(bytes, as: (Counted, (Counted, Int), Counted).self) }
        }
        #expect(census.alive.load(ordering: .relaxed) == before)
    }

    @Test("tuples that were read are freed with their array")
    func frees() throws {
        let before = census.alive.load(ordering: .relaxed)
        do {
            let bytes = try encode([(Counted(2), "x"), (Counted(4), "y")])
            let values = try decode(bytes, as: (Counted, String).self)
            #expect(values.map(\.0.number) == [2, 4] && values.map(\.1) == ["x", "y"])
        }
        #expect(census.alive.load(ordering: .relaxed) == before)
    }
}
