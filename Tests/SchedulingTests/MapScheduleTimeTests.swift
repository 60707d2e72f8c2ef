import Testing

@testable import Scheduling

@Suite("A map's workers that will be ended")
struct MapScheduleTimeTests {
    /// One worker, with batches of `size` that take a second for each element, of which the first is done at 1 * size.
    private func schedule(count: Int, size: BatchSize, size elements: Int, until end: Double) -> MapSchedule {
        var schedule = MapSchedule(count: count, batchSize: size)
        schedule.join(0, until: end)
        #expect(schedule.next(for: 0, now: 0) == 0..<elements)
        schedule.finished(0..<elements, by: 0, now: Double(elements))
        return schedule
    }

    @Test("get no element that takes longer than they have, counting those that wait")
    func noElementTooMany() {
        // At 1, elements of a second are left until 3.5: two of them.
        var schedule = schedule(count: 10, size: 1, size: 1, until: 3.5)
        #expect(schedule.next(for: 0, now: 1) == 1..<2)
        #expect(schedule.next(for: 0, now: 1) == 2..<3)
        #expect(schedule.next(for: 0, now: 1) == nil)
        schedule.finished(1..<2, by: 0, now: 2)
        // At 2 with one that is to be done by 3.
        #expect(schedule.next(for: 0, now: 2) == nil && schedule.hasWorkers)
        schedule.finished(2..<3, by: 0, now: 3)
        #expect(schedule.next(for: 0, now: 3) == nil && !schedule.hasWorkers)
        #expect(schedule.isStranded && schedule.hasUntried && schedule.expiredCount == 1)
    }

    @Test("get smaller batches towards their end, of new elements and of those that came back")
    func smallerBatches() {
        var schedule = schedule(count: 12, size: 4, size: 4, until: 7.5)
        schedule.join(1)
        #expect(schedule.next(for: 1, now: 4) == 4..<8)
        schedule.returned(4..<8, by: 1)
        #expect(schedule.next(for: 0, now: 4) == 4..<7, "three of the four that came back")
        schedule.join(2)
        #expect(schedule.next(for: 2, now: 4) == 7..<8)
        #expect(schedule.next(for: 2, now: 4) == 8..<12)
    }

    @Test("begin with something though nothing is known of how long it takes, unless their time is over")
    func unknownMean() {
        var schedule = MapSchedule(count: 4, batchSize: 1)
        schedule.join(0, until: 5)
        schedule.join(1, until: 0)
        schedule.join(2)
        #expect(schedule.next(for: 0, now: 0) == 0..<1)
        #expect(schedule.next(for: 1, now: 0) == nil)
        #expect(schedule.expiredCount == 1 && schedule.hasWorkers)
        #expect(schedule.next(for: 2, now: 100) == 1..<2, "without an end there is time for everything")
    }

    @Test("stay where there is nothing to give, so that a map of which all is done is not left without workers")
    func nothingToGive() {
        var schedule = MapSchedule(batchSize: 1)
        schedule.join(0, until: 60)
        schedule.supply(1)
        #expect(schedule.next(for: 0, now: 0) == 0..<1)
        schedule.finished(0..<1, by: 0, now: 35)
        #expect(schedule.next(for: 0, now: 35) == nil && schedule.hasWorkers && !schedule.isStranded)
        schedule.supply(1)
        #expect(schedule.next(for: 0, now: 36) == nil && schedule.isStranded)
    }

    @Test("are judged by the mean of all that was measured, not of the last")
    func mean() {
        var schedule = MapSchedule(count: 10, batchSize: 1)
        schedule.join(0, until: 30)
        #expect(schedule.next(for: 0, now: 0) == 0..<1)
        #expect(schedule.next(for: 0, now: 0) == 1..<2)
        schedule.finished(0..<1, by: 0, now: 1)
        schedule.finished(1..<2, by: 0, now: 20)
        // Elements of 1 and 19 s: of 10 s on the average, and 10 s are left.
        #expect(schedule.next(for: 0, now: 20) == 2..<3)
        #expect(schedule.next(for: 0, now: 20) == nil)
    }
}
