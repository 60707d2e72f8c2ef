import Testing
import Wire

@Suite("The format")
struct FormatTests {
    @Test("numbers are little endian, in their own width")
    func numbers() throws {
        #expect(try hex((0x0102_0304 as UInt32).wireBytes()) == "04 03 02 01")
        #expect(try hex((-2 as Int16).wireBytes()) == "fe ff")
        #expect(try hex((1 as Int).wireBytes()) == "01 00 00 00 00 00 00 00")
        #expect(try hex(1.0.wireBytes()) == "00 00 00 00 00 00 f0 3f")
        #expect(try hex((-2 as Float).wireBytes()) == "00 00 00 c0")
        #expect(try hex((1 as UInt128).wireBytes()) == "01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00")
        #expect(try hex(true.wireBytes()) == "01")
        #expect(try hex(SIMD2<Int16>(1, 2).wireBytes()) == "01 00 02 00")
        #expect(try hex(SIMD3<UInt8>(1, 2, 3).wireBytes()) == "01 02 03")
        #expect(try hex(Duration.nanoseconds(1).wireBytes()) == "00 ca 9a 3b 00 00 00 00 00 00 00 00 00 00 00 00")
    }

    @Test("a length takes one byte up to 252, then 3, 5 or 9")
    func lengths() throws {
        #expect(try hex("".wireBytes()) == "00")
        #expect(try hex("é".wireBytes()) == "02 c3 a9")
        #expect(try String(repeating: "x", count: 252).wireBytes() == [252] + [UInt8](repeating: 0x78, count: 252))
        #expect(try hex(Array(String(repeating: "x", count: 253).wireBytes().prefix(4))) == "fd fd 00 78")
        #expect(try hex(Array(String(repeating: "x", count: 65_535).wireBytes().prefix(4))) == "fd ff ff 78")
        #expect(try hex(Array(String(repeating: "x", count: 65_536).wireBytes().prefix(6))) == "fe 00 00 01 00 78")
    }

    @Test("a choice is a byte before its value")
    func choices() throws {
        #expect(try hex((nil as UInt8?).wireBytes()) == "00")
        #expect(try hex((7 as UInt8?).wireBytes()) == "01 07")
        #expect(try hex((UInt8??.some(nil)).wireBytes()) == "01 00")
        #expect(try hex(Result<UInt8, Failure>.success(7).wireBytes()) == "00 07")
        #expect(try hex(Result<UInt8, Failure>.failure(Failure(reason: "x")).wireBytes()) == "01 01 78")
    }

    @Test("a collection is a length and its elements")
    func collections() throws {
        #expect(try hex([1, 2, 3 as UInt16].wireBytes()) == "03 01 00 02 00 03 00")
        #expect(try hex(["a", "bc"].wireBytes()) == "02 01 61 02 62 63")
        #expect(try hex(["a": 1 as UInt8].wireBytes()) == "01 01 61 01")
        #expect(try hex(Set([5 as UInt8]).wireBytes()) == "01 05")
        #expect(try hex((3..<(5 as UInt8)).wireBytes()) == "03 05")
        #expect(
            try hex(Record(id: 1, weight: 0, name: "a", scores: [2]).wireBytes())
                == "01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 01 61 01 02 00 00 00")
    }

    @Test("a plain block of 64 bytes or more is aligned")
    func alignment() throws {
        // The length, the number of padding bytes, six zeros, and the first element at byte 8.
        let bytes = try (0..<8).map { UInt64($0) + 0xFF }.wireBytes()
        #expect(bytes.count == 72)
        #expect(hex(Array(bytes.prefix(16))) == "08 06 00 00 00 00 00 00 ff 00 00 00 00 00 00 00")
        #expect(try hex(Array([UInt64](repeating: 1, count: 7).wireBytes().prefix(3))) == "07 01 00")
        // Bytes are aligned anywhere.
        #expect(try hex(Array([UInt8](repeating: 7, count: 63).wireBytes().prefix(3))) == "3f 07 07")
        #expect(try hex(Array([UInt8](repeating: 7, count: 64).wireBytes().prefix(3))) == "40 00 07")
    }

    @Test("a block can be embedded at any offset", arguments: 0..<17)
    func embedded(offset: Int) throws {
        let numbers = (0..<100).map(Double.init)
        let bytes = try [UInt8](repeating: 0, count: offset) + numbers.wireBytes()
        let slice = bytes.span.extracting(droppingFirst: offset)
        var input = WireReader(slice)
        let read: [Double] = try input.read()
        #expect(read == numbers)
    }

    @Test("an empty conformance picks plain, then raw value, then Codable")
    func emptyConformances() throws {
        #expect(try hex(PlainAndCodable(x: 1, y: 2).wireBytes()) == "01 00 00 00 02 00 00 00")
        #expect(try hex(PlainAndRaw(rawValue: 1).wireBytes()) == "01 00")
        #expect(try hex(PlainRawAndCodable(rawValue: 1).wireBytes()) == "01 00")
        #expect(try hex(Color.blue.wireBytes()) == "03")
        #expect(try hex(CodableColor.red.wireBytes()) == "03 72 65 64")
        #expect(try hex(Flags(rawValue: 5).wireBytes()) == "05 00")
        #expect(try hex([HandWritten(id: 1), HandWritten(id: 2)].wireBytes()) == "02 01 02")
        #expect(
            try hex([Gap(wide: 1, narrow: 2), Gap(wide: 3, narrow: 4)].wireBytes())
                == "02 01 00 00 00 02 03 00 00 00 04")
    }

    @Test("a slot can be filled later")
    func slots() throws {
        var output = WireWriter(reserving: 0)
        let slot = output.reserveSlot(UInt32.self)
        output.write("abc")
        output.fill(slot, with: UInt32(output.byteCount))
        #expect(try hex(output.finish()) == "08 00 00 00 03 61 62 63")
    }

    @Test("the first failure is thrown at the end")
    func failure() {
        let error = #expect(throws: WireError.self) {
            var output = WireWriter()
            output.write(1 as UInt8)
            output.fail("no")
            output.fail("no again")
            output.write(2)
            _ = try output.finish()
        }
        #expect(error == WireError(code: .notEncodable, offset: 1, detail: "no"))
    }

    @Test("a writer's bytes can be borrowed, and its buffer used again")
    func borrowAndReuse() throws {
        var output = WireWriter()
        output.write(["x": 1], Person.sample)
        output.fail("no")
        output.removeAll()
        output.write("abc")
        try output.check()
        #expect(output.bytes.byteCount == 4)
        #expect(try String(wireBytes: output.bytes) == "abc")
        output.write("d")
        #expect(try hex(output.finish()) == "03 61 62 63 01 64")
    }
}
