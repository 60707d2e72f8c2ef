/// Several things that were done at the same time failed.
///
/// Julia's `CompositeException`. Thrown where all parts run to their end whatever becomes of the others:
/// ``withCompositeGroup(_:)``, and calls to several workers at once.
public struct CompositeError: Error, Sendable, CustomStringConvertible {
    /// The errors, in the order of the parts that threw them; at least one, and none of them composite.
    public let errors: [any Error]

    /// Puts errors together; those of a composite one are taken out of it.
    ///
    /// - Precondition: There is at least one.
    public init(_ errors: [any Error]) {
        precondition(!errors.isEmpty, "what failed in several ways has failed in one")
        self.errors = errors.flatMap { ($0 as? CompositeError)?.errors ?? [$0] }
    }

    /// How many errors the description has in full.
    private static let shownCount = 4

    /// The only error as it is; of several their number and the first four, a line each.
    public var description: String {
        guard errors.count > 1 else { return "\(errors[0])" }
        let shown = errors.prefix(CompositeError.shownCount).map { "\n- \($0)" }.joined()
        let left = errors.count - CompositeError.shownCount
        return "\(errors.count) errors:\(shown)\(left > 0 ? "\n- and \(left) more" : "")"
    }
}
