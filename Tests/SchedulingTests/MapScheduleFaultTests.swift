import Testing

@testable import Scheduling

/// A map in a world of chance: workers that end by themselves, elements that end their workers, errors, handlers that
/// replace some and have others tried again. Keeps the books beside the schedule.
private struct Simulation {
    var random: Seeded
    var schedule: MapSchedule
    let count: Int
    let retries: Int
    let poison: Set<Int>
    /// Elements whose bodies throw, and how often.
    var errors: [Int: Int] = [:]
    var now = 0.0
    var alive: Set<Int> = []
    /// Ended while they had nothing, which shows when they are given something.
    var unnoticed: Set<Int> = []
    var nextWorker = 0
    var working: [(worker: Int, batch: Range<Int>)] = []
    var undecided: [Int] = []
    /// How each element was settled; exactly once.
    var results: [Int: String] = [:]
    /// Workers that ended through no fault of an element.
    var accidents = 0
    var deaths = 0

    init(seed: UInt64) {
        random = Seeded(state: seed)
        count = Int.random(in: 1...400, using: &random)
        retries = Int.random(in: 0...3, using: &random)
        let size: BatchSize = Bool.random(using: &random) ? .automatic : .fixed(Int.random(in: 1...40, using: &random))
        schedule = MapSchedule(count: count, batchSize: size, retries: retries)
        var poison: Set<Int> = []
        for _ in 0..<Int.random(in: 0...3, using: &random) {
            poison.insert(Int.random(in: 0..<count, using: &random))
        }
        self.poison = poison
        for _ in 0..<Int.random(in: 0...10, using: &random) {
            errors[Int.random(in: 0..<count, using: &random)] = Int.random(in: 1...4, using: &random)
        }
        for _ in 0..<Int.random(in: 1...6, using: &random) { add() }
    }

    mutating func add() {
        alive.insert(nextWorker)
        schedule.join(nextWorker)
        nextWorker += 1
    }

    mutating func settle(_ element: Int, _ how: String) {
        #expect(results[element] == nil, "element \(element) is settled twice")
        results[element] = how
    }

    mutating func end(_ worker: Int) {
        deaths += 1
        alive.remove(worker)
        var lost = working.filter { $0.worker == worker }.map(\.batch)
        working.removeAll { $0.worker == worker }
        if lost.isEmpty { unnoticed.insert(worker) }
        // Its calls fail in any order.
        lost.shuffle(using: &random)
        for batch in lost { undecided += schedule.lost(batch, by: worker) }
    }

    /// A worker does its first batch, or ends with it.
    mutating func work(at index: Int) {
        let (worker, batch) = working[index]
        guard let first = working.firstIndex(where: { $0.worker == worker }) else { return }
        guard first == index else { return work(at: first) }
        if batch.contains(where: { poison.contains($0) }) { return end(worker) }
        working.remove(at: index)
        var failed: [Int] = []
        for element in batch {
            if let left = errors[element], left > 0 {
                errors[element] = left - 1
                failed.append(element)
            } else {
                settle(element, "done")
            }
        }
        undecided += failed
        schedule.finished(batch, by: worker, now: now, failed: failed)
    }

    mutating func decide() {
        let element = undecided.remove(at: Int.random(in: 0..<undecided.count, using: &random))
        if schedule.pardons(of: element) < 2, schedule.deaths(of: element) == 0, schedule.hasWorkers {
            schedule.retry(element, due: now + Double.random(in: 0...0.01, using: &random))
        } else {
            settle(element, "replaced")
            schedule.settle()
        }
    }

    /// Runs to the end; false if nobody was left to do it.
    mutating func run() -> Bool {
        for _ in 0..<200_000 {
            if schedule.isComplete { return true }
            if schedule.isStranded {
                guard !schedule.hasUntried else { return false }
                undecided += schedule.takeStranded()
                continue
            }
            switch Int.random(in: 0..<60, using: &random) {
            case 0 where accidents < 4 && alive.count > 1:
                accidents += 1
                end(alive.sorted()[Int.random(in: 0..<alive.count, using: &random)])
            case 1 where nextWorker < 12: add()
            case 2..<10 where !undecided.isEmpty: decide()
            case 10..<40:
                guard let worker = alive.union(unnoticed).sorted().randomElement(using: &random),
                    let batch = schedule.next(for: worker, now: now)
                else { break }
                #expect(batch.allSatisfy { results[$0] == nil }, "a settled element is given out")
                if batch.contains(where: { schedule.deaths(of: $0) > 0 }) {
                    #expect(batch.count == 1 && !working.contains { $0.worker == worker }, "a suspect has company")
                }
                #expect(batch.allSatisfy { schedule.deaths(of: $0) <= retries })
                if unnoticed.remove(worker) != nil {
                    schedule.returned(batch, by: worker)
                    break
                }
                working.append((worker, batch))
            default:
                now += Double.random(in: 0...0.002, using: &random)
                if let index = working.indices.randomElement(using: &random) { work(at: index) }
            }
        }
        Issue.record("the map does not end")
        return false
    }
}

