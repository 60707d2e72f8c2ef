import FoundationEssentials

// The program's values as messages. The schema, and so what is copied where, is the one of the C++ peer.

extension Pb_Doubles {
    init(_ values: [Double]) { self.values = values }
}

extension Pb_Records {
    init(_ values: [Record]) { records = values.map { Pb_Record($0) } }
}

extension Pb_Record {
    init(_ value: Record) {
        id = value.id
        score = value.score
        name = value.name
        values = value.values
    }
}

extension Pb_Log {
    init(_ values: [LogLine]) { lines = values.map { Pb_LogLine($0) } }
}

extension Pb_LogLine {
    init(_ value: LogLine) {
        let bytes = value.address
        address = UInt32(bytes.a) | UInt32(bytes.b) << 8 | UInt32(bytes.c) << 16 | UInt32(bytes.d) << 24
        identity = value.identity
        user = value.user
        date = value.date
        request = value.request
        code = UInt32(value.code)
        size = value.size
    }
}

extension Pb_Mesh {
    init(_ values: [Triangle]) { triangles = values.map { Pb_Triangle($0) } }
}

extension Pb_Triangle {
    init(_ value: Triangle) {
        first = Pb_Vector(value.first)
        second = Pb_Vector(value.second)
        third = Pb_Vector(value.third)
        normal = Pb_Vector(value.normal)
    }
}

extension Pb_Vector {
    init(_ value: Vector) {
        x = value.x
        y = value.y
        z = value.z
    }
}

extension Pb_Updates {
    init(_ values: [Update]) { updates = values.map { Pb_Update($0) } }
}

extension Pb_Update {
    init(_ value: Update) {
        score = value.score
        radius = value.radius
        contacts = value.contacts.map { Pb_Contact($0) }
        if let terrain = value.terrain { self.terrain = Pb_Terrain(terrain) }
    }
}

extension Pb_Contact {
    init(_ value: Contact) {
        id = value.id
        damage = UInt32(value.damage)
        if let ship = value.ship { self.ship = UInt32(ship.rawValue) }
        if let name = value.name { self.name = name }
        if let player = value.player { self.player = UInt32(player) }
        guidance = Pb_Guidance(value.guidance)
        movement = Pb_Movement(value.movement)
        reloads = value.reloads
        turrets = value.turrets.map { UInt32($0) }
    }
}

extension Pb_Guidance {
    init(_ value: Guidance) {
        angle = UInt32(value.angle)
        submerged = value.isSubmerged
        velocity = Int32(value.velocity)
    }
}

extension Pb_Movement {
    init(_ value: Movement) {
        altitude = Int32(value.altitude)
        angle = UInt32(value.angle)
        x = value.x
        y = value.y
        velocity = Int32(value.velocity)
    }
}

extension Pb_Terrain {
    init(_ value: Terrain) {
        x = Int32(value.x)
        y = Int32(value.y)
        heights = Data(value.heights)
    }
}
