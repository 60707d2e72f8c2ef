import Testing

@testable import Scheduling

@Suite("ExponentialBackOff")
struct ExponentialBackOffTests {
    @Test("without jitter the delays are the powers of the factor, up to the longest")
    func plain() {
        var random = Seeded(state: 1)
        let delays = ExponentialBackOff(n: 5, firstDelay: 0.1, maxDelay: 5, factor: 3, jitter: 0)
        #expect(delays.delays(using: &random).map { ($0 * 1000).rounded() } == [100, 300, 900, 2700, 5000])
        #expect(delays.map { ($0 * 1000).rounded() } == [100, 300, 900, 2700, 5000])
    }

    @Test("it has Julia's defaults")
    func defaults() {
        let delays = ExponentialBackOff()
        #expect((delays.n, delays.firstDelay, delays.maxDelay) == (1, 0.05, 10))
        #expect((delays.factor, delays.jitter) == (5, 0.1))
        #expect(Array(delays) == [0.05])
    }

    @Test("there are as many delays as asked for", arguments: [0, 1, 3, 100])
    func count(n: Int) {
        #expect(Array(ExponentialBackOff(n: n)).count == n)
        #expect(ExponentialBackOff(n: n).underestimatedCount == n)
    }

    @Test("jitter stays within its share of the factor, and the same generator gives the same", arguments: 0..<50)
    func jitter(seed: UInt64) {
        let delays = ExponentialBackOff(n: 6, firstDelay: 1, maxDelay: 1e9, factor: 4, jitter: 0.25)
        var first = Seeded(state: seed)
        var second = Seeded(state: seed)
        let drawn = delays.delays(using: &first)
        #expect(drawn == delays.delays(using: &second))
        for (delay, next) in zip(drawn, drawn.dropFirst()) { #expect((3...5).contains(next / delay)) }
    }

    @Test("the first delay is no longer than the longest")
    func longest() {
        #expect(ExponentialBackOff(n: 3, firstDelay: 7, maxDelay: 2).allSatisfy { $0 == 2 })
    }
}
