import Wire

/// A generator with a seed, so that a failing test fails again.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// The bytes as text, two digits each, with a blank between bytes.
func hex(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef")
    return bytes.map { "\(digits[Int($0 >> 4)])\(digits[Int($0 & 15)])" }.joined(separator: " ")
}

struct Record: WireCodable, Hashable {
    var id: Int64, weight: Double, name: String, scores: [Int32]

    init(id: Int64, weight: Double, name: String, scores: [Int32]) {
        (self.id, self.weight, self.name, self.scores) = (id, weight, name, scores)
    }

    func write(to output: inout WireWriter) { output.write(id, weight, name, scores) }

    init(from input: inout WireReader) throws(WireError) { (id, weight, name, scores) = try input.read() }

    static let sample = Record(id: -5, weight: 1.5, name: "Grüße", scores: [1, 2, 3])
}

/// Enums are written by hand: a tag, then the payload.
indirect enum Tree: WireCodable, Hashable, Sendable {
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

    init(first: First, second: [Second]) { (self.first, self.second) = (first, second) }

    func write(to output: inout WireWriter) { output.write(first, second) }

    init(from input: inout WireReader) throws(WireError) { (first, second) = try input.read() }
}

extension Pair: Sendable where First: Sendable, Second: Sendable {}

extension Pair: Equatable where First: Equatable, Second: Equatable {}

/// Nests through an array rather than through itself.
struct Nest: WireCodable, Hashable {
    var inside: [Nest]

    init(_ inside: [Nest]) { self.inside = inside }

    func write(to output: inout WireWriter) { output.write(inside) }

    init(from input: inout WireReader) throws(WireError) { inside = try input.read() }
}

/// Takes no bytes.
struct Nothing: WireCodable, Hashable {
    init() {}
    func write(to output: inout WireWriter) {}
    init(from input: inout WireReader) throws(WireError) {}
}

/// An error with a payload, for `Result`.
struct Failure: Error, WireCodable, Hashable {
    var reason: String

    init(reason: String) { self.reason = reason }

    func write(to output: inout WireWriter) { output.write(reason) }

    init(from input: inout WireReader) throws(WireError) { reason = try input.read() }
}

// Empty conformances.

struct Particle: Plain, Hashable { var position: SIMD2<Float>, charge: Float, mass: Float }

/// Has a gap at its end in memory, which does not travel.
struct Gap: Plain, Hashable { var wide: Int32, narrow: Int8 }

struct PlainAndCodable: Plain, Codable, Hashable { var x: Int32, y: Int32 }

struct PlainAndRaw: Plain, RawRepresentable, Hashable { var rawValue: Int16 }

struct PlainRawAndCodable: Plain, RawRepresentable, Codable, Hashable { var rawValue: Int16 }

enum Color: UInt8, WireCodable, Hashable { case red = 1, green, blue }

enum CodableColor: String, Codable, WireCodable, Hashable, CaseIterable { case red, green, blue }

struct Flags: OptionSet, WireCodable, Hashable { var rawValue: UInt16 }

/// A raw value that nothing else but `Codable` can write.
struct Boxed: RawRepresentable, Codable, WireCodable, Hashable {
    struct Inner: Codable, Hashable { var text: String }
    var rawValue: Inner
}

/// Both `Codable` and written by hand, which wins, also in arrays.
struct HandWritten: Codable, WireCodable, Hashable {
    var id: UInt8

    init(id: UInt8) { self.id = id }

    func write(to output: inout WireWriter) { output.write(id) }

    init(from input: inout WireReader) throws(WireError) { id = try input.read() }
}
