import Remote
import Synchronization
import Testing

@testable import ClusterRuntime

private struct Broken: Error, CustomStringConvertible {
    let part: Int
    var description: String { "part \(part) broke" }
}

@Suite("Errors of several parts")
struct CompositeErrorTests {
    @Test("one error is described as it is, several by their number and the first four")
    func descriptions() {
        #expect(CompositeError([Broken(part: 1)]).description == "part 1 broke")
        #expect(
            CompositeError([Broken(part: 1), Broken(part: 2)]).description
                == "2 errors:\n- part 1 broke\n- part 2 broke")
        let six = CompositeError((1...6).map { Broken(part: $0) }).description
        #expect(six.hasPrefix("6 errors:\n- part 1 broke\n") && six.hasSuffix("- part 4 broke\n- and 2 more"))
    }

    @Test("the errors of a composite error in another are its own")
    func nested() {
        let inner = CompositeError([Broken(part: 2), Broken(part: 3)])
        let errors = CompositeError([Broken(part: 1), inner, Broken(part: 4)]).errors
        #expect(errors.compactMap { ($0 as? Broken)?.part } == [1, 2, 3, 4])
    }

    @Test("a composite group runs all parts to their end, and tells all their errors in order")
    func groups() async throws {
        let ended = Atomic(0)
        let error = await #expect(throws: CompositeError.self) {
            try await withCompositeGroup { group in
                for part in 0..<20 {
                    group.addTask {
                        // Those added later fail first.
                        for _ in part..<20 { await Task.yield() }
                        ended.add(1, ordering: .relaxed)
                        if part % 5 == 0 { throw Broken(part: part) }
                    }
                }
                throw Broken(part: -1)
            }
        }
        #expect(error?.errors.compactMap { ($0 as? Broken)?.part } == [-1, 0, 5, 10, 15])
        #expect(ended.load(ordering: .relaxed) == 20)
        let value = try await withCompositeGroup { group in
            group.addTask {}
            return 7
        }
        #expect(value == 7)
    }

    @Test("cancelling who waits for a composite group cancels its parts")
    func cancelledGroups() async {
        let task = Task {
            try await withCompositeGroup { group in
                for _ in 0..<3 { group.addTask { try await Task.sleep(for: .seconds(600)) } }
            }
        }
        task.cancel()
        let error = await #expect(throws: CompositeError.self) { try await task.value }
        #expect(error?.errors.count == 3 && error?.errors.allSatisfy { $0 is CancellationError } == true)
    }

    @Test("a deadline's error names worker, host, element, limit and place")
    func deadlines() {
        let site = CallSite(file: "Photos/Shrink.swift", line: 12)
        let error = DeadlineExceeded(worker: 2, host: "n", index: 7, limit: .milliseconds(500), callSite: site)
        #expect(
            error.description
                == """
                worker 2 on n, element 7: not done within its deadline of 0.5 seconds; called at Photos/Shrink.swift:12
                """)
    }
}

@Suite("Waiting and mapping in this process")
struct AsyncMapTests {
    @Test("results come in the order of the elements, from as many tasks at a time as told", arguments: [1, 3, 100])
    func order(tasks: Int) async throws {
        let running = Mutex((now: 0, most: 0))
        let outputs = try await asyncMap(0..<50, tasks: tasks) { element in
            running.withLock { running in
                running.now += 1
                running.most = max(running.most, running.now)
            }
            for _ in 0..<(50 - element) { await Task.yield() }
            running.withLock { $0.now -= 1 }
            return element * 2
        }
        #expect(outputs == (0..<50).map { $0 * 2 })
        #expect(running.withLock { $0.most } <= min(tasks, 50))
        #expect(try await asyncMap([Int](), tasks: tasks) { $0 }.isEmpty)
    }

    @Test("the first error cancels what runs, and nothing else is begun")
    func errors() async {
        let begun = Atomic(0)
        await #expect(throws: Broken.self) {
            try await asyncMap(0..<1000, tasks: 4) { element in
                begun.add(1, ordering: .relaxed)
                if element == 2 { throw Broken(part: 2) }
                try await Task.sleep(for: .seconds(600))
            }
        }
        #expect(begun.load(ordering: .relaxed) <= 4)
    }

    @Test("a timed wait tells whether the condition held, and asks at least once")
    func timedWaits() async throws {
        var asked = 0
        #expect(
            try await timedWait(.seconds(600), pollInterval: .milliseconds(1)) {
                asked += 1
                return asked == 3
            })
        #expect(try await timedWait(.zero) { true })
        #expect(try await !timedWait(.zero) { false })
        #expect(try await !timedWait(.milliseconds(20), pollInterval: .seconds(600)) { false })
    }
}
