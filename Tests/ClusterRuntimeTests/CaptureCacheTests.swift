import Remote
import Testing

@testable import ClusterRuntime

private func captures(_ byte: UInt8, count: Int = 100) throws -> EncodedCaptures {
    try EncodedCaptures([UInt8](repeating: byte, count: count), file: "f", line: 1)
}

@Suite("CaptureCache")
struct CaptureCacheTests {
    @Test("equal bytes of equal types are the same captures, others are not")
    func same() throws {
        let cache = CaptureCache()
        let first = cache.take(try captures(1))
        cache.release(first)
        #expect(cache.take(try captures(1)) === first)
        #expect(cache.take(try captures(2)) !== first)
        let number = cache.take(try EncodedCaptures(Int64(7), file: "f", line: 1))
        #expect(cache.take(try EncodedCaptures(UInt64(7), file: "f", line: 1)) !== number, "equal bytes, other type")
    }

    @Test("over the limit the least recently used go; those in use stay")
    func evicts() throws {
        let cache = CaptureCache(limit: 350)
        let one = cache.take(try captures(1))
        let two = cache.take(try captures(2))
        cache.release(two)
        let three = cache.take(try captures(3))
        cache.release(three)
        cache.release(cache.take(try captures(2)))  // now three is the oldest that is unused
        _ = cache.take(try captures(4))
        #expect(cache.take(try captures(1)) === one, "in use")
        #expect(cache.take(try captures(2)) === two, "used lately")
        #expect(cache.take(try captures(3)) !== three)
    }

    @Test("clearing drops what no call uses, and no more")
    func clears() throws {
        let cache = CaptureCache()
        let used = cache.take(try captures(1))
        let unused = cache.take(try captures(2))
        cache.release(unused)
        cache.clear()
        #expect(cache.take(try captures(1)) === used)
        #expect(cache.take(try captures(2)) !== unused)
    }
}
