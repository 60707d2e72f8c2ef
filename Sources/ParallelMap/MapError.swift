package import Remote

/// Elements of a map failed, and no handler had anything to put in their places.
///
/// Once an element has failed for good, no other is begun; the map ends when those have ended that were being worked on.
/// So here is every element that failed by then, and nothing of the map runs any more.
public struct MapError: Error, Sendable, CustomStringConvertible {
    /// The elements that failed, in the order of the input; at least one.
    public let failures: [MapFailure]
    /// How many elements the map has.
    public let count: Int

    /// - Parameter failures: In any order, at least one.
    package init(_ failures: [MapFailure], count: Int) {
        precondition(!failures.isEmpty, "a map that failed has a failure")
        self.failures = failures.sorted { $0.index < $1.index }
        self.count = count
    }

    /// The failed element that comes first in the input.
    public var first: MapFailure { failures[0] }

    /// The places of the failed elements in the input, ascending.
    public var indices: [Int] { failures.map(\.index) }

    /// How many others are named in the description.
    private static let shownCount = 8

    /// The first failure in full, how many there are, and where some of the others are.
    public var description: String {
        guard failures.count > 1 else { return "\(first)" }
        let others = indices.dropFirst()
        let shown = others.prefix(MapError.shownCount).map(String.init).joined(separator: ", ")
        let rest = others.count > MapError.shownCount ? ", …" : ""
        return "\(failures.count) of \(count) elements failed: \(shown)\(rest) and \(first)"
    }
}

extension MapError: FailedCallsError {
    package var failedCalls: [FailedCall] { failures.flatMap(\.failedCalls) }
}
