import Testing

@testable import ClusterManagers

@Suite("SubmissionPace")
struct SubmissionPaceTests {
    @Test("as many as may be in a minute go at once, others wait their turn")
    func turns() {
        var pace = SubmissionPace()
        let delays = [0.0, 1, 2, 3, 4].map { pace.turn(at: $0, perMinute: 2) }
        #expect(delays == [0, 0, 58, 58, 116])
        #expect(pace.turn(at: 1000, perMinute: 2) == 0)
    }
}
