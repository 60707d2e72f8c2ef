import FoundationEssentials

// Reads every field of a message: the sums are those of `WireChecksum.swift`.

@inline(never)
func checksum(_ root: Pb_Doubles) -> UInt64 { checksum(root.values) }

@inline(never)
func checksum(_ root: Pb_Records) -> UInt64 {
    var sum: UInt64 = 0
    for record in root.records {
        sum.add(record.id)
        sum.add(record.score.bitPattern)
        sum.add(record.name)
        for value in record.values { sum.add(value) }
    }
    return sum
}

@inline(never)
func checksum(_ root: Pb_Log) -> UInt64 {
    var sum: UInt64 = 0
    for line in root.lines {
        for shift in stride(from: 0, to: 32, by: 8) { sum.add(UInt8(truncatingIfNeeded: line.address >> shift)) }
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
func checksum(_ root: Pb_Mesh) -> UInt64 {
    var sum: UInt64 = 0
    for triangle in root.triangles {
        sum.add(triangle.first)
        sum.add(triangle.second)
        sum.add(triangle.third)
        sum.add(triangle.normal)
    }
    return sum
}

@inline(never)
func checksum(_ root: Pb_Updates) -> UInt64 {
    var sum: UInt64 = 0
    for update in root.updates {
        sum.add(update.score)
        sum.add(update.radius.bitPattern)
        for contact in update.contacts { sum.add(contact) }
        guard update.hasTerrain else { continue }
        sum.add(update.terrain.x)
        sum.add(update.terrain.y)
        for height in update.terrain.heights { sum.add(height) }
    }
    return sum
}

extension UInt64 {
    fileprivate mutating func add(_ vector: Pb_Vector) {
        self &+= UInt64(vector.x.bitPattern) &+ UInt64(vector.y.bitPattern) &+ UInt64(vector.z.bitPattern)
    }

    fileprivate mutating func add(_ contact: Pb_Contact) {
        add(contact.id)
        add(contact.damage)
        add(contact.hasShip ? contact.ship : 99)
        if contact.hasName { add(contact.name) } else { add(7) }
        add(contact.hasPlayer ? contact.player : 9)
        add(contact.guidance.angle)
        add(contact.guidance.submerged ? 1 : 0)
        add(contact.guidance.velocity)
        add(contact.movement.altitude)
        add(contact.movement.angle)
        add(contact.movement.x.bitPattern)
        add(contact.movement.y.bitPattern)
        add(contact.movement.velocity)
        for reload in contact.reloads { add(reload) }
        for turret in contact.turrets { add(turret) }
    }
}