@Suite("MapSchedule when things fail")
struct MapScheduleFaultTests {
    @Test("every element is settled exactly once, and few workers end", arguments: 0..<400)
    func accounts(seed: UInt64) {
        var simulation = Simulation(seed: seed)
        let ended = simulation.run()
        let bound = simulation.accidents + simulation.poison.count * (simulation.retries + 1)
        #expect(simulation.deaths <= bound, "\(simulation.deaths) ended, at most \(bound) should")
        if ended {
            #expect(simulation.results.count == simulation.count)
            #expect(simulation.poison.allSatisfy { simulation.results[$0] == "replaced" })
        } else {
            #expect(simulation.alive.isEmpty && simulation.schedule.hasUntried && !simulation.schedule.hasWorkers)
        }
    }

    @Test("a lost worker's elements go to others one by one, after all else, the likely culprits last")
    func suspects() {
        var schedule = MapSchedule(count: 8, batchSize: 2)
        schedule.join(1)
        #expect(schedule.next(for: 1, now: 0) == 0..<2)
        #expect(schedule.next(for: 1, now: 0) == 2..<4)
        schedule.join(2)
        #expect(schedule.lost(2..<4, by: 1).isEmpty && schedule.lost(0..<2, by: 1).isEmpty)
        #expect(schedule.next(for: 1, now: 0) == nil && schedule.hasWorkers)
        #expect(schedule.next(for: 2, now: 0) == 4..<6)
        #expect(schedule.next(for: 2, now: 0) == 6..<8)
        schedule.finished(4..<6, by: 2, now: 1)
        #expect(schedule.next(for: 2, now: 1) == nil, "a suspect is alone with its worker")
        schedule.finished(6..<8, by: 2, now: 2)
        var order: [Int] = []
        while let batch = schedule.next(for: 2, now: 2) {
            order += Array(batch)
            #expect(schedule.next(for: 2, now: 2) == nil)
            schedule.finished(batch, by: 2, now: 2)
        }
        #expect(Set(order.prefix(2)) == [2, 3] && Set(order.suffix(2)) == [0, 1])
        #expect(schedule.isComplete)
    }

    @Test("an element is given to as many more workers as there are retries", arguments: 0...3)
    func retries(retries: Int) {
        var schedule = MapSchedule(count: 1, batchSize: 1, retries: retries)
        for worker in 0...retries {
            schedule.join(worker)
            #expect(schedule.next(for: worker, now: 0) == 0..<1)
            #expect(schedule.lost(0..<1, by: worker) == (worker == retries ? [0] : []))
        }
        #expect(schedule.deaths(of: 0) == retries + 1 && schedule.attempts(of: 0) == retries + 1)
        #expect(!schedule.isStranded && !schedule.isIdle, "a verdict is awaited")
        schedule.settle()
        #expect(schedule.isComplete && schedule.isIdle)
    }

    @Test("an element that is tried again waits for its time")
    func delays() {
        var schedule = MapSchedule(count: 3, batchSize: 3)
        schedule.join(1)
        #expect(schedule.next(for: 1, now: 0) == 0..<3)
        schedule.finished(0..<3, by: 1, now: 1, failed: [0, 2])
        #expect(!schedule.isComplete && schedule.settled == 1)
        schedule.retry(0, due: 9)
        schedule.retry(2, due: 5)
        #expect(schedule.nextDue == 5 && schedule.next(for: 1, now: 4) == nil)
        #expect(schedule.next(for: 1, now: 5) == 2..<3)
        #expect(schedule.nextDue == 9 && schedule.next(for: 1, now: 8) == nil)
        #expect(schedule.next(for: 1, now: 9) == 0..<1)
        #expect(schedule.pardons(of: 0) == 1 && schedule.attempts(of: 1) == 0)
    }

    @Test("when it is stopped nothing more is given out, and what is out is waited for")
    func stopped() {
        var schedule = MapSchedule(count: 6, batchSize: 2)
        schedule.join(1)
        #expect(schedule.next(for: 1, now: 0) == 0..<2)
        #expect(schedule.next(for: 1, now: 0) == 2..<4)
        schedule.finished(0..<2, by: 1, now: 1, failed: [0])
        schedule.settle()
        schedule.stop()
        #expect(schedule.isStopped && !schedule.isIdle && schedule.next(for: 1, now: 1) == nil)
        #expect(schedule.lost(2..<4, by: 1).isEmpty)
        #expect(schedule.isIdle && !schedule.isStranded)
    }

    @Test("with nobody left, what was tried awaits a verdict; a worker that joins goes on with the rest")
    func stranded() {
        var schedule = MapSchedule(count: 2, batchSize: 1)
        schedule.join(1)
        _ = schedule.next(for: 1, now: 0)
        #expect(schedule.lost(0..<1, by: 1).isEmpty)
        #expect(schedule.isStranded && schedule.hasUntried)
        schedule.join(1)
        #expect(schedule.isStranded, "who has left does not come back")
        schedule.join(2)
        #expect(!schedule.isStranded && schedule.next(for: 2, now: 0) == 1..<2)
        schedule.finished(1..<2, by: 2, now: 1)
        #expect(schedule.next(for: 2, now: 1) == 0..<1)
        #expect(schedule.lost(0..<1, by: 2).isEmpty)
        #expect(schedule.isStranded && !schedule.hasUntried)
        #expect(schedule.takeStranded() == [0] && !schedule.isStranded)
        schedule.settle()
        #expect(schedule.isComplete)
    }
}
