import ClusterRuntime
import Remote
import Scheduling
import Synchronization
import Testing

@testable import ParallelMap

private struct Jammed: Error, Equatable {
    var tray: Int
}

/// 1, 2, 4 and so on, without an end.
private struct Doubling: Sequence {
    func makeIterator() -> some IteratorProtocol<Double> { sequence(first: 1.0) { $0 * 2 }.makeIterator() }
}

private func failure(attempt: Int = 1) -> MapFailure {
    MapFailure(index: 5, attempt: attempt, worker: 2, host: "n", error: Jammed(tray: 1))
}

/// What became of an element, to compare.
private func text(_ verdict: Verdict) -> String {
    switch verdict {
    case .replaced(let value): "replaced by \(value)"
    case .retried(let delay): "retried after \(delay)"
    case .givenUp(let failure): "given up: \(failure.error)"
    }
}

@Suite("FailureHandling")
struct FailureHandlingTests {
    @Test("without handlers a failure is final")
    func none() async {
        let handling = FailureHandling<Int>()
        #expect(handling.isEmpty)
        #expect(text(await handling.judge(failure(), retries: 0)) == "given up: Jammed(tray: 1)")
        #expect(FailureHandling<Int>(retryCheck: { _ in true }).isEmpty, "a check alone retries nothing")
    }

    @Test("what onError returns is the result, whatever the delays")
    func handlerFirst() async {
        let handling = FailureHandling<Int>(
            onError: { $0.index * 2 }, retryDelays: [1, 2], retryCheck: { _ in fatalError("not to be asked") })
        #expect(text(await handling.judge(failure(), retries: 0)) == "replaced by 10")
    }

    @Test("if onError throws, its error is what is checked, and what is left in the end")
    func handlerThrows() async {
        let handling = FailureHandling<Int>(
            onError: { _ in throw Jammed(tray: 7) }, retryDelays: [0.5],
            retryCheck: { $0.error as? Jammed == Jammed(tray: 7) })
        #expect(text(await handling.judge(failure(), retries: 0)) == "retried after 0.5")
        #expect(text(await handling.judge(failure(), retries: 1)) == "given up: Jammed(tray: 7)")
    }

    @Test("onError may throw the failure on, which stays what it is")
    func rethrown() async {
        let handling = FailureHandling<Int>(onError: { throw $0 })
        #expect(text(await handling.judge(failure(), retries: 0)) == "given up: Jammed(tray: 1)")
    }

    @Test("there are as many retries as delays, unless the check says no")
    func delays() async {
        let handling = FailureHandling<Int>(retryDelays: [0.1, 0.2], retryCheck: { $0.attempt < 9 })
        #expect(!handling.isEmpty)
        #expect(text(await handling.judge(failure(attempt: 1), retries: 0)) == "retried after 0.1")
        #expect(text(await handling.judge(failure(attempt: 2), retries: 1)) == "retried after 0.2")
        #expect(text(await handling.judge(failure(attempt: 3), retries: 2)) == "given up: Jammed(tray: 1)")
        #expect(text(await handling.judge(failure(attempt: 9), retries: 0)) == "given up: Jammed(tray: 1)")
    }

    @Test("delays that are none are 0, and endless ones end", arguments: [-1.0, .nan, -.infinity])
    func absurd(delay: Double) async {
        let handling = FailureHandling<Int>(retryDelays: [delay, .infinity])
        #expect(text(await handling.judge(failure(), retries: 0)) == "retried after 0.0")
        #expect(text(await handling.judge(failure(), retries: 1)) == "retried after 1000000000.0")
    }

    @Test("a sequence without an end is read only as far as needed")
    func endless() async {
        let handling = FailureHandling<Int>(retryDelays: Doubling())
        #expect(text(await handling.judge(failure(), retries: 10)) == "retried after 1024.0")
    }
}

@Suite("Errors of a map")
struct MapErrorTests {
    @Test("one failure is told in full")
    func one() {
        #expect("\(MapError([failure()], count: 9))" == "element 5: Jammed(tray: 1)")
        #expect("\(MapError([failure(attempt: 3)], count: 9))" == "element 5, attempt 3: Jammed(tray: 1)")
    }

    @Test("of many, the first is told in full, some by their places, and the rest by their number")
    func many() {
        let failures = (0..<20).reversed().map { i in
            MapFailure(index: i * 10, attempt: 1, worker: 2, host: "n", error: Jammed(tray: i))
        }
        let error = MapError(failures, count: 500)
        #expect(error.indices == Array(stride(from: 0, to: 200, by: 10)) && error.first.index == 0)
        #expect(
            "\(error)"
                == "20 of 500 elements failed: 10, 20, 30, 40, 50, 60, 70, 80, … and element 0: Jammed(tray: 0)")
        #expect(
            "\(MapError(Array(failures.suffix(2)), count: 500))"
                == "2 of 500 elements failed: 10 and element 0: Jammed(tray: 0)")
    }
}
