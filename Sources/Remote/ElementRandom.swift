/// Random numbers that belong to one element of a map: the same in every run with the same seed, whatever the number of workers,
/// the batches and the attempts.
///
/// ```swift
/// let hits = try await cluster.pmap(0..<1000, seed: 7) { _ in
///     var random = Worker.random
///     return (0..<1_000_000).count { _ in
///         let (x, y) = (Double.random(in: 0..<1, using: &random), Double.random(in: 0..<1, using: &random))
///         return x * x + y * y < 1
///     }
/// }
/// ```
///
/// Philox-4x32-10: a bijection of a counter, here the element's place and the number of the draw, under a key, here the seed. So no
/// stream is a part of another, no state travels, and none has to be skipped. Not for secrets.
///
/// - Complexity: A few nanoseconds for each `next()`; 2^65 of them before the stream repeats itself.
///
/// Source: Salmon, Moraes, Dror, Shaw: Parallel Random Numbers: As Easy as 1, 2, 3 (SC 2011), and its Random123 library.
public struct ElementRandom: RandomNumberGenerator, Sendable {
    private let key: SIMD2<UInt32>
    /// The upper half of the counter.
    private let stream: UInt64
    /// The lower half: how many blocks of two numbers were drawn.
    private var block: UInt64 = 0
    /// The second number of the last block.
    private var kept: UInt64?

    /// The stream of an element.
    ///
    /// - Parameters:
    ///   - seed: The map's.
    ///   - index: Place of the element in the input.
    public init(seed: UInt64, index: Int) {
        key = SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
        stream = UInt64(bitPattern: Int64(index))
    }

    /// The next number of the stream, any as likely as another.
    public mutating func next() -> UInt64 {
        if let second = kept.take() { return second }
        let counter = SIMD4(
            UInt32(truncatingIfNeeded: block), UInt32(truncatingIfNeeded: block >> 32),
            UInt32(truncatingIfNeeded: stream), UInt32(truncatingIfNeeded: stream >> 32))
        block &+= 1
        let numbers = ElementRandom.philox(counter, key: key)
        kept = UInt64(numbers.z) | UInt64(numbers.w) << 32
        return UInt64(numbers.x) | UInt64(numbers.y) << 32
    }

    /// Four numbers for a counter and a key.
    static func philox(_ counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
        var (a, b, c, d) = (counter.x, counter.y, counter.z, counter.w)
        var (first, second) = (key.x, key.y)
        for _ in 0..<10 {
            let low = a.multipliedFullWidth(by: 0xd251_1f53)
            let high = c.multipliedFullWidth(by: 0xcd9e_8d57)
            (a, b, c, d) = (high.high ^ b ^ first, high.low, low.high ^ d ^ second, low.low)
            first &+= 0x9e37_79b9
            second &+= 0xbb67_ae85
        }
        return SIMD4(a, b, c, d)
    }
}
