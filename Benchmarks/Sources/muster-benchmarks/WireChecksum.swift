// Reads every field of a value and adds it up, wrapping: what proves that a decoded value is there, and costs the same in
// every language.

extension UInt64 {
    @inline(__always)
    mutating func add(_ value: some BinaryInteger) { self &+= UInt64(truncatingIfNeeded: value) }

    @inline(__always)
    mutating func add(_ text: String) {
        let sum = unsafe text.utf8.withContiguousStorageIfAvailable { bytes in
            var sum: UInt64 = 0
            for index in 0..<bytes.count { sum &+= UInt64(unsafe bytes[index]) }
            return sum
        }
        precondition(sum != nil, "decoded text is contiguous")
        self &+= sum ?? 0
    }

    @inline(__always)
    fileprivate mutating func add(_ vector: Vector) {
        self &+= UInt64(vector.x.bitPattern) &+ UInt64(vector.y.bitPattern) &+ UInt64(vector.z.bitPattern)
    }

    @inline(__always)
    mutating func add(_ triangle: Triangle) {
        add(triangle.first)
        add(triangle.second)
        add(triangle.third)
        add(triangle.normal)
    }

    @inline(__always)
    mutating func add(_ address: Address) {
        add(address.a)
        add(address.b)
        add(address.c)
        add(address.d)
    }

    mutating func add(_ guidance: Guidance) {
        add(guidance.angle)
        add(guidance.isSubmerged ? 1 : 0)
        add(guidance.velocity)
    }

    mutating func add(_ movement: Movement) {
        add(movement.altitude)
        add(movement.angle)
        add(movement.x.bitPattern)
        add(movement.y.bitPattern)
        add(movement.velocity)
    }

    fileprivate mutating func add(_ contact: Contact) {
        add(contact.id)
        add(contact.damage)
        add(contact.ship?.rawValue ?? 99)
        if let name = contact.name { add(name) } else { add(7) }
        add(contact.player ?? 9)
        add(contact.guidance)
        add(contact.movement)
        for reload in contact.reloads { add(reload) }
        for turret in contact.turrets { add(turret) }
    }
}

@inline(never)
func checksum(_ elements: [Double]) -> UInt64 {
    var sum: UInt64 = 0
    for element in elements { sum &+= element.bitPattern }
    return sum
}

@inline(never)
func checksum(_ elements: [Record]) -> UInt64 {
    var sum: UInt64 = 0
    for record in elements {
        sum.add(record.id)
        sum.add(record.score.bitPattern)
        sum.add(record.name)
        for value in record.values { sum.add(value) }
    }
    return sum
}

@inline(never)
func checksum(_ elements: [LogLine]) -> UInt64 {
    var sum: UInt64 = 0
    for line in elements {
        sum.add(line.address)
        sum.add(line.identity)
        sum.add(line.user)
        sum.add(line.date)
        sum.add(line.request)
        sum.add(line.code)
        sum.add(line.size)
    }
    return sum
}

@inline(never)
func checksum(_ elements: [Triangle]) -> UInt64 {
    var sum: UInt64 = 0
    for triangle in elements { sum.add(triangle) }
    return sum
}

@inline(never)
func checksum(_ elements: [Update]) -> UInt64 {
    var sum: UInt64 = 0
    for update in elements {
        sum.add(update.score)
        sum.add(update.radius.bitPattern)
        for contact in update.contacts { sum.add(contact) }
        guard let terrain = update.terrain else { continue }
        sum.add(terrain.x)
        sum.add(terrain.y)
        for height in terrain.heights { sum.add(height) }
    }
    return sum
}
