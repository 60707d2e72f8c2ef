import Testing

@Suite("distributed loops and reductions over worker processes", .serialized)
struct DistributedTests {
    @Test("a reduction has the same bits for any number of workers, over ranges, elements and streams")
    func reductions() async throws {
        let run = try await drive("reductions")
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
        for line in ["integers true", "in order true", "one 7"] {
            #expect(run.lines.count { $0 == line } == 3, "\(line): \(run)")
        }
        #expect(run.value("none")?.contains("nothing to reduce") == true, "\(run)")
        #expect(run.value("throws")?.contains("index=700") == true, "\(run)")
        #expect(run.value("same bits") == "true" && run.value("streamed") == "true true", "\(run)")
    }

    @Test("parts of a worker that ended are done again by others; who ends all is an error")
    func faults() async throws {
        let run = try await drive("reduction-faults")
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
        #expect(run.value("one died") == "true 2", "\(run)")
        #expect(run.value("all die")?.contains("WorkerExited") == true, "\(run)")
    }

    @Test("a body maps and reduces over all workers, its own among them")
    func inWorkers() async throws {
        let run = try await drive("maps-in-workers")
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
        #expect(run.value("squares") == "true" && run.value("sum") == "499500", "\(run)")
        #expect(run.value("any") == "[2, 3, 4]", "\(run)")
    }

    @Test("a body runs everywhere, values stay where they were defined, and a channel may be of any kind")
    func everywhere() async throws {
        let run = try await drive("everywhere-and-piles")
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
        #expect(run.value("values") == #"["x1", "x2", "x3"]"#, "\(run)")
        #expect(run.value("later") == "7 of 4", "\(run)")
        #expect(run.value("cleared")?.contains("not defined on worker 2") == true, "\(run)")
        #expect(run.value("several fail")?.contains("CompositeError 2 errors") == true, "\(run)")
        #expect(run.value("pile") == "(3, 3, 2, true)", "\(run)")
    }
}
