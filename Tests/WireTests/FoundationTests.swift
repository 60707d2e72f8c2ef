import Foundation
import Testing
import Wire
import WireFoundation

@Suite("Foundation")
struct FoundationTests {
    @Test("Foundation's values come back as they were")
    func roundTrip() throws {
        let url = try #require(URL(string: "a/b?c#d", relativeTo: URL(string: "https://example.org/x/")))
        let data = Data((0..<1000).map { UInt8(truncatingIfNeeded: $0) })
        let date = Date(timeIntervalSinceReferenceDate: 1.25)
        let uuid = UUID()
        var output = WireWriter()
        output.write(url, data, data[10..<20], date, uuid, Data())
        let bytes = try output.finish()
        var input = WireReader(bytes.span)
        let (url2, data2, slice, date2, uuid2, empty): (URL, Data, Data, Date, UUID, Data) = try input.read()
        try input.expectEnd()
        #expect(url2 == url && url2.baseURL == url.baseURL && data2 == data && slice == data[10..<20])
        #expect(date2 == date && uuid2 == uuid && empty.isEmpty)
    }

    @Test("their bytes are the plain ones")
    func format() throws {
        #expect(try hex(Data([1, 2]).wireBytes()) == "02 01 02")
        #expect(try hex(Date(timeIntervalSinceReferenceDate: 1).wireBytes()) == "00 00 00 00 00 00 f0 3f")
        let uuid = try #require(UUID(uuidString: "00112233-4455-6677-8899-AABBCCDDEEFF"))
        #expect(try hex(uuid.wireBytes()) == "00 11 22 33 44 55 66 77 88 99 aa bb cc dd ee ff")
        let url = try #require(URL(string: "x:y"))
        #expect(try hex(url.wireBytes()) == "03 78 3a 79 00")
    }

    @Test("bytes that are no such value are refused")
    func invalid() throws {
        #expect(throws: WireError.self) { _ = try Date(wireBytes: Double.nan.wireBytes()) }
        #expect(throws: WireError.self) { _ = try UUID(wireBytes: [1, 2]) }
        #expect(throws: WireError.self) { _ = try URL(wireBytes: [0, 0]) }
        #expect(throws: WireError.self) { _ = try Data(wireBytes: [200, 1]) }
    }

    @Test("Foundation's Codable types travel in user types")
    func codable() throws {
        struct Note: Codable, WireCodable, Equatable { var date: Date, data: Data, url: URL, id: UUID, cost: Decimal }
        let note = Note(
            date: Date(timeIntervalSinceReferenceDate: 5), data: Data([1, 2]), url: URL(filePath: "/a"), id: UUID(),
            cost: Decimal(12.5))
        #expect(try Note(wireBytes: note.wireBytes()) == note)
    }
}
