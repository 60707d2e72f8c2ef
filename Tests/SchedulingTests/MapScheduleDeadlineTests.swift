import Testing

@testable import Scheduling

@Suite("MapSchedule with deadlines")
struct MapScheduleDeadlineTests {
    private func schedule(_ count: Int, workers: Int) -> MapSchedule {
        var schedule = MapSchedule(batchSize: 10, areAlone: true)
        schedule.supply(count)
        schedule.supplyEnds()
        for worker in 0..<workers { schedule.join(worker) }
        return schedule
    }

    @Test("each element goes by itself, to a worker that has nothing else, whatever the batch size")
    func alone() {
        var schedule = schedule(3, workers: 2)
        #expect(schedule.next(for: 0, now: 0) == 0..<1 && schedule.next(for: 0, now: 0) == nil)
        #expect(schedule.next(for: 1, now: 0) == 1..<2 && schedule.next(for: 1, now: 0) == nil)
        schedule.finished(0..<1, by: 0, now: 1)
        #expect(schedule.next(for: 0, now: 1) == 2..<3)
    }

    @Test("a worker that is held up by an element whose time is over gets nothing before it is released")
    func heldUp() {
        var schedule = schedule(3, workers: 1)
        #expect(schedule.next(for: 0, now: 0) == 0..<1)
        schedule.expired(0..<1, by: 0, isHeldUp: true)
        #expect(schedule.attempts(of: 0) == 1 && schedule.next(for: 0, now: 1) == nil && !schedule.isIdle)
        schedule.retry(0, due: 1)
        #expect(schedule.next(for: 0, now: 2) == nil && !schedule.isStranded)
        schedule.released(0, now: 3)
        #expect(schedule.next(for: 0, now: 3) == 0..<1)
        schedule.finished(0..<1, by: 0, now: 4)
        #expect(schedule.next(for: 0, now: 4) == 1..<2)
    }

    @Test("a worker that is not held up goes on at once")
    func free() {
        var schedule = schedule(2, workers: 1)
        #expect(schedule.next(for: 0, now: 0) == 0..<1)
        schedule.expired(0..<1, by: 0, isHeldUp: false)
        #expect(schedule.next(for: 0, now: 1) == 1..<2)
        schedule.settle()
        schedule.finished(1..<2, by: 0, now: 2)
        #expect(schedule.isComplete)
    }

    @Test("where the only worker is held up and then ends, nobody is left, and no element is to blame")
    func ended() {
        var schedule = schedule(2, workers: 1)
        #expect(schedule.next(for: 0, now: 0) == 0..<1)
        schedule.expired(0..<1, by: 0, isHeldUp: true)
        schedule.retry(0, due: 0)
        schedule.left(0)
        #expect(schedule.isStranded && schedule.deaths(of: 0) == 0)
        schedule.join(1)
        #expect(schedule.next(for: 1, now: 1) == 0..<1)
    }
}
