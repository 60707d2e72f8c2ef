/// Delays that grow by a factor, as in Julia: `firstDelay`, then each about `factor` times the one before.
///
/// A sequence of ``n`` delays in seconds, for `pmap(…, retryDelays:)`. The factor varies by chance within
/// `factor × (1 ± jitter)`, anew whenever the sequence is iterated, so that what failed together is not tried again
/// together. ``delays(using:)`` gives the same delays for the same generator.
///
/// Source: Julia's `Base.ExponentialBackOff`, with its defaults.
public struct ExponentialBackOff: Sequence, Hashable, Sendable {
    /// How many delays there are, at least 0.
    public let n: Int
    /// The first delay in seconds.
    public let firstDelay: Double
    /// No delay is longer, in seconds.
    public let maxDelay: Double
    /// What a delay is multiplied by to give the next, about.
    public let factor: Double
    /// How far the factor may be off, as a share of it, from 0 to 1.
    public let jitter: Double

    /// Describes delays. None may be negative.
    public init(
        n: Int = 1, firstDelay: Double = 0.05, maxDelay: Double = 10, factor: Double = 5, jitter: Double = 0.1
    ) {
        precondition(n >= 0, "there are no fewer than no delays")
        precondition(firstDelay >= 0 && maxDelay >= 0 && factor >= 0, "a delay is not negative")
        precondition(jitter >= 0 && jitter <= 1, "the jitter is a share of the factor")
        self.n = n
        self.firstDelay = firstDelay
        self.maxDelay = maxDelay
        self.factor = factor
        self.jitter = jitter
    }

    /// The delays in seconds, with the chance of `generator`.
    public func delays(using generator: inout some RandomNumberGenerator) -> [Double] {
        var delay = Swift.min(firstDelay, maxDelay)
        return (0..<n).map { _ in
            defer { delay = following(delay, using: &generator) }
            return delay
        }
    }

    fileprivate func following(_ delay: Double, using generator: inout some RandomNumberGenerator) -> Double {
        let chance = Double.random(in: -1...1, using: &generator)
        return Swift.min(maxDelay, delay * factor * (1 + jitter * chance))
    }

    /// Makes the delays one by one, with the system's chance.
    public struct Iterator: IteratorProtocol {
        private let delays: ExponentialBackOff
        private var left: Int
        private var delay: Double

        fileprivate init(_ delays: ExponentialBackOff) {
            self.delays = delays
            left = delays.n
            delay = Swift.min(delays.firstDelay, delays.maxDelay)
        }

        /// The next delay in seconds.
        public mutating func next() -> Double? {
            guard left > 0 else { return nil }
            left -= 1
            var generator = SystemRandomNumberGenerator()
            defer { delay = delays.following(delay, using: &generator) }
            return delay
        }
    }

    /// The delays, drawn anew.
    public func makeIterator() -> Iterator { Iterator(self) }
    /// How many delays there are.
    public var underestimatedCount: Int { n }
}
