import Testing

@testable import Scheduling

@Suite("MapSchedule")
struct MapScheduleTests {
    @Test("every element is done exactly once, whatever the workers, times and removals", arguments: 0..<200)
    func exactlyOnce(seed: UInt64) {
        var random = Seeded(state: seed)
        let count = Int.random(in: 0...2000, using: &random)
        let sizes: [BatchSize] = [.automatic, .fixed(Int.random(in: 1...300, using: &random))]
        var schedule = MapSchedule(count: count, batchSize: sizes.randomElement(using: &random)!)
        let workers = Int.random(in: 1...9, using: &random)
        for worker in 0..<workers { schedule.join(worker) }
        var working: [(worker: Int, batch: Range<Int>)] = []
        var done = [Int](repeating: 0, count: count)
        var now = 0.0
        var left: Set<Int> = []
        while !schedule.isComplete {
            let worker = Int.random(in: 0..<workers, using: &random)
            if let batch = schedule.next(for: worker, now: now) {
                #expect(!batch.isEmpty && !left.contains(worker))
                // Now and then a worker is about to leave, but never the last.
                if left.count < workers - 1, Int.random(in: 0..<20, using: &random) == 0 {
                    schedule.returned(batch, by: worker)
                    left.insert(worker)
                } else {
                    working.append((worker, batch))
                }
                #expect(working.count { $0.worker == worker } <= BatchSizer.mostInFlight)
            } else if let index = working.indices.randomElement(using: &random) {
                now += Double.random(in: 0...0.01, using: &random)
                let (worker, batch) = working.remove(at: index)
                schedule.finished(batch, by: worker, now: now)
                for element in batch { done[element] += 1 }
            }
        }
        #expect(done.allSatisfy { $0 == 1 } && working.isEmpty && schedule.hasWorkers)
    }

    @Test("a worker has two batches at a time, and the next when one is finished")
    func window() {
        var schedule = MapSchedule(count: 10, batchSize: 2)
        schedule.join(1)
        #expect(schedule.next(for: 1, now: 0) == 0..<2)
        #expect(schedule.next(for: 1, now: 0) == 2..<4)
        #expect(schedule.next(for: 1, now: 0) == nil)
        schedule.finished(0..<2, by: 1, now: 1)
        #expect(schedule.next(for: 1, now: 1) == 4..<6)
        #expect(schedule.next(for: 2, now: 1) == nil, "who has not joined gets none")
    }

    @Test("an empty map is complete from the start")
    func empty() {
        var schedule = MapSchedule(count: 0, batchSize: .automatic)
        schedule.join(1)
        #expect(schedule.isComplete && schedule.next(for: 1, now: 0) == nil)
    }

    @Test("what a leaving worker did not take goes to another, and it gets no more")
    func returned() {
        var schedule = MapSchedule(count: 6, batchSize: 2)
        schedule.join(1)
        schedule.join(2)
        #expect(schedule.next(for: 1, now: 0) == 0..<2)
        #expect(schedule.next(for: 1, now: 0) == 2..<4)
        schedule.returned(2..<4, by: 1)
        #expect(schedule.next(for: 1, now: 0) == nil && schedule.hasWorkers)
        #expect(schedule.next(for: 2, now: 0) == 2..<4)
        schedule.finished(0..<2, by: 1, now: 1)
        #expect(schedule.next(for: 2, now: 0) == 4..<6)
        schedule.returned(4..<6, by: 2)
        #expect(!schedule.hasWorkers)
    }

    @Test("fixed batches have their size, the last what is left")
    func fixed() {
        let sizer = BatchSizer(.fixed(7))
        #expect(sizer.next(remaining: 100, workers: 3) == 7)
        #expect(sizer.next(remaining: 3, workers: 3) == 3)
    }

    @Test("automatic batches begin with one element, grow eightfold at most, and shrink for slow ones")
    func automatic() {
        var sizer = BatchSizer(.automatic)
        #expect(sizer.next(remaining: 1_000_000, workers: 2) == 1)
        var last = 1
        for _ in 0..<10 {
            sizer.measured(count: last, seconds: 1e-6 * Double(last))
            let next = sizer.next(remaining: 1_000_000, workers: 2)
            #expect(next >= last && next <= 8 * last)
            last = next
        }
        #expect(last > 3000 && last < 5000, "4 ms of 1 µs each")
        for _ in 0..<20 { sizer.measured(count: 100, seconds: 10) }
        #expect(sizer.next(remaining: 1_000_000, workers: 2) == 1)
    }

    @Test("towards the end batches get smaller, so that workers finish together")
    func towardsTheEnd() {
        var sizer = BatchSizer(.automatic)
        sizer.measured(count: 100_000, seconds: 1e-6)
        #expect(sizer.next(remaining: 6000, workers: 2) == 1000)
        #expect(sizer.next(remaining: 60, workers: 2) == 10)
        #expect(sizer.next(remaining: 5, workers: 2) == 1)
    }

    @Test("times of nothing, no elements and absurd numbers are survived")
    func absurd() {
        var sizer = BatchSizer(.automatic)
        sizer.measured(count: 0, seconds: 1)
        for seconds in [0, -1, 1e300, .leastNonzeroMagnitude] {
            sizer.measured(count: 1 << 40, seconds: seconds)
            let size = sizer.next(remaining: Int.max, workers: 1)
            #expect(size >= 1)
        }
    }
}
