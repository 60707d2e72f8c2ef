import Agent
import Testing

@testable import ClusterManagers

@Suite("The end of a job's time")
struct WallTimeTests {
    @Test(
        "workers get no more when a tenth is left, half a minute at most, and leave before the end",
        arguments: [(60.0, 54.0, 4.5), (3600, 3570, 22.5), (10, 9, 0.75), (0, 0, 0), (-5, 0, 0)])
    func times(left: Double, drain: Double, patience: Double) {
        let times = WallTime(secondsLeft: left)
        #expect(times.drain == drain && times.patience == patience)
    }

    @Test(
        "what a script says of the end is read, and nothing else",
        arguments: [
            ("1000", 400.0), ("1000.5", 400.5), ("500", -100), ("", nil), ("NONE", nil), ("inf", nil), ("nan", nil),
            ("1e300", nil), (nil, nil),
        ] as [(String?, Double?)])
    func variable(value: String?, left: Double?) {
        #expect(JobEnd.secondsLeft(value, now: 600) == left)
    }

    @Test("where there is no clock to look at, it counts from when the secret was put there")
    func fromTheStart() {
        #expect(JobEnd.secondsLeft("+60", now: 600, start: 590) == 50)
        #expect(JobEnd.secondsLeft("+60", now: 600) == nil && JobEnd.secondsLeft("60", now: 50, start: 590) == 10)
    }
}
