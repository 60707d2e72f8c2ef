import Foundation
import Testing
import Wire

@Suite("Hostile bytes")
struct HostileBytesTests {
    @Test("a message cut short is refused", arguments: Sample.all)
    func truncations(sample: Sample) {
        let step = max(1, sample.bytes.count / 500)
        for count in stride(from: 0, to: sample.bytes.count, by: step) {
            // A shorter message may be a value by chance only where nothing follows a length.
            let error = #expect(throws: WireError.self, "\(count) bytes") {
                _ = try sample.matches(Array(sample.bytes.prefix(count)))
            }
            if let error { #expect(error.offset >= 0 && error.offset <= count) }
        }
    }

    @Test("a damaged message gives a value or an error", arguments: Sample.all, 0..<4 as Range<UInt64>)
    func flips(sample: Sample, seed: UInt64) {
        guard !sample.bytes.isEmpty else { return }
        var random = SplitMix64(state: seed &* 0x1234_5678_9ABC_DEF1)
        let peak = peakByteCount()
        for _ in 0..<(sample.bytes.count > 10_000 ? 20 : 300) {
            var bytes = sample.bytes
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                // Early bytes more often: that is where lengths are.
                let index = Int.random(in: 0..<Int.random(in: 1...bytes.count, using: &random), using: &random)
                bytes[index] = Bool.random(using: &random) ? .random(in: 0...255, using: &random) : 0xFF
            }
            do {
                _ = try sample.matches(bytes)
            } catch {
                #expect(error.offset >= 0 && error.offset <= bytes.count)
            }
        }
        #expect(peakByteCount() - peak < 64 << 20)
    }

    @Test("random bytes give a value or an error", arguments: Sample.all)
    func noise(sample: Sample) {
        var random = SplitMix64(state: 42)
        for _ in 0..<200 {
            let bytes = (0..<Int.random(in: 0...80, using: &random)).map { _ in
                UInt8.random(in: 0...(Bool.random(using: &random) ? 255 : 8), using: &random)
            }
            _ = try? sample.matches(bytes)
        }
    }

    static let hugeLengths: [[UInt8]] = [
        [252], [253, 255, 255], [254, 255, 255, 255, 255], [255, 255, 255, 255, 255, 255, 255, 255, 127],
        [255, 255, 255, 255, 255, 255, 255, 255, 255], [255, 0, 0, 0, 0, 0, 0, 0, 16],
    ]

    @Test("a length beyond the message is refused before anything is allocated", arguments: hugeLengths)
    func hugeLength(length: [UInt8]) {
        let bytes = length + [1, 2, 3]
        let peak = peakByteCount()
        #expect(throws: WireError.self) { _ = try [UInt8](wireBytes: bytes) }
        #expect(throws: WireError.self) { _ = try [Double](wireBytes: bytes) }
        #expect(throws: WireError.self) { _ = try [Gap](wireBytes: bytes) }
        #expect(throws: WireError.self) { _ = try [SIMD64<Double>](wireBytes: bytes) }
        #expect(throws: WireError.self) { _ = try [String](wireBytes: bytes) }
        #expect(throws: WireError.self) { _ = try [Bool?](wireBytes: bytes) }
        #expect(throws: WireError.self) { _ = try String(wireBytes: bytes) }
        #expect(throws: WireError.self) { _ = try Set<UInt8>(wireBytes: bytes) }
        #expect(throws: WireError.self) { _ = try [UInt8: UInt8](wireBytes: bytes) }
        #expect(throws: WireError.self) { _ = try Person(wireBytes: bytes) }
        #expect(peakByteCount() - peak < 64 << 20)
    }

    @Test(
        "a length that is not in its shortest form is refused",
        arguments: [
            [253, 252, 0], [254, 255, 255, 0, 0], [255, 255, 255, 255, 255, 0, 0, 0, 0],
        ] as [[UInt8]])
    func longLengths(length: [UInt8]) {
        let error = #expect(throws: WireError.self) { _ = try [UInt8](wireBytes: length) }
        #expect(error?.code == .invalidLength && error?.offset == 0)
    }

    @Test("elements that take no bytes are limited")
    func freeElements() throws {
        let million: [UInt8] = [254, 0, 0, 16, 0]
        #expect(try [Nothing](wireBytes: million).count == 1 << 20)
        let bombs = [[254, 1, 0, 16, 0], [255, 0, 0, 0, 0, 0, 0, 0, 16], [2] + million + million] as [[UInt8]]
        for bytes in bombs {
            let error = #expect(throws: WireError.self) {
                if bytes[0] == 2 { _ = try [[Nothing]](wireBytes: bytes) } else { _ = try [Nothing](wireBytes: bytes) }
            }
            #expect(error?.code == .freeLimit)
        }
    }

    @Test("values nested too deep are refused, on a small stack too")
    func nesting() async {
        // One byte for each level: a branch, an array of one, or a list of keys and items.
        let trees = [UInt8](repeating: 1, count: 1_000_000)
        var chain: [UInt8] = []
        for _ in 0..<2000 {
            // A keyed item with one entry that is an unkeyed item with one element.
            let list = [8] + lengthBytes(chain.count) + chain
            chain = [9, 0] + lengthBytes(list.count) + list
        }
        let chains = [1, 4] + Array("next".utf8) + lengthBytes(chain.count) + chain
        await onSmallStack {
            #expect(failure(of: Tree.self, trees) == .nestingLimit)
            #expect(failure(of: Nest.self, trees) == .nestingLimit)
            #expect(failure(of: Chain.self, chains) == .nestingLimit)
        }
    }

    @Test("the nesting limit can be chosen")
    func nestingLimit() throws {
        let bytes = try Nest([Nest([Nest([])])]).wireBytes()
        #expect(throws: WireError.self) { _ = try Nest(wireBytes: bytes, limits: WireLimits(nesting: 3)) }
        #expect(throws: Never.self) { _ = try Nest(wireBytes: bytes, limits: WireLimits(nesting: 7)) }
    }

    @Test("what a type does not accept is an error")
    func invalidValues() {
        #expect(failure(of: Bool.self, [2]) == .invalidBool)
        #expect(failure(of: UInt8?.self, [2, 0]) == .invalidTag)
        #expect(failure(of: Result<UInt8, Failure>.self, [2, 0]) == .invalidTag)
        #expect(failure(of: Color.self, [0]) == .invalidTag)
        #expect(failure(of: CodableColor.self, [1, 0x78]) == .invalidTag)
        #expect(failure(of: String.self, [1, 0xFF]) == .invalidUTF8)
        #expect(failure(of: String.self, [2, 0xC0, 0x80]) == .invalidUTF8)
        #expect(failure(of: String.self, [3, 0xED, 0xA0, 0x80]) == .invalidUTF8)
        #expect(failure(of: Character.self, [0]) == .invalidValue)
        #expect(failure(of: Character.self, [2, 0x78, 0x78]) == .invalidValue)
        #expect(failure(of: Unicode.Scalar.self, [0, 0xD8, 0, 0]) == .invalidValue)
        #expect(failure(of: ClosedRange<UInt8>.self, [2, 1]) == .invalidValue)
        #expect(failure(of: Range<UInt8>.self, [2, 1]) == .invalidValue)
        #expect(failure(of: ClosedRange<Float16>.self, [0, 0x7E, 0, 0x7E]) == .invalidValue)
        #expect(failure(of: Duration.self, [UInt8](repeating: 0x7F, count: 16)) == .invalidValue)
        #expect(failure(of: Set<UInt8>.self, [2, 1, 1]) == .duplicateKey)
        #expect(failure(of: [UInt8: UInt8].self, [2, 1, 0, 1, 0]) == .duplicateKey)
        #expect(failure(of: [UInt64].self, [8, 17]) == .invalidLength)
        #expect(failure(of: [UInt64].self, [8, 1, 1] + [UInt8](repeating: 0, count: 64)) == .invalidValue)
    }

    @Test("keys that don't equal themselves are few, so that inserting them stays fast")
    func notANumber() throws {
        let numbers = [Double](repeating: .nan, count: 100_000)
        var output = WireWriter()
        output.append(length: numbers.count)
        for number in numbers { output.write(number) }
        let bytes = try output.finish()
        let error = #expect(throws: WireError.self) { _ = try Set<Double>(wireBytes: bytes) }
        #expect(error?.code == .invalidValue)
    }

    @Test("refusing a long container of distinct keys takes no quadratic time")
    func manyKeys() throws {
        let table = Dictionary(uniqueKeysWithValues: (0..<100_000).map { ("key \($0)", "") })
        let bytes = try Keyed(table: table).wireBytes()
        var read: [String: String] = [:]
        let duration = try ContinuousClock().measure { read = try Keyed<String>(wireBytes: bytes).table }
        #expect(read == table)
        #expect(duration < .seconds(20))
    }
}

/// What reading `bytes` fails with, or nil.
func failure<T: WireDecodable>(of type: T.Type, _ bytes: [UInt8]) -> WireError.Code? {
    do {
        _ = try T(wireBytes: bytes)
        return nil
    } catch {
        return error.code
    }
}

/// A length as it is written.
func lengthBytes(_ length: Int) -> [UInt8] {
    var output = WireWriter()
    output.append(length: length)
    return (try? output.finish()) ?? []
}

/// The most memory this process has had so far, in bytes.
func peakByteCount() -> Int {
    var usage = rusage()
    unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss * 1024
}

/// Runs `body` on a thread with a stack of 512 KiB.
func onSmallStack(_ body: @escaping @Sendable () -> Void) async {
    await withCheckedContinuation { continuation in
        let thread = Thread {
            body()
            continuation.resume()
        }
        thread.stackSize = 512 << 10
        thread.start()
    }
}
