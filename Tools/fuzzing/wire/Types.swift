// The types that bytes are read as: every standard type, and user types by each of the routes.

extension Check {
    static let all: [Check] = standard + own + codable

    private static let standard: [Check] = [
        sameBytes(1), sameBytes(1.5), sameBytes(true), sameBytes("Grüße"), sameBytes("é" as Character),
        sameBytes("x" as Unicode.Scalar), sameBytes(Duration.seconds(3)), sameBytes(SIMD3<Float>(1, 2, 3)),
        sameBytes([1, 2, 3] as [UInt8]), sameBytes([Double](repeating: 1.5, count: 20)),
        sameBytes([SIMD4<Float>](repeating: [1, 2, 3, 4], count: 5)), sameBytes(["a", "", "bcd"]),
        sameBytes([[1, 2], []] as [[Int16]]), sameBytes([nil, "a"] as [String?]), sameBytes(UInt8??.some(nil)),
        sameBytes([true, false]), sameBytes(Result<[String], Failure>.failure(Failure(reason: "x"))),
        sameBytes([1..<5]), sameBytes("a"..."b"), equal(Set([1, 2, 3])), equal(Set(["a", "b"])), equal([1: "a"]),
        equal(["a": [1: ["b": [1.5]]], "c": [:]]), equal(Set([1.5, .nan])), equal([["a"]: Set(["b"])]),
        sameBytes(WireError(code: .truncated, offset: 1, needed: 2, detail: "x")),
    ]

    private static let own: [Check] = [
        sameBytes(Record(id: 1, weight: 2, name: "three", scores: [4])),
        sameBytes([Record](repeating: Record(id: 1, weight: 2, name: "three", scores: [4]), count: 3)),
        sameBytes(Tree.branch(.leaf(1), .branch(.leaf(2), .leaf(3)))), sameBytes(Nest([Nest([]), Nest([Nest([])])])),
        sameBytes([Nothing(), Nothing()]), sameBytes([Gap(wide: 1, narrow: 2), Gap(wide: 3, narrow: 4)]),
        sameBytes([Color.red, .blue]), sameBytes(Flags(rawValue: 5)), equal([Color.red: [Tree.leaf(1)]]),
        borrowed, pieces, sameBytes(SharedArray([Double](repeating: 1.5, count: 20))),
        sameBytes([SharedArray([1, 2])]),
        stored(Record(id: 1, weight: 2, name: "three", scores: [4])),
    ]

    private static let codable: [Check] = [
        equal(Person.sample), equal([Person.sample, .sample]), equal(["a": Person.sample]),
        sameBytes(Shape.group([.pair(1, "x"), .point], inside: .circle(radius: 1))),
        sameBytes([Shape.point, .circle(radius: 2)]), sameBytes(Numbers()), sameBytes([Numbers(), Numbers()]),
        equal(Anything.list([.null, .int(7), .number(1.5), .text("x"), .table(["a": .list([]), "b": .null])])),
        equal([Anything.text("x"), .table(["a": .int(1)])]),
    ]
}

struct Failure: Error, WireCodable, Hashable {
    var reason: String

    init(reason: String) { self.reason = reason }
    func write(to output: inout WireWriter) { output.write(reason) }
    init(from input: inout WireReader) throws(WireError) { reason = try input.read() }
}

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

/// Nests through an array.
struct Nest: WireCodable {
    var inside: [Nest]

    init(_ inside: [Nest]) { self.inside = inside }
    func write(to output: inout WireWriter) { output.write(inside) }
    init(from input: inout WireReader) throws(WireError) { inside = try input.read() }
}

/// Takes no bytes.
struct Nothing: WireCodable {
    init() {}
    func write(to output: inout WireWriter) {}
    init(from input: inout WireReader) throws(WireError) {}
}

/// Has a gap at its end in memory.
struct Gap: Plain { var wide: Int32, narrow: Int8 }

enum Color: UInt8, WireCodable { case red = 1, green, blue }

struct Flags: OptionSet, WireCodable { var rawValue: UInt16 }

struct Person: Codable, WireCodable, Hashable {
    var name: String, age: Int, email: String?, tags: [String], places: [String: Place], home: Place?
    struct Place: Codable, Hashable { var x: Double, y: Float, big: UInt64, wide: Int128, name: String?? }

    static let home = Place(x: 1.5, y: -2.5, big: .max, wide: .min, name: "home")
    static let sample = Person(name: "Ada", age: 36, email: nil, tags: ["a"], places: ["b": home], home: home)
}

enum Shape: Codable, WireCodable {
    case point
    case circle(radius: Double)
    case pair(Int, String?)
    indirect case group([Shape], inside: Shape)
}

/// Arrays of numbers, which travel as blocks.
struct Numbers: Codable, WireCodable {
    var a: [Int] = [.min], b: [UInt8] = [1, 2, 3], c: [Int16] = [1], d: [Float] = [1.5], e: [Double] = [1.5, -0.0]
    var f: [[Int]] = [[1], []], g: [Int?] = [1, nil], h: [UInt8]? = [1], i: [Bool] = [true]
}

/// Tries one type after another.
enum Anything: Codable, WireCodable, Equatable {
    case null, int(Int), number(Double), text(String), list([Anything]), table([String: Anything])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let int = try? container.decode(Int.self) {
            self = .int(int)
        } else if let number = try? container.decode(Double.self) {
            self = .number(number)
        } else if let text = try? container.decode(String.self) {
            self = .text(text)
        } else if let list = try? container.decode([Anything].self) {
            self = .list(list)
        } else {
            self = .table(try container.decode([String: Anything].self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .int(let int): try container.encode(int)
        case .number(let number): try container.encode(number)
        case .text(let text): try container.encode(text)
        case .list(let list): try container.encode(list)
        case .table(let table): try container.encode(table)
        }
    }
}
