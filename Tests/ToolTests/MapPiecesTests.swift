import Testing

@testable import MusterTool

@Suite("the pieces of muster map")
struct MapPiecesTests {
    @Test("values come out in the order of their places, as soon as none before is missing")
    func order() {
        var order = InOrder<String>()
        #expect(order.add("c", at: 2).isEmpty)
        #expect(order.add("a", at: 0).map(\.value) == ["a"])
        #expect(order.add("b", at: 1).map(\.value) == ["b", "c"])
        #expect(order.add("d", at: 3).map(\.place) == [3])
    }

    @Test("any order of arrival gives all values once, in order")
    func anyOrder() {
        for _ in 0..<100 {
            var order = InOrder<Int>()
            let out = (0..<50).shuffled().flatMap { order.add($0, at: $0) }
            #expect(out.map(\.value) == Array(0..<50))
        }
    }

    @Test("progress fits any width, and shows what there is to know", arguments: [0, 1, 10, 40, 77, 197])
    func progress(width: Int) {
        var progress = Progress(total: 30)
        for index in 0..<12 { progress.ended(successfully: index > 1) }
        let line = progress.line(width: width, elapsed: 6)
        #expect(line.count <= width)
        if width >= 77 {
            #expect(line.count == width)
            #expect(line.hasPrefix("12/30, 2 failed  [###") && line.hasSuffix("-]  40%  2.0/s  0:09 left"))
        }
    }

    @Test("progress at its start and end")
    func progressEnds() {
        #expect(Progress(total: 3).line(width: 30, elapsed: 0) == "0/3  [-------------------]  0%")
        var progress = Progress(total: 1)
        progress.ended(successfully: true)
        #expect(progress.line(width: 45, elapsed: 120) == "1/1  [############]  100%  0.5/min  0:00 left")
    }

    @Test(
        "rates and times", arguments: [(0.05, "3.0/min", "0:20"), (250, "250/s", "0:01"), (0.001, "0.1/min", "16:40")])
    func rates(perSecond: Double, rate: String, time: String) {
        #expect(Progress.rate(perSecond) == rate && Progress.time(1 / perSecond) == time)
        #expect(Progress.time(3 * 3600 + 65) == "3:01:05" && Progress.time(.infinity).hasSuffix(":40"))
    }

    @Test("a command of one word is the shell's, one of several is quoted")
    func template() throws {
        func line(_ words: [String], _ argument: String) throws -> String {
            let template = try #require(CommandTemplate(words.map { Array($0.utf8) }))
            return String(decoding: template.line(for: Array(argument.utf8)), as: UTF8.self)
        }
        #expect(try line(["a {} b{}"], "x y") == "a 'x y' b'x y'")
        #expect(try line(["a | b"], "it's") == #"a | b 'it'\''s'"#)
        #expect(try line(["a", "b c"], "d") == "'a' 'b c' 'd'")
        #expect(try line(["a", "-o{}.x"], "d") == "'a' '-o''d''.x'")
        #expect(CommandTemplate([]) == nil && CommandTemplate([[]]) == nil)
    }

    @Test("only what stands before ':::' is parsed, and only for map")
    func words() {
        func split(_ words: String...) -> RawArguments { RawArguments(words.map { Array($0.utf8) }) }
        #expect(split("map", "a", ":::", "b", ":::").listed?.count == 2)
        #expect(split("map", "a", ":::", "b").text == ["map", "a"])
        #expect(split("map", "a").listed == nil && split("map", ":::").listed == [])
        #expect(split("exec", "a", ":::", "b").listed == nil)
        #expect(split("exec", "a", ":::", "b").text.count == 4)
    }
}
