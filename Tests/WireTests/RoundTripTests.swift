import Testing
import Wire

/// A value of some type, with what is needed to read it again.
struct Sample: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let bytes: [UInt8]
    /// Reads bytes as the sample's type; says whether they give the sample's value.
    let matches: @Sendable ([UInt8]) throws(WireError) -> Bool

    /// The value is made anew for each comparison: leak checkers don't find what a global's indirect enum points to.
    init<T: WireCodable & Equatable & Sendable>(_ value: @autoclosure @escaping @Sendable () -> T) {
        testDescription = "\(T.self)"
        do {
            bytes = try value().wireBytes()
        } catch {
            Issue.record(error)
            bytes = []
        }
        matches = { bytes throws(WireError) in try T(wireBytes: bytes) == value() }
    }

    static let all: [Sample] =
        numbers + texts + collections + choices + own + codable
    static let numbers: [Sample] = [
        Sample(Int.min), Sample(Int8.min), Sample(Int16.min), Sample(Int32.min), Sample(Int64.min),
        Sample(Int128.min), Sample(UInt.max), Sample(UInt8.max), Sample(UInt16.max), Sample(UInt32.max),
        Sample(UInt64.max), Sample(UInt128.max), Sample(Float.pi), Sample(-Double.infinity), Sample(Float16(1.5)),
        Sample(true), Sample(false), Sample(Duration.seconds(-3)), Sample(Duration.zero),
        Sample(SIMD2<Double>(1, 2)), Sample(SIMD3<Float>(1, 2, 3)), Sample(SIMD4<Int8>(1, 2, 3, 4)),
        Sample(SIMD8<UInt16>(repeating: 3)), Sample(SIMD16<Float>(repeating: 3)),
        Sample(SIMD32<UInt8>(repeating: 3)), Sample(SIMD64<Int64>(repeating: 3)),
    ]
    static let texts: [Sample] = [
        Sample(""), Sample("Grüße"), Sample(String(repeating: "👨‍👩‍👧", count: 20)), Sample("é" as Character),
        Sample("👨‍👩‍👧" as Character), Sample("\u{10FFFF}" as Unicode.Scalar),
    ]
    static let collections: [Sample] = [
        Sample([Int]()), Sample([1, 2, 3]), Sample([Double](repeating: 1.5, count: 100)), Sample(["a", "", "bc"]),
        Sample([true, false]), Sample([[1], [], [2, 3]]), Sample(ContiguousArray([1, 2, 3])),
        Sample([1, 2, 3, 4][1..<3]), Sample(Set([1, 2, 3])), Sample(Set(["a", "b"])), Sample([1: "a", 2: "b"]),
        Sample(["a": [1.0], "b": []]), Sample([String: Int]()), Sample(1..<5), Sample(1.0...2.0),
        Sample("a"..."b"), Sample([SIMD4<Float>](repeating: [1, 2, 3, 4], count: 9)),
        Sample([SIMD3<Float>](repeating: [1, 2, 3], count: 9)), Sample([Nothing](repeating: Nothing(), count: 9)),
        Sample([UInt8](repeating: 1, count: 70_000)), Sample([Int128](repeating: 1, count: 20)),
    ]
    static let choices: [Sample] = [
        Sample(nil as Int?), Sample(1 as Int?), Sample(Int??.some(nil)), Sample([nil, "a"] as [String?]),
        Sample(Result<Int, Failure>.success(1)), Sample(Result<Int, Failure>.failure(Failure(reason: "x"))),
    ]
    static let own: [Sample] = [
        Sample(Record.sample), Sample([Record](repeating: .sample, count: 5)),
        Sample(Tree.branch(.leaf(1), .branch(.leaf(2), .leaf(3)))), Sample(Pair(first: "a", second: [Color.red])),
        Sample(Nest([Nest([]), Nest([Nest([])])])), Sample(Particle(position: [1, 2], charge: 3, mass: 4)),
        Sample([Particle](repeating: Particle(position: [1, 2], charge: 3, mass: 4), count: 20)),
        Sample([Gap(wide: 1, narrow: 2), Gap(wide: 3, narrow: 4)]), Sample(PlainAndCodable(x: 1, y: 2)),
        Sample(PlainRawAndCodable(rawValue: 3)), Sample(Color.allSamples), Sample(CodableColor.allCases),
        Sample(WireError(code: .truncated, offset: 1, needed: 2, available: 3, detail: "x")),
        Sample(Flags(rawValue: 3)), Sample([HandWritten(id: 3)]),
    ]
}

extension Color {
    static let allSamples: [Color] = [.red, .green, .blue]
}

@Suite("Round trips")
struct RoundTripTests {
    @Test("every type comes back as it was", arguments: Sample.all)
    func roundTrip(sample: Sample) throws {
        #expect(try sample.matches(sample.bytes))
    }

    @Test("numbers keep their bits, also those of NaN")
    func bits() throws {
        let odd = Double(bitPattern: 0x7FF8_0000_0000_BEEF)
        #expect(try Double(wireBytes: odd.wireBytes()).bitPattern == odd.bitPattern)
        #expect(try Double(wireBytes: (-0.0).wireBytes()).sign == .minus)
        #expect(try Set<Double>(wireBytes: Set([Double.nan, 1]).wireBytes()).count == 2)
    }

    @Test("ten values go in one call")
    func tenValues() throws {
        var output = WireWriter()
        output.write(1, "2", 3.0, true, 5 as UInt8, "6" as Character, [7], 8 as Int?, Color.red, 10 as Float)
        let bytes = try output.finish()
        var input = WireReader(bytes.span)
        let (a, b, c, d, e, f, g, h, i, j): (Int, String, Double, Bool, UInt8, Character, [Int], Int?, Color, Float) =
            try input.read()
        try input.expectEnd()
        #expect(a == 1 && b == "2" && c == 3 && d && e == 5 && f == "6" && g == [7] && h == 8 && i == .red && j == 10)
    }

    @Test("random arrays of records come back", arguments: 0..<20 as Range<UInt64>)
    func randomRecords(seed: UInt64) throws {
        var random = SplitMix64(state: seed)
        let records = (0..<Int.random(in: 0...300, using: &random)).map { _ in
            Record(
                id: .random(in: .min ... .max, using: &random), weight: .random(in: -1...1, using: &random),
                name: String(repeating: "ä", count: .random(in: 0...200, using: &random)),
                scores: (0..<Int.random(in: 0...40, using: &random)).map { _ in .random(in: 0...9, using: &random) })
        }
        #expect(try [Record](wireBytes: records.wireBytes()) == records)
    }
}
