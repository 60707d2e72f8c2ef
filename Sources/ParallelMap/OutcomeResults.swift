import Remote
import Synchronization
import Wire

/// Results and failures side by side, kept as they come, and put in order in the end.
final class OutcomeResults<Output: Sendable>: CollectedResults {
    private let outputs = RunResults<Output>()
    private let failures = Mutex<[Int: MapFailure]>([:])

    func take(_ reply: inout WireReader, for batch: Range<Int>, isShort: Bool) throws -> [IndexedFailure] {
        try outputs.take(&reply, for: batch, isShort: isShort)
    }

    func put(_ output: any Sendable, at index: Int) {
        guard let failure = output as? MapFailure else { preconditionFailure("a handler has given a failure") }
        failures.withLock { $0[index] = failure }
    }

    func collect() -> [Result<Output, MapFailure>] {
        let failures = failures.withLock { failures in
            defer { failures = [:] }
            return failures
        }
        var rest = outputs.collect()[...]
        return (0..<rest.count + failures.count).map { index in
            if let failure = failures[index] { return .failure(failure) }
            guard let output = rest.popFirst() else { preconditionFailure("each element has a result or a failure") }
            return .success(output)
        }
    }
}
