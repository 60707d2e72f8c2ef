import Testing
import Wire

@Suite("Views")
struct ViewsTests {
    @Test("a record's parts are read in place")
    func record() throws {
        var output = WireWriter()
        for id in 0..<10 { output.write(Record(id: Int64(id), weight: 0.5, name: "Größe \(id)", scores: [1, 2, 3])) }
        let bytes = try output.finish()
        var input = WireReader(bytes.span)
        for id in 0..<10 {
            let (number, weight): (Int64, Double) = try input.read()
            let name = try input.readUTF8()
            let scores = try input.readView(of: Int32.self)
            let text = String(copying: name)
            #expect(number == Int64(id) && weight == 0.5 && text == "Größe \(id)")
            var total: Int32 = 0
            for index in scores.indices { total += scores[index] }
            let copy = scores.copyElements()
            #expect(total == 6 && copy == [1, 2, 3])
        }
        try input.expectEnd()
    }

    @Test("a view reads elements at any offset; a span needs aligned ones", arguments: 0..<17)
    func alignment(offset: Int) throws {
        let numbers = (0..<100).map { Double($0) + 0.5 }
        // An allocator's memory is aligned to 16 bytes, and so is an array's storage: see that it is.
        let bytes = try [UInt8](repeating: 0, count: offset) + numbers.wireBytes()
        let isAligned = unsafe bytes.withUnsafeBytes { (Int(bitPattern: $0.baseAddress) + offset) % 8 == 0 }
        var input = WireReader(bytes.span.extracting(droppingFirst: offset))
        var again = WireReader(bytes.span.extracting(droppingFirst: offset))
        let view = try input.readView(of: Double.self)
        try input.expectEnd()
        let (copy, last) = (view.copyElements(), view[99])
        #expect(copy == numbers && last == 99.5)
        if isAligned {
            let span = try again.readSpan(of: Double.self)
            let (count, last) = (span.count, span[99])
            #expect(count == 100 && last == 99.5)
            try again.expectEnd()
        } else {
            let isSpan = view.span != nil
            #expect(!isSpan)
            var code: WireError.Code?
            do { _ = try again.readSpan(of: Double.self) } catch { code = error.code }
            let offset = again.offset
            #expect(code == .misaligned && offset == 0)
            let owned: [Double] = try again.read()
            #expect(owned == numbers)
        }
    }

    @Test("bytes and empty arrays are views, and a gap in memory is no obstacle")
    func others() throws {
        var output = WireWriter()
        output.write([1, 2, 3] as [UInt8], [] as [Int], [Gap(wide: 1, narrow: 2), Gap(wide: 3, narrow: 4)], "")
        let bytes = try output.finish()
        var input = WireReader(bytes.span)
        let some = try input.readBytes()
        let byteCount = some.byteCount
        #expect(byteCount == 3)
        let none = try input.readSpan(of: Int.self)
        let isEmpty = none.isEmpty
        #expect(isEmpty)
        let gaps = try input.readView(of: Gap.self)
        let (count, last, isSpan) = (gaps.count, gaps[1], gaps.span != nil)
        #expect(count == 2 && last == Gap(wide: 3, narrow: 4) && !isSpan)
        let text = try input.readUTF8()
        let isEmptyText = text.isEmpty
        #expect(isEmptyText)
        try input.expectEnd()
    }

    @Test("a view stays while the reader reads on")
    func readingOn() throws {
        let bytes = try ["abc", "d"].wireBytes()
        var input = WireReader(bytes.span)
        _ = try input.read() as UInt8
        let first = try input.readUTF8()
        let second = try input.readUTF8()
        try input.expectEnd()
        let texts = [String(copying: first), String(copying: second)]
        #expect(texts == ["abc", "d"])
    }

    @Test("bytes that are no such view are refused", arguments: HostileBytesTests.hugeLengths)
    func hostile(length: [UInt8]) {
        let bytes = length + [1, 2, 3]
        #expect(code(bytes) { input throws(WireError) in _ = try input.readBytes() } != nil)
        #expect(code(bytes) { input throws(WireError) in _ = try input.readUTF8() } != nil)
        #expect(code(bytes) { input throws(WireError) in _ = try input.readView(of: Double.self) } != nil)
        #expect(code(bytes) { input throws(WireError) in _ = try input.readView(of: Gap.self) } != nil)
        #expect(code(bytes) { input throws(WireError) in _ = try input.readSpan(of: SIMD64<Double>.self) } != nil)
    }

    @Test("text that is not UTF-8 is refused where it starts")
    func text() {
        #expect(code([2, 0xC0, 0x80]) { input throws(WireError) in _ = try input.readUTF8() } == .invalidUTF8)
        #expect(code([3, 0xED, 0xA0, 0x80]) { input throws(WireError) in _ = try input.readUTF8() } == .invalidUTF8)
    }
}

/// What `body` fails with when it reads `bytes`, or nil.
private func code(_ bytes: [UInt8], _ body: (inout WireReader) throws(WireError) -> Void) -> WireError.Code? {
    var input = WireReader(bytes.span)
    do {
        try body(&input)
        return nil
    } catch {
        return error.code
    }
}
