/// How many elements go to a worker at a time.
public struct BatchSize: Hashable, Sendable, ExpressibleByIntegerLiteral {
    enum Kind: Hashable {
        case automatic
        case fixed(Int)
    }

    let kind: Kind

    /// From the time that elements take: batches of a few milliseconds, smaller towards the end.
    public static let automatic = BatchSize(kind: .automatic)

    /// This many elements, at least 1; the last batch may have fewer.
    public static func fixed(_ count: Int) -> BatchSize {
        precondition(count >= 1, "a batch has at least one element")
        return BatchSize(kind: .fixed(count))
    }

    private init(kind: Kind) {
        self.kind = kind
    }

    /// This many elements, at least 1.
    public init(integerLiteral count: Int) {
        self = .fixed(count)
    }
}
