import Testing

@testable import Agent

@Suite("How often workers are started again")
struct RestartHistoryTests {
    @Test("so often within a minute, and again when that has passed")
    func limit() {
        var history = RestartHistory(RestartLimit(perMinute: 2))
        // At 160 the first is a minute ago, at 190 the second.
        let may = [100, 130, 159.9, 160, 189, 190].map { history.mayRestart(at: $0) }
        #expect(may == [true, true, false, true, false, true])
    }

    @Test("never")
    func never() {
        var history = RestartHistory(.never)
        let may = history.mayRestart(at: 0)
        #expect(!may)
        #expect(RestartLimit.never.exhaustion == nil)
    }

    @Test("why none is started says how many have ended")
    func exhaustion() {
        #expect(RestartLimit(perMinute: 2).exhaustion?.contains("ended 3 times within a minute") == true)
    }
}
