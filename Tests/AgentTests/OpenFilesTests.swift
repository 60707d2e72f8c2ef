import Testing

@testable import Agent

@Suite("Open files")
struct OpenFilesTests {
    @Test("a few workers leave the limit as it is, many raise it by what they take")
    func raises() throws {
        let files = OpenFiles(soft: 1024, hard: 20_000, open: 12)
        #expect(try files.raised(for: 0, usual: 1024) == nil)
        #expect(try files.raised(for: 64, usual: 1024) == nil)
        let raised = try #require(try files.raised(for: 256, usual: 1024))
        #expect(raised >= 1024 + 256 * OpenFiles.perWorker + files.open && raised < 3000)
        // The other start has not opened its own yet.
        let more = try #require(try files.raised(for: 256, usual: 1024, promised: 1280))
        #expect(more == raised + 1280)
    }

    @Test("it is raised again for more, and not where it is high already")
    func again() throws {
        let raised = OpenFiles(soft: 2332, hard: 20_000, open: 1292)
        let more = try #require(try raised.raised(for: 256, usual: 1024))
        #expect(more >= 1024 + 1292 + 1280)
        #expect(try OpenFiles(soft: 20_000, hard: 20_000, open: 12).raised(for: 256, usual: 20_000) == nil)
        #expect(try OpenFiles(soft: .max, hard: .max, open: 12).raised(for: 4000, usual: .max) == nil)
    }

    @Test("it goes up to the hard limit, and beyond that the error says how many workers there can be")
    func refuses() throws {
        #expect(try OpenFiles(soft: 256, hard: 400, open: 12).raised(for: 60, usual: 256) == 400)
        let files = OpenFiles(soft: 200, hard: 200, open: 12)
        #expect(try files.raised(for: 32, usual: 200) == nil)
        let error = #expect(throws: SpawnError.self) { try files.raised(for: 33, usual: 200) }
        #expect(error?.description.contains("ask for at most 32 here") == true)
        #expect(throws: SpawnError.self) { try files.raised(for: .max, usual: 200) }
        let none = #expect(throws: SpawnError.self) {
            try OpenFiles(soft: 8, hard: 8, open: 20).raised(for: 1, usual: 8)
        }
        #expect(none?.description.hasPrefix("cannot start a worker: ") == true, "\(String(describing: none))")
        #expect(none?.description.contains("there is room for none here: raise that limit") == true)
    }
}
