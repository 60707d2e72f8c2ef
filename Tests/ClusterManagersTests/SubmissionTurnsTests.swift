import Testing

@testable import ClusterManagers

@Suite("SubmissionTurns")
struct SubmissionTurnsTests {
    /// How many of five submissions have had their turn, which come in order.
    private func passed(_ turns: SubmissionTurns) -> Int { (0..<5).first { !turns.has($0) } ?? 5 }

    @Test("as many pass as may be on their way, and one more for each that has arrived")
    func order() {
        let turns = SubmissionTurns(5, atOnce: 2)
        #expect(passed(turns) == 2)
        turns.advance(arrived: 1)
        #expect(passed(turns) == 3)
        turns.advance(arrived: 1)
        #expect(passed(turns) == 3)
        turns.open()
        #expect(passed(turns) == 5)
        #expect(passed(SubmissionTurns(5, atOnce: nil)) == 5)
    }
}
