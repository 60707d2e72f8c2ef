import Testing

@Suite("pmap's forms over worker processes", .serialized)
struct MapFormsTests {
    private func expect(_ scenario: String, _ expected: [String: String], limit: Double = 60) async throws {
        let run = try await drive(scenario, limit: limit)
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
        for (name, value) in expected { #expect(run.value(name) == value, "\(name): \(run)") }
    }

    @Test("elements are read as they are needed, whatever the sequence")
    func lazyElements() async throws {
        try await expect(
            "lazy-elements",
            [
                "in order": "true", "read": "400 before the last true", "range": "3000000 8999997",
                "closed": "[5, 6, 7, 8, 9]", "lazy": #"["a!?", "b!?", "c!?"]"#, "set": "[1, 2, 3]", "none": "[]",
            ])
    }

    @Test("elements may come asynchronously, and fail to")
    func asynchronousElements() async throws {
        try await expect(
            "asynchronous-elements", ["doubled": "true", "later": "true", "torn": "Torn Torn()", "after": "[1]"])
        let run = try await drive("asynchronous-elements")
        #expect(run.value("while waiting")?.hasPrefix("MapError [0] of 1") == true, "\(run)")
    }

    @Test("results come while the map is under way, in order or not, and no further ahead than allowed")
    func streams() async throws {
        try await expect(
            "streams",
            [
                "ordered": "true", "unordered": "5000 true", "arriving": "5050", "left early": "[1]",
                "failure": "[50]", "while waiting": "[0]", "ahead": "true",
            ])
    }

    @Test("a stream over a million elements takes no more memory than over the first tenth")
    func streamMemory() async throws {
        let run = try await drive("stream-memory", limit: 90)
        #expect(run.value("sum") == "500000", "\(run)")
        let more = run.value("kilobytes more").flatMap { Int($0) }
        #expect(try #require(more, "\(run)") < 20_000, "\(run)")
    }

    @Test("several inputs are taken side by side, up to the end of the shortest")
    func severalInputs() async throws {
        try await expect(
            "several-inputs",
            [
                "two": #"["1a", "2b"]"#, "two capturing": "[50, 70, 90]", "two async": "[3, 8]",
                "three": #"["1a0.5", "2b1.5"]"#, "three capturing": "[10]",
            ])
    }

    @Test("a body may take whole batches, of shared arrays too")
    func batchBodies() async throws {
        try await expect("batch-bodies", ["roots": "true", "scaled": "true", "halves": "true 1000000"])
        let run = try await drive("batch-bodies")
        #expect(run.value("fails")?.hasPrefix("MapError [5, 6, 7, 8, 9] of 10") == true, "\(run)")
    }

    @Test("a map that is not distributed runs here, and fails like others")
    func inProcess() async throws {
        try await expect(
            "in-process",
            ["here": "true", "capturing": "[1.0, 2.0]", "async": "[0, 1, 4, 9, 16]", "handled": "[0, -1, 2]"])
        let run = try await drive("in-process")
        #expect(run.value("fails")?.hasPrefix("MapError [4] of 10") == true, "\(run)")
        #expect(run.value("distributed")?.contains("no workers") == true, "\(run)")
    }

    @Test("maps within bodies and handlers come to their ends")
    func nested() async throws {
        try await expect("nested-maps", ["sums": "[55, 210, 465, 820]", "handlers": "[0, 1, 200, 3]"])
    }

    @Test("a cancelled map ends within 50 ms, whatever its bodies do")
    func cancellation() async throws {
        try await expect(
            "cancel-quickly",
            [
                "synchronous": "true true", "asynchronous": "true true", "lazy": "true true",
                "after": "[0, 1, 2, 3]",
            ])
    }
}
