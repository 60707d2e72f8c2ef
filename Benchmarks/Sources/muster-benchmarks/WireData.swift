/// Random numbers that are the same in every language: SplitMix64. `Benchmarks/peers/data.h` draws the same ones in the
/// same order, and each peer must come to the same checksums.
struct SplitMix64 {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A number of `0..<bound`; not quite uniform, which does not matter here.
    mutating func below(_ bound: UInt64) -> UInt64 { next() % bound }

    /// A number of `0..<1`.
    mutating func double() -> Double { Double(next() >> 11) * 0x1p-53 }
    mutating func float() -> Float { Float(next() >> 40) * 0x1p-24 }

    mutating func element<T>(_ elements: [T]) -> T { elements[Int(below(UInt64(elements.count)))] }
}

// MARK: Shape (b), a record of each kind of field

struct Record: Codable, Sendable {
    var id: Int64
    var score: Double
    var name: String
    var values: [Int32]

    init(_ index: Int, _ random: inout SplitMix64) {
        id = Int64(index) * 7919
        score = random.double() * 100
        let digits = String(index)
        name = "name" + String(repeating: "0", count: 8 - digits.count) + digits
        values = (0..<4).map { _ in Int32(random.below(100_000)) }
    }

    init(id: Int64, score: Double, name: String, values: [Int32]) {
        (self.id, self.score, self.name, self.values) = (id, score, name, values)
    }
}

// MARK: Shape log: lines of a web server's log

struct Address: Codable, Sendable {
    var a: UInt8
    var b: UInt8
    var c: UInt8
    var d: UInt8
}

struct LogLine: Codable, Sendable {
    var address: Address
    var identity: String
    var user: String
    var date: String
    var request: String
    var code: UInt16
    var size: UInt64

    private static let users = ["-", "ada", "barbara", "chris", "edsger", "grace", "ken", "radia", "tony"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    private static let methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    private static let paths = [
        "/", "/index.html", "/style/main.css", "/style/print.min.css", "/images/banner-wide.svg", "/api/v1/session",
        "/search",
    ]
    private static let protocols = ["HTTP/1.0", "HTTP/1.1", "HTTP/2", "HTTP/3"]
    private static let codes: [UInt16] = [200, 201, 204, 206, 301, 302, 304, 400, 401, 403, 404, 410, 429, 500, 503]

    init(_ random: inout SplitMix64) {
        address = Address(
            a: UInt8(random.below(256)), b: UInt8(random.below(256)), c: UInt8(random.below(256)),
            d: UInt8(random.below(256)))
        identity = "-"
        user = random.element(Self.users)
        let (day, month, year) = (random.below(28) + 1, random.element(Self.months), random.below(40) + 1985)
        let (hour, minute, second) = (random.below(24), random.below(60), random.below(60))
        date = "\(day)/\(month)/\(year):\(hour):\(minute):\(second) +0\(random.below(10))00"
        request = "\(random.element(Self.methods)) \(random.element(Self.paths)) \(random.element(Self.protocols))"
        code = random.element(Self.codes)
        size = random.below(100_000_000)
    }
}

// MARK: Shape mesh: triangles, plain through and through

struct Vector: Codable, Sendable {
    var x: Float
    var y: Float
    var z: Float

    init(_ random: inout SplitMix64) { (x, y, z) = (random.float(), random.float(), random.float()) }
}

struct Triangle: Codable, Sendable {
    var first: Vector
    var second: Vector
    var third: Vector
    var normal: Vector

    init(_ random: inout SplitMix64) {
        (first, second, third, normal) = (Vector(&random), Vector(&random), Vector(&random), Vector(&random))
    }
}

// MARK: Shape mk48: what a game's server tells a player, tables in tables

enum Ship: UInt8, Codable, Sendable, CaseIterable {
    case buoy, cutter, dinghy, ferry, freighter, frigate, submarine, tanker, trawler, tug
}

struct Movement: Codable, Sendable {
    var altitude: Int8
    var angle: UInt16
    var x: Float
    var y: Float
    var velocity: Int16

    init(_ random: inout SplitMix64) {
        altitude = Int8(truncatingIfNeeded: random.next())
        angle = UInt16(truncatingIfNeeded: random.next())
        (x, y) = (random.float() * 750, random.float() * 750)
        velocity = Int16(truncatingIfNeeded: random.next())
    }
}

struct Guidance: Codable, Sendable {
    var angle: UInt16
    var isSubmerged: Bool
    var velocity: Int16

    init(_ random: inout SplitMix64) {
        angle = UInt16(truncatingIfNeeded: random.next())
        isSubmerged = random.below(2) == 1
        velocity = Int16(truncatingIfNeeded: random.next())
    }
}

struct Contact: Codable, Sendable {
    var id: UInt32
    var damage: UInt8
    var ship: Ship?
    var name: String?
    var player: UInt16?
    var guidance: Guidance
    var movement: Movement
    var reloads: [Int32]
    var turrets: [UInt16]

    init(_ random: inout SplitMix64) {
        id = UInt32(truncatingIfNeeded: random.next())
        damage = UInt8(random.below(256))
        ship = random.below(10) == 0 ? nil : Ship.allCases[Int(random.below(10))]
        name = random.below(2) == 0 ? nil : "captain-\(random.below(1_000_000_000_000))"
        player = random.below(3) == 0 ? nil : UInt16(truncatingIfNeeded: random.next())
        guidance = Guidance(&random)
        movement = Movement(&random)
        reloads = (0..<random.below(12)).map { _ in Int32(random.below(1000)) }
        turrets = (0..<random.below(5)).map { _ in UInt16(truncatingIfNeeded: random.next()) }
    }
}

struct Terrain: Codable, Sendable {
    var x: Int8
    var y: Int8
    var heights: [UInt8]

    init(_ random: inout SplitMix64) {
        (x, y) = (Int8(truncatingIfNeeded: random.next()), Int8(truncatingIfNeeded: random.next()))
        heights = (0..<random.below(200)).map { _ in UInt8(random.below(256)) }
    }
}

struct Update: Codable, Sendable {
    var score: UInt32
    var radius: Float
    var contacts: [Contact]
    var terrain: Terrain?

    init(_ random: inout SplitMix64) {
        score = UInt32(random.below(1_000_000))
        radius = random.float() * 5000
        contacts = (0..<random.below(40)).map { _ in Contact(&random) }
        terrain = random.below(4) == 0 ? Terrain(&random) : nil
    }
}

/// The data, the same in every run.
enum WireData {
    static func doubles() -> [Double] {
        var random = SplitMix64(state: 1)
        return (0..<10_000_000).map { _ in random.double() }
    }
    static func records() -> [Record] {
        var random = SplitMix64(state: 2)
        return (0..<100_000).map { Record($0, &random) }
    }
    static func log() -> [LogLine] {
        var random = SplitMix64(state: 3)
        return (0..<10_000).map { _ in LogLine(&random) }
    }
    static func mesh() -> [Triangle] {
        var random = SplitMix64(state: 4)
        return (0..<125_000).map { _ in Triangle(&random) }
    }
    static func mk48() -> [Update] {
        var random = SplitMix64(state: 5)
        return (0..<1000).map { _ in Update(&random) }
    }
}
