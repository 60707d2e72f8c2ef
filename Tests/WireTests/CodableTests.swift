import Testing
import Wire

// Types that know `Codable` only, and are made to travel by an empty conformance.

struct Person: Codable, WireCodable, Hashable {
    var name: String, age: Int, email: String?, tags: [String], colors: [CodableColor: Int], home: Place?
    struct Place: Codable, Hashable { var x: Double, y: Float, big: UInt64, wide: Int128, name: String?? }

    static let sample = Person(
        name: "Ada", age: 36, email: nil, tags: ["a", "b"], colors: [.red: 1, .blue: 2],
        home: Place(x: 1.5, y: -2.5, big: .max, wide: .min, name: "home"))
}

enum Shape: Codable, WireCodable, Hashable, Sendable {
    case point
    case circle(radius: Double)
    case pair(Int, String?)
    indirect case group([Shape], inside: Shape)
}

class Animal: Codable, Hashable {
    var name: String
    init(name: String) { self.name = name }
    static func == (a: Animal, b: Animal) -> Bool { a.isEqual(b) }
    func isEqual(_ other: Animal) -> Bool { name == other.name }
    func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

/// Shares the superclass's container.
final class Dog: Animal, WireCodable, @unchecked Sendable {
    var tricks: [String]
    enum Keys: String, CodingKey { case tricks }

    init(name: String, tricks: [String]) {
        self.tricks = tricks
        super.init(name: name)
    }
    required init(from decoder: any Decoder) throws {
        tricks = try decoder.container(keyedBy: Keys.self).decode([String].self, forKey: .tricks)
        try super.init(from: decoder)
    }
    override func encode(to encoder: any Encoder) throws {
        try super.encode(to: encoder)
        var container = encoder.container(keyedBy: Keys.self)
        try container.encode(tricks, forKey: .tricks)
    }
    override func isEqual(_ other: Animal) -> Bool { super.isEqual(other) && tricks == (other as? Dog)?.tricks }
}

/// Gives the superclass an encoder of its own.
final class Cat: Animal, WireCodable, @unchecked Sendable {
    var lives: UInt8
    enum Keys: String, CodingKey { case lives }

    init(name: String, lives: UInt8) {
        self.lives = lives
        super.init(name: name)
    }
    required init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        lives = try container.decode(UInt8.self, forKey: .lives)
        try super.init(from: container.superDecoder())
    }
    override func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Keys.self)
        try super.encode(to: container.superEncoder())
        try container.encode(lives, forKey: .lives)
    }
    override func isEqual(_ other: Animal) -> Bool { super.isEqual(other) && lives == (other as? Cat)?.lives }
}

/// Fills two nested containers in turns, and reads keys in another order than it wrote them.
struct Interleaved: Codable, WireCodable, Hashable {
    var pairs: [[Int]], inner: Int, absent: Int?
    enum Keys: String, CodingKey { case left, right, inner, absent }

    init(pairs: [[Int]], inner: Int) { (self.pairs, self.inner) = (pairs, inner) }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Keys.self)
        var left = container.nestedUnkeyedContainer(forKey: .left)
        var right = container.nestedUnkeyedContainer(forKey: .right)
        for pair in pairs {
            try left.encode(pair[0])
            try right.encode(pair[1])
        }
        var nested = container.nestedContainer(keyedBy: Keys.self, forKey: .inner)
        try nested.encode(inner, forKey: .inner)
        try nested.encodeNil(forKey: .absent)
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        let nested = try container.nestedContainer(keyedBy: Keys.self, forKey: .inner)
        inner = try nested.decode(Int.self, forKey: .inner)
        absent = try nested.decodeIfPresent(Int.self, forKey: .absent)
        guard try !container.contains(.absent) && nested.contains(.absent) && nested.decodeNil(forKey: .absent) else {
            throw DecodingError.dataCorruptedError(forKey: .absent, in: container, debugDescription: "absent")
        }
        var right = try container.nestedUnkeyedContainer(forKey: .right)
        var left = try container.nestedUnkeyedContainer(forKey: .left)
        pairs = []
        while !left.isAtEnd { pairs.append([try left.decode(Int.self), try right.decode(Int.self)]) }
    }
}

