import Muster

// Messages read in place, as a program that needs no values of its own would: every length, tag and text is checked, and
// every field added up as it is read. Nothing is copied or allocated.
//
// Field after field in a function, rather than a view per type: a struct that holds a `UTF8Span` or `PlainView` is
// `~Escapable`, and to make one takes the compiler's experimental feature `Lifetimes`. A function needs no feature.

/// The sum over the `[Double]` in a message.
@inline(never)
func checksum(ofDoublesIn message: [UInt8]) throws(WireError) -> UInt64 {
    var input = WireReader(message.span)
    var sum: UInt64 = 0
    let elements = try input.readSpan(of: Double.self)
    for index in elements.indices { sum &+= elements[index].bitPattern }
    try input.expectEnd()
    return sum
}

/// The sum over the `[Triangle]` in a message.
@inline(never)
func checksum(ofTrianglesIn message: [UInt8]) throws(WireError) -> UInt64 {
    var input = WireReader(message.span)
    var sum: UInt64 = 0
    let triangles = try input.readSpan(of: Triangle.self)
    for index in triangles.indices { sum.add(triangles[index]) }
    try input.expectEnd()
    return sum
}

/// The sum over the `[Record]` in a message.
@inline(never)
func checksum(ofRecordsIn message: [UInt8]) throws(WireError) -> UInt64 {
    var input = WireReader(message.span)
    var sum: UInt64 = 0
    for _ in 0..<(try input.readCount()) { try sum.addRecord(from: &input) }
    try input.expectEnd()
    return sum
}

/// The sum over the `[LogLine]` in a message.
@inline(never)
func checksum(ofLogLinesIn message: [UInt8]) throws(WireError) -> UInt64 {
    var input = WireReader(message.span)
    var sum: UInt64 = 0
    for _ in 0..<(try input.readCount()) { try sum.addLogLine(from: &input) }
    try input.expectEnd()
    return sum
}

/// The sum over the `[Update]` in a message.
@inline(never)
func checksum(ofUpdatesIn message: [UInt8]) throws(WireError) -> UInt64 {
    var input = WireReader(message.span)
    var sum: UInt64 = 0
    for _ in 0..<(try input.readCount()) { try sum.addUpdate(from: &input) }
    try input.expectEnd()
    return sum
}

// MARK: One function per type: its fields, in the order in which it writes them

extension UInt64 {
    fileprivate mutating func addRecord(from input: inout WireReader) throws(WireError) {
        let (id, score): (Int64, Double) = try input.read()
        add(id)
        add(score.bitPattern)
        add(try input.readUTF8())
        add(try input.readView(of: Int32.self))
    }

    fileprivate mutating func addLogLine(from input: inout WireReader) throws(WireError) {
        add(try input.read() as Address)
        add(try input.readUTF8())  // identity
        add(try input.readUTF8())  // user
        add(try input.readUTF8())  // date
        add(try input.readUTF8())  // request
        let (code, size): (UInt16, UInt64) = try input.read()
        add(code)
        add(size)
    }

    fileprivate mutating func addUpdate(from input: inout WireReader) throws(WireError) {
        let (score, radius): (UInt32, Float) = try input.read()
        add(score)
        add(radius.bitPattern)
        for _ in 0..<(try input.readCount()) { try addContact(from: &input) }
        if try input.readIsPresent() { try addTerrain(from: &input) }
    }

    fileprivate mutating func addContact(from input: inout WireReader) throws(WireError) {
        let (id, damage, ship): (UInt32, UInt8, Ship?) = try input.read()
        add(id)
        add(damage)
        add(ship?.rawValue ?? 99)
        if try input.readIsPresent() { add(try input.readUTF8()) } else { add(7) }
        let (player, guidance, movement): (UInt16?, Guidance, Movement) = try input.read()
        add(player ?? 9)
        add(guidance)
        add(movement)
        add(try input.readView(of: Int32.self))  // reloads
        add(try input.readView(of: UInt16.self))  // turrets
    }

    fileprivate mutating func addTerrain(from input: inout WireReader) throws(WireError) {
        let (x, y): (Int8, Int8) = try input.read()
        add(x)
        add(y)
        add(try input.readView(of: UInt8.self))
    }
}

extension UInt64 {
    mutating func add(_ text: UTF8Span) {
        let units = text.span
        for index in units.indices { add(units[index]) }
    }

    fileprivate mutating func add(_ numbers: PlainView<some BinaryInteger & Plain>) {
        for index in numbers.indices { add(numbers[index]) }
    }
}
