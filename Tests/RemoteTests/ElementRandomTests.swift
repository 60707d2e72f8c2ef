import Testing

@testable import Remote

@Suite("ElementRandom")
struct ElementRandomTests {
    /// Counter, key and numbers of the generator's authors.
    ///
    /// Source: Random123, tests/kat_vectors, philox4x32 with 10 rounds.
    @Test(
        "the generator gives the published numbers",
        arguments: [
            (
                SIMD4<UInt32>(repeating: 0), SIMD2<UInt32>(repeating: 0),
                [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]
            ),
            (.init(repeating: .max), .init(repeating: .max), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
            (
                .init(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344), .init(0xa409_3822, 0x299f_31d0),
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
            ),
        ] as [(SIMD4<UInt32>, SIMD2<UInt32>, [UInt32])])
    func knownAnswers(counter: SIMD4<UInt32>, key: SIMD2<UInt32>, numbers: [UInt32]) {
        let result = ElementRandom.philox(counter, key: key)
        #expect((0..<4).map { result[$0] } == numbers)
    }

    @Test("a stream is the numbers of its blocks, one after the other")
    func blocks() {
        // Key: the seed's halves. Counter: number of the block, then the element's place.
        var random = ElementRandom(seed: 0xbbbb_bbbb_aaaa_aaaa, index: 0x5_0000_0003)
        for block in 0..<5 as Range<UInt32> {
            let numbers = ElementRandom.philox(
                SIMD4(block, 0, 3, 5), key: SIMD2(0xaaaa_aaaa, 0xbbbb_bbbb))
            #expect(random.next() == UInt64(numbers.x) | UInt64(numbers.y) << 32)
            #expect(random.next() == UInt64(numbers.z) | UInt64(numbers.w) << 32)
        }
    }

    @Test("numbers are spread evenly, within and across streams", arguments: [1, 100_000])
    func uniformity(streams: Int) {
        let draws = 100_000 / streams
        var counts = [Int](repeating: 0, count: 64)
        var ones = 0
        for index in 0..<streams {
            var random = ElementRandom(seed: 1, index: index)
            for _ in 0..<draws {
                let number = random.next()
                counts[Int(number >> 58)] += 1
                ones += number.nonzeroBitCount
            }
        }
        // Chi-squared of 63 degrees of freedom: mean 63, deviation 11; six deviations. Bits: 64 × 100,000, deviation 1265.
        let expected = 100_000.0 / 64
        let chi = counts.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
        #expect(chi < 63 + 6 * 11.3 && abs(ones - 3_200_000) < 6 * 1265)
    }

    @Test("other seeds and other places have other numbers")
    func others() {
        var first = Set<UInt64>()
        for seed in 0..<100 as Range<UInt64> {
            for index in 0..<100 {
                var random = ElementRandom(seed: seed, index: index)
                first.insert(random.next())
            }
        }
        #expect(first.count == 10_000)
    }
}
