import Testing

@Suite("Where a body's errors were thrown", .serialized)
struct ThrowSiteTests {
    @Test("an error arrives with the functions that were being worked on where it was thrown first, up to the body")
    func stacks() async throws {
        let run = try await drive("throw-sites")
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
        for name in ["plain", "caught", "here", "call", "async"] {
            let text = run.value(name) ?? ""
            let inner = text.firstRange(of: "muster_test_program.fold(Swift.Int)")
            let outer = text.firstRange(of: "muster_test_program.bind(Swift.Int)")
            #expect(inner != nil && outer != nil, "\(name): \(run)")
            if let inner, let outer { #expect(inner.lowerBound < outer.lowerBound, "\(name): \(run)") }
            #expect(text.contains(" in muster-test-program 0x") && !text.contains("willThrow"), "\(name): \(run)")
            #expect(!text.contains("Remote.") && !text.contains("swift_job_run"), "\(name): \(run)")
            if name != "async" { #expect(text.contains("closure #"), "the body itself, \(name): \(run)") }
        }
        #expect(run.value("caught")?.contains("bindCarefully") == true, "\(run)")
        #expect(run.value("typed")?.contains("muster_test_program.foldTyped(Swift.Int) throws") == true, "\(run)")
        #expect(run.value("site")?.hasPrefix("muster_test_program/ThrowSites.swift:") == true, "\(run)")
        #expect(run.value("site")?.hasSuffix(" true") == true && run.value("lines") == "true", "\(run)")
    }
}
