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
        let first = try cache.take(captures(1))
        cache.release(first)
        #expect(try cache.take(captures(1)) === first)
        #expect(try cache.take(captures(2)) !== first)
        let number = try cache.take(EncodedCaptures(Int64(7), file: "f", line: 1))
        #expect(try cache.take(EncodedCaptures(UInt64(7), file: "f", line: 1)) !== number, "equal bytes, other type")
    }

    @Test("over the limit the least recently used go; those in use stay")
    func evicts() throws {
        let cache = CaptureCache(limit: 350)
        let one = try cache.take(captures(1))
        let two = try cache.take(captures(2))
        cache.release(two)
        let three = try cache.take(captures(3))
        cache.release(three)
        cache.release(try cache.take(captures(2)))  // now three is the oldest that is unused
        _ = try cache.take(captures(4))
        #expect(try cache.take(captures(1)) === one, "in use")
        #expect(try cache.take(captures(2)) === two, "used lately")
        #expect(try cache.take(captures(3)) !== three)
    }

    @Test("clearing drops what no call uses, and no more")
    func clears() throws {
        let cache = CaptureCache()
        let used = try cache.take(captures(1))
        let unused = try cache.take(captures(2))
        cache.release(unused)
        cache.clear()
        #expect(try cache.take(captures(1)) === used)
        #expect(try cache.take(captures(2)) !== unused)
    }
}
