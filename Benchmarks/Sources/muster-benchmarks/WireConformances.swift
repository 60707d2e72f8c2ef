import Muster

// How the types of `WireData.swift` travel in Muster's format. Apart from them, so that a package without Muster can make
// the same data.

extension Address: Plain {}
extension Vector: Plain {}
extension Triangle: Plain {}

extension Ship: WireCodable {}

extension Record: WireCodable {
    func write(to output: inout WireWriter) { output.write(id, score, name, values) }
    init(from input: inout WireReader) throws(WireError) { (id, score, name, values) = try input.read() }
}

extension LogLine: WireCodable {
    func write(to output: inout WireWriter) { output.write(address, identity, user, date, request, code, size) }
    init(from input: inout WireReader) throws(WireError) {
        (address, identity, user, date, request, code, size) = try input.read()
    }
}

extension Movement: WireCodable {
    func write(to output: inout WireWriter) { output.write(altitude, angle, x, y, velocity) }
    init(from input: inout WireReader) throws(WireError) { (altitude, angle, x, y, velocity) = try input.read() }
}

extension Guidance: WireCodable {
    func write(to output: inout WireWriter) { output.write(angle, isSubmerged, velocity) }
    init(from input: inout WireReader) throws(WireError) { (angle, isSubmerged, velocity) = try input.read() }
}

extension Contact: WireCodable {
    func write(to output: inout WireWriter) {
        output.write(id, damage, ship, name, player, guidance, movement, reloads, turrets)
    }
    init(from input: inout WireReader) throws(WireError) {
        (id, damage, ship, name, player, guidance, movement, reloads, turrets) = try input.read()
    }
}

extension Terrain: WireCodable {
    func write(to output: inout WireWriter) { output.write(x, y, heights) }
    init(from input: inout WireReader) throws(WireError) { (x, y, heights) = try input.read() }
}

extension Update: WireCodable {
    func write(to output: inout WireWriter) { output.write(score, radius, contacts, terrain) }
    init(from input: inout WireReader) throws(WireError) { (score, radius, contacts, terrain) = try input.read() }
}
