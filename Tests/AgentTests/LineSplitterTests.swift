import Testing

@testable import Agent

@Suite("Output in lines")
struct LineSplitterTests {
    private func lines(_ pieces: [[UInt8]]) -> [[UInt8]] {
        var splitter = LineSplitter()
        var lines: [[UInt8]] = []
        for piece in pieces { splitter.add(piece) { lines.append($0) } }
        splitter.finish { lines.append($0) }
        return lines
    }

    @Test("lines come out the same wherever the stream is cut")
    func cuts() {
        let stream = Array("one\n\ntwo\nlast".utf8)
        let expected = ["one", "", "two", "last"].map { Array($0.utf8) }
        for cut in 0...stream.count { #expect(lines([Array(stream[..<cut]), Array(stream[cut...])]) == expected) }
        #expect(lines(stream.map { [$0] }) == expected)
    }

    @Test("a stream that ends with a line has no empty one behind it")
    func end() {
        #expect(lines([Array("a\n".utf8)]) == [[97]])
        #expect(lines([]) == [])
        #expect(lines([[10]]) == [[]])
    }

    @Test("a line of exactly the longest length stays one; a longer one comes in pieces")
    func longLines() {
        let longest = [UInt8](repeating: 120, count: LineSplitter.longestLine)
        #expect(lines([longest + [10]]) == [longest])
        #expect(lines([longest + [121, 10]]) == [longest, [121]])
        #expect(lines([longest + longest + [10]]) == [longest, longest])
    }

    @Test("the tail is the last 16 KiB, from the start of a line")
    func tail() {
        var tail = Tail()
        #expect(tail.text == "")
        tail.add(Array("short\n".utf8))
        #expect(tail.text == "short\n")
        for number in 0..<20_000 { tail.add(Array("line \(number)\n".utf8)) }
        #expect(tail.text.hasSuffix("line 19998\nline 19999\n"))
        #expect(tail.text.hasPrefix("line ") && tail.text.utf8.count <= Tail.limit)
        #expect(tail.text.utf8.count > Tail.limit - 20)
        tail.clear()
        #expect(tail.text == "")
        tail.add([UInt8](repeating: 0xff, count: 100_000))
        #expect(tail.text.unicodeScalars.count == Tail.limit, "bytes that are no text become replacement characters")
    }
}
