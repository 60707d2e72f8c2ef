import Testing

@testable import TCPLink

@Suite("RefusalCounter")
struct RefusalsTests {
    @Test("refusals are counted by kind, and told at most once a second")
    func lines() {
        var counter = RefusalCounter()
        #expect(counter.takeLine(at: 0) == nil && counter.nextLine == nil)
        counter.count(.wrongKey, from: "10.0.0.1")
        #expect(counter.takeLine(at: 0) == "refused 1 connection, the last from 10.0.0.1: wrong key: 1")
        for _ in 0..<3 { counter.count(.silent, from: "10.0.0.2") }
        counter.count(.wrongKey, from: "10.0.0.3")
        #expect(counter.nextLine == 1)
        #expect(counter.takeLine(at: 0.999) == nil)
        #expect(
            counter.takeLine(at: 1)
                == "refused 4 connections, the last from 10.0.0.3: said nothing: 3, wrong key: 1")
        #expect(counter.takeLine(at: 5) == nil)
        #expect(counter.counts == [.wrongKey: 2, .silent: 3])
    }
}
