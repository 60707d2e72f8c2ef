import Foundation
import Testing

@Suite("Rings between two processes", .serialized)
struct RingTests {
    private static let isFull = ProcessInfo.processInfo.environment["MUSTER_TEST_FULL"] != nil

    @Test("messages of random sizes arrive whole and in order, both ways at once")
    func bothWays() async throws {
        let count = RingTests.isFull ? 10_000_000 : 10_000
        let run = try await drive("rings", "\(count)", limit: 600)
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
        for what in ["came back", "went there", "peer got"] { #expect(run.value(what) == "\(count)", "\(run)") }
        #expect(run.value("peer's status") == "0")
    }

    @Test("two processes that sleep at once, always, wake each other every time")
    func sleeps() async throws {
        let count = RingTests.isFull ? 1_000_000 : 10_000
        let run = try await drive("sleeping-rings", "\(count)", limit: 600)
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
        for what in ["round trips", "peer got"] { #expect(run.value(what) == "\(count)", "\(run)") }
        #expect(run.value("peer's status") == "0")
    }
}
