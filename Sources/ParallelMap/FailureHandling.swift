/// What a map does about elements that fail: the caller's handlers, and the order in which they are asked.
///
/// As documented for Julia's `pmap`, `onError` comes before any retry: what it returns is the result; only if it throws
/// is the element tried again.
struct FailureHandling<Output: Sendable>: FailureJudge {
    /// Gives a result for an element that failed, or throws.
    var onError: (@Sendable (MapFailure) async throws -> Output)?
    /// Seconds to wait before an element is tried again, for the first time, the second time and so on.
    var retryDelays: any Sequence<Double> & Sendable = EmptyCollection()
    /// Whether to try again after a failure.
    var retryCheck: (@Sendable (MapFailure) -> Bool)?

    /// Whether every failure is final.
    var isEmpty: Bool { onError == nil && delay(beforeRetry: 0) == nil }

    var mayReplace: Bool { onError != nil }

    /// Seconds, 30 years: a delay that is none at all must not stop the clock.
    private static var longestDelay: Double { 1e9 }

    /// Asks the handlers about a failure of an element that they have had tried again `retries` times.
    func judge(_ failure: MapFailure, retries: Int) async -> Verdict {
        var failure = failure
        if let onError {
            do {
                return .replaced(try await onError(failure))
            } catch {
                failure = failure.with((error as? MapFailure)?.error ?? error)
            }
        }
        guard let delay = delay(beforeRetry: retries), retryCheck?(failure) ?? true else { return .givenUp(failure) }
        return .retried(after: delay)
    }

    /// The delay before retry `number`, from 0. The sequence is read anew, so that chance in it is each element's own.
    private func delay(beforeRetry number: Int) -> Double? {
        func element(of delays: some Sequence<Double>) -> Double? {
            var left = number
            return delays.first { _ in
                defer { left -= 1 }
                return left == 0
            }
        }
        return element(of: retryDelays).map { $0 > 0 ? min($0, FailureHandling.longestDelay) : 0 }
    }
}

/// Decides what becomes of elements that failed, whatever their results are.
protocol FailureJudge: Sendable {
    /// Whether every failure is final.
    var isEmpty: Bool { get }
    /// Whether it may have a result for an element that failed.
    var mayReplace: Bool { get }
    /// Decides about a failure of an element that was tried again `retries` times for such a verdict.
    func judge(_ failure: MapFailure, retries: Int) async -> Verdict
}

/// What becomes of an element that failed.
enum Verdict: Sendable {
    /// This is its result, of the type that the map's results have.
    case replaced(any Sendable)
    /// In so many seconds.
    case retried(after: Double)
    /// With the error that is left.
    case givenUp(MapFailure)
}