/// Tries one type after another.
enum Anything: Codable, WireCodable, Hashable, Sendable {
    case null, bool(Bool), int(Int), double(Double), text(String), list([Anything]), table([String: Anything])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let bool = try? container.decode(Bool.self) {
            self = .bool(bool)
        } else if let int = try? container.decode(Int.self) {
            self = .int(int)
        } else if let double = try? container.decode(Double.self) {
            self = .double(double)
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
        case .bool(let bool): try container.encode(bool)
        case .int(let int): try container.encode(int)
        case .double(let double): try container.encode(double)
        case .text(let text): try container.encode(text)
        case .list(let list): try container.encode(list)
        case .table(let table): try container.encode(table)
        }
    }
}

struct Keyed<Key: Codable & Hashable & Sendable>: Codable, WireCodable, Hashable, Sendable {
    var table: [Key: Key]
}

struct Refuses: Codable, WireCodable {
    func encode(to encoder: any Encoder) throws { throw Failure(reason: "never") }
}

struct TwoKinds: Encodable, WireEncodable {
    func encode(to encoder: any Encoder) throws {
        var keyed = encoder.container(keyedBy: CodableColor.Key.self)
        try keyed.encode(1, forKey: .red)
        var single = encoder.singleValueContainer()
        try single.encode(2)
        var unkeyed = encoder.unkeyedContainer()
        try unkeyed.encode(3)
        try keyed.encode(4, forKey: .red)
    }
}

extension CodableColor {
    enum Key: CodingKey { case red }
}

struct Chain: Codable, WireCodable {
    var next: [Chain]
}

/// Arrays of all numbers.
struct Arrays: Codable, WireCodable, Hashable {
    var a: [Int] = [.min], b: [UInt] = [.max, 1], c: [Int8] = [-1], d: [Int16] = [1], e: [Int32] = [1], f: [Int64] = []
    var g: [UInt8] = [1, 2, 3], h: [UInt16] = [1], i: [UInt32] = [1], j: [UInt64] = [1], k: [Float] = [1.5]
    var l: [Double] = [1.5, -0.0], m: [[Int]] = [[1], []], n: [Int?] = [1, nil], o: [UInt8]? = [1], p: Set<Int> = [1]
}

extension Sample {
    static let codable: [Sample] = [
        Sample(Arrays()), Sample([Arrays(), Arrays()]),
        Sample(Person.sample), Sample([Person.sample, Person.sample]),
        Sample(Person(name: "", age: -1, email: "x", tags: [], colors: [:], home: nil)),
        Sample(Shape.point), Sample(Shape.circle(radius: 2)), Sample(Shape.pair(-1000, nil)),
        Sample(Shape.group([.pair(1, "x"), .point], inside: .circle(radius: 1))), Sample(["a": Shape.point]),
        Sample(Dog(name: "Rex", tricks: ["sit"])), Sample(Cat(name: "Tom", lives: 9)),
        Sample(Interleaved(pairs: [[1, 2], [3, 4]], inner: 5)),
        Sample(Anything.list([.null, .bool(true), .int(70_000), .double(1), .text("x"), .table(["a": .list([])])])),
        Sample(Keyed(table: ["a": "b", "c": "d"])), Sample(Keyed(table: [1: 2, -3: 4])),
        Sample(Keyed(table: [CodableColor.red: .blue])), Sample(Keyed(table: [1.5: 2.5])),
        Sample(Keyed(table: Dictionary(uniqueKeysWithValues: (0..<50).map { ("\($0)", "\($0 * $0)") }))),
        Sample(Boxed(rawValue: .init(text: "x"))), Sample([Set([CodableColor.red])]),
    ]
}

