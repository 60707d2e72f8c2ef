import Testing

@Suite("What a map does about an element that failed", .serialized)
struct FailureTableTests {
    /// What the documentation's table says; of eight elements the third fails, or in a batch body the first four.
    private func expected(_ handler: String, _ delays: String, _ check: Bool, _ always: Bool, _ size: String) -> String
    {
        let failing = size == "body" ? [0, 1, 2, 3] : [2]
        let isRetried = delays == "zeros" && check
        if handler == "returns" { return "\((0..<8).map { failing.contains($0) ? -1 : $0 })" }
        let error = handler == "throws" ? "OutOfInk" : "RemoteError"
        guard isRetried else { return "MapError \(failing) attempt 1 \(error)" }
        // By themselves, the others of a batch do not fail.
        return always ? "MapError [2] attempt 4 \(error)" : "\(Array(0..<8))"
    }

    @Test("every combination of handler, delays, check, body and batches ends as the documentation says")
    func table() async throws {
        let run = try await drive("failure-table")
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
        for handler in ["none", "returns", "throws"] {
            for delays in ["none", "zeros"] {
                for check in [true, false] {
                    for always in [true, false] {
                        for size in ["1", "4", "body"] {
                            let name = "\(handler)-\(delays)-\(check)-\(always ? "always" : "once")-\(size):"
                            let found = run.value(name) ?? ""
                            #expect(
                                found.hasPrefix(expected(handler, delays, check, always, size) + " asked "),
                                "\(name) \(found)")
                        }
                    }
                }
            }
        }
    }

    @Test("handlers are asked after each attempt, checks only where a delay is left")
    func asked() async throws {
        let run = try await drive("failure-table")
        let counts = [
            "none-zeros-true-always-1:": "asked 0 checked 3", "none-zeros-true-once-4:": "asked 0 checked 1",
            "none-zeros-false-once-1:": "asked 0 checked 1", "none-none-true-always-4:": "asked 0 checked 0",
            "returns-zeros-true-always-1:": "asked 1 checked 0", "returns-zeros-true-once-body:": "asked 4 checked 0",
            "throws-zeros-true-always-1:": "asked 4 checked 3", "throws-zeros-true-once-4:": "asked 1 checked 1",
            "throws-zeros-false-always-1:": "asked 1 checked 1", "throws-none-true-always-1:": "asked 1 checked 0",
        ]
        for (name, count) in counts { #expect(run.value(name)?.hasSuffix(count) == true, "\(name) \(run)") }
    }

    @Test("a handler that returns failures has them beside the results")
    func outcomes() async throws {
        let run = try await drive("outcomes")
        #expect(
            run.value("sync:")
                == "0, element 1 attempt 1 RemoteError, 20, element 3 attempt 1 RemoteError, 40", "\(run)")
        #expect(run.value("async:") == "element 0 attempt 1 RemoteError, 1, 2", "\(run)")
        #expect(run.value("stored:") == "(), element 1 attempt 1 RemoteError", "\(run)")
        #expect(run.value("retried:") == "0, element 1 attempt 2 OutOfInk, 2, 3", "\(run)")
        #expect(run.value("thrown:")?.hasPrefix("MapError [1] of 4: RemoteError") == true, "\(run)")
        #expect(run.value("unknown:") == "0, 1, element 2 attempt 1 RemoteError, 3, 4", "\(run)")
    }
}
