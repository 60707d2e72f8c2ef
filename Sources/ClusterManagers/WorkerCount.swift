/// How many workers a host gets.
public struct WorkerCount: Hashable, Sendable, ExpressibleByIntegerLiteral {
    /// The number; `nil` if the host's CPUs decide.
    let number: Int?

    /// One for each usable core of the host: those that its own cpusets, quotas and offline CPUs leave.
    public static let automatic = WorkerCount(number: nil)

    /// This many; at least 1, or the launch is refused.
    public static func count(_ number: Int) -> WorkerCount { WorkerCount(number: number) }

    private init(number: Int?) { self.number = number }

    /// This many; see ``count(_:)``.
    public init(integerLiteral number: Int) { self.number = number }
}

extension WorkerCount: CustomStringConvertible {
    /// The number, or "automatic".
    public var description: String { number.map { "\($0)" } ?? "automatic" }
}
