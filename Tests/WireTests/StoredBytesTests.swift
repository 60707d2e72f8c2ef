import Testing
import Wire

/// The same type as it is written today, and as it was.
private enum Today {
    struct Reading: WireCodable, Equatable {
        var id: Int, place: String

        init(id: Int, place: String) { (self.id, self.place) = (id, place) }
        func write(to output: inout WireWriter) { output.write(id, place) }
        init(from input: inout WireReader) throws(WireError) { (id, place) = try input.read() }
    }

    struct Job: WireCodable, WireVersioned {
        static var wireVersion: Int { 2 }
        init() {}
        func write(to output: inout WireWriter) {}
        init(from input: inout WireReader) throws(WireError) {}
    }
}

private enum Yesterday {
    struct Reading: WireCodable {
        var place: String, id: Int

        init(place: String, id: Int) { (self.id, self.place) = (id, place) }
        func write(to output: inout WireWriter) { output.write(place, id) }
        init(from input: inout WireReader) throws(WireError) { (place, id) = try input.read() }
    }

    struct Job: WireCodable {
        init() {}
        func write(to output: inout WireWriter) {}
        init(from input: inout WireReader) throws(WireError) {}
    }
}

/// A type inside itself.
private final class Link: Codable, WireCodable { var next: Link?, value = 1 }

@Suite("Stored bytes")
struct StoredBytesTests {
    @Test("every type comes back as it was")
    func roundTrip() throws {
        #expect(try Int(storedBytes: 5.storedBytes()) == 5)
        #expect(try [Record](storedBytes: [Record.sample, .sample].storedBytes()) == [.sample, .sample])
        #expect(try Person(storedBytes: Person.sample.storedBytes()) == .sample)
        #expect(try Tree(storedBytes: Tree.leaf(1).storedBytes()) == .leaf(1))
    }

    @Test("the header is a mark, the fingerprint and the shape")
    func format() throws {
        // FNV-1a of "UInt8", then its text, then the value.
        #expect(
            try hex((7 as UInt8).storedBytes())
                == "57 69 72 65 01 7b 16 f4 61 7f 65 2c ca 05 55 49 6e 74 38 07")
    }

    @Test("a shape names the stored properties and what is in them")
    func shapes() {
        #expect(WireShape(of: [String: Int?].self).description == "Dictionary<String, Optional<Int>>")
        #expect(
            WireShape(of: Record.self).description
                == "Record(id: Int64, weight: Double, name: String, scores: Array<Int32>)")
        #expect(
            WireShape(of: Pair<Color, UInt8>.self).description
                == "Pair<Color, UInt8>(first: Color, second: Array<UInt8>)")
        #expect(WireShape(of: CodableColor.self).description == "CodableColor[red, green, blue]")
        #expect(WireShape(of: Particle.self).description.hasPrefix("Particle plain(position: SIMD2<Float>, "))
        #expect(WireShape(of: Link.self).description == "Link(next: Optional<Link>, value: Int)")
        #expect(WireShape(of: Today.Job.self).description == "Job v2")
    }

    @Test("a type whose properties changed is refused, and both shapes are named")
    func mismatch() throws {
        let bytes = try [Yesterday.Reading(place: "x", id: 1)].storedBytes()
        let error = #expect(throws: WireError.self) { _ = try [Today.Reading](storedBytes: bytes) }
        #expect(error?.code == .shapeMismatch && error?.offset == 5)
        #expect(error?.detail.contains("stored as Array<Reading(place: String, id: Int)> (0x") == true)
        #expect(error?.detail.contains("read as Array<Reading(id: Int, place: String)> (0x") == true)
    }

    @Test("a type says that its bytes changed")
    func version() throws {
        let bytes = try Yesterday.Job().storedBytes()
        let error = #expect(throws: WireError.self) { _ = try Today.Job(storedBytes: bytes) }
        #expect(error?.code == .shapeMismatch && error?.detail.contains("read as Job v2") == true)
    }

    @Test("arrays and slices are stored alike")
    func slices() throws {
        #expect(try [Int](storedBytes: [1, 2, 3, 4][1...2].storedBytes()) == [2, 3])
    }

    @Test("what is no stored value is refused, however it is cut")
    func hostile() throws {
        let bytes = try Record.sample.storedBytes()
        for count in 0..<bytes.count {
            let error = #expect(throws: WireError.self) { _ = try Record(storedBytes: Array(bytes.prefix(count))) }
            #expect(count >= 5 || error?.code == .notStored)
        }
        #expect(throws: WireError.self) { _ = try Record(storedBytes: bytes + [0]) }
        let error = #expect(throws: WireError.self) { _ = try Record(storedBytes: Record.sample.wireBytes()) }
        #expect(error?.code == .notStored && error?.offset == 0)
    }
}