@Suite("Codable")
struct CodableTests {
    @Test("a value is its new keys, then items with a length and a kind")
    func format() throws {
        struct Point: Codable, WireCodable { var x: Int, name: String? }
        // Two keys; 10 bytes: keyed; x is a 2-byte integer; name is text.
        #expect(
            try hex(Point(x: 300, name: "a").wireBytes())
                == "02 01 78 04 6e 61 6d 65 0a 09 00 03 03 2c 01 01 02 07 61")
        // What is absent takes nothing.
        #expect(try hex(Point(x: 1, name: nil).wireBytes()) == "01 01 78 05 09 00 02 03 01")
        // The keys travel once for all elements.
        #expect(
            try hex([Point(x: 1, name: nil), Point(x: 2, name: nil)].wireBytes())
                == "02 01 01 78 05 09 00 02 03 01 00 05 09 00 02 03 02")
    }

    @Test("a value read in an array of arrays finds its keys")
    func sharedKeys() throws {
        let people = [[Person.sample], [], [Person.sample, Person.sample]]
        #expect(try [[Person]](wireBytes: people.wireBytes()) == people)
        let pairs = [Pair(first: Person.sample, second: [Person.sample]), Pair(first: .sample, second: [])]
        #expect(try [Pair<Person, Person>](wireBytes: pairs.wireBytes()) == pairs)
        let (one, two) = try (Person.sample.wireBytes(), [Person.sample, Person.sample].wireBytes())
        #expect(two.count < 2 * one.count - 30)
    }

    @Test("an array of numbers is a block, whatever it is read as")
    func blocks() throws {
        struct List: Codable, WireCodable { var n: [Int16] }
        struct Numbers: Codable, WireCodable { var n: Set<Int> }
        struct Flags: Codable, WireCodable { var n: [Bool] }
        let bytes = try List(n: [1, 256]).wireBytes()
        // 9 bytes: keyed; n is a block of Int16.
        #expect(hex(bytes) == "01 01 6e 09 09 00 06 0a 02 01 00 00 01")
        #expect(try Numbers(wireBytes: bytes).n == [1, 256])
        #expect(throws: WireError.self) { _ = try Flags(wireBytes: bytes) }
        #expect(try List(wireBytes: Numbers(n: [7]).wireBytes()).n == [7])
        for damaged in [[10, 2, 1], [10, 2, 1, 0, 1], [10, 11, 1, 0], [10]] as [[UInt8]] {
            let size = UInt8(damaged.count)
            let bytes = [1, 1, 0x6E, size + 3, 9, 0, size] + damaged
            #expect(throws: WireError.self) { _ = try List(wireBytes: bytes) }
            #expect(throws: WireError.self) { _ = try Numbers(wireBytes: bytes) }
        }
    }

    @Test("a type that refuses to be encoded is an error at the end")
    func refuses() {
        let error = #expect(throws: WireError.self) { _ = try Refuses().wireBytes() }
        #expect(error?.code == .notEncodable)
        let two = #expect(throws: WireError.self) { _ = try TwoKinds().wireBytes() }
        #expect(two?.code == .notEncodable)
    }

    @Test("a number that does not fit is an error, not a trap")
    func tooLarge() throws {
        struct Wide: Codable, WireCodable { var n: Int }
        struct Narrow: Codable, WireCodable { var n: Int8 }
        #expect(try Narrow(wireBytes: Wide(n: -128).wireBytes()).n == -128)
        let error = #expect(throws: WireError.self) { _ = try Narrow(wireBytes: Wide(n: 128).wireBytes()) }
        #expect(error?.code == .invalidValue)
    }

    @Test("a missing key is an error that names it")
    func missingKey() throws {
        struct One: Codable, WireCodable { var one: Int }
        struct Two: Codable, WireCodable { var two: Int }
        let error = #expect(throws: WireError.self) { _ = try Two(wireBytes: One(one: 1).wireBytes()) }
        #expect(error?.code == .invalidValue && error?.detail.contains("two") == true)
    }

    @Test("a key that stands twice is an error")
    func duplicateKeys() throws {
        // The table has "x" twice; a container has key 0 twice.
        for bytes in [[2, 1, 0x78, 1, 0x78, 0], [1, 1, 0x78, 9, 9, 0, 2, 3, 1, 0, 2, 3, 1]] as [[UInt8]] {
            struct X: Codable, WireCodable { var x: Int }
            let error = #expect(throws: WireError.self) { _ = try X(wireBytes: bytes) }
            #expect(error?.code == .duplicateKey)
        }
    }
}
