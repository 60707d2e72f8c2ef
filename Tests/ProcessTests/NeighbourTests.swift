import Foundation
import Testing

@Suite("Workers of one host that talk to each other", .serialized)
struct NeighbourTests {
    @Test("a worker links to another by its process; who dies ends the link, and nothing is left of it")
    func links() async throws {
        let run = try await drive("neighbours")
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
        // Six frames of bytes, three with an array.
        #expect(run.value("came back") == "9" && run.value("arrays stayed") == "true", "\(run)")
        #expect(run.value("the other knows") == "[2]", "\(run)")
        for name in ["driver", "init", "nobody"] {
            #expect(run.value(name)?.contains("no worker that the same process started") == true, "\(run)")
        }
        // Whichever process noticed that first.
        #expect(run.value("dead")?.contains("ended") == true, "\(run)")
        #expect(run.value("self")?.contains("it is this one") == true, "\(run)")
        #expect(run.lines.contains("ended with the other"), "\(run)")
        for name in ["files as before", "memory as before", "files here as before"] {
            #expect(run.value(name) == "true", "\(run)")
        }
    }

    @Test("a worker that does not answer is waited for 10 s, or until the task is cancelled")
    func silence() async throws {
        let run = try await drive("silent-neighbour")
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
        #expect(run.value("cancelled")?.contains("the task that waited for it was cancelled") == true, "\(run)")
        #expect(run.value("silent")?.contains("it has not answered within 10 s") == true, "\(run)")
        // The links that it finds then have ended already; it goes on.
        #expect(run.value("afterwards") == "true" && run.value("files as before") == "true", "\(run)")
    }

    @Test("20 workers link to each other all at once, and part again")
    func all() async throws {
        let run = try await drive("many-neighbours", "20", limit: 300)
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
        // Each of 20 to each of 19.
        #expect(run.value("answers") == "380" && run.value("known") == "380 ended 380", "\(run)")
        #expect(run.value("files as before") == "true", "\(run)")
    }

    @Test(
        "jobs run on the thread of bodies in their order, between and beside the driver's calls, and none is left lying"
    )
    func jobs() async throws {
        let run = try await drive("jobs")
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
        #expect(run.value("one after the other") == "2000" && run.value("beside calls") == "2000", "\(run)")
        #expect(run.value("on the thread of bodies") == "true", "\(run)")
        #expect(run.value("sum") == "\((1...500).reduce(0, +))", "\(run)")
        #expect(run.value("after the body") == "true" && run.value("ran") == "1", "\(run)")
    }
}
