import Testing

@Suite("Workers that die, and who comes in their place")
struct RestartTests {
    @Test("one that dies has a successor in its place, for whom a map waits")
    func successor() async throws {
        let run = try await drive("restarts")
        #expect(run.value("map") == "[0, 2, 4, 6, 8]", "\(run)")
        #expect(run.value("successor") == "[3]" && run.value("same place") == "true", "\(run)")
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
    }

    @Test("the successor takes part in the map in which the other died")
    func inMap() async throws {
        let run = try await drive("restarts-in-map")
        #expect(run.value("all") == "true" && run.value("took part") == "true", "\(run)")
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
    }

    @Test("not over and over: after so many within a minute it is said, and the map fails for want of workers")
    func limit() async throws {
        let run = try await drive("restart-limit")
        #expect(run.value("died")?.hasPrefix("3 ClusterError") == true, "\(run)")
        #expect(run.errors.contains("ended 3 times within a minute"), "\(run)")
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
    }

    @Test("one that was removed, or left with status 0, has no successor")
    func leaving() async throws {
        let run = try await drive("no-restart-on-leaving")
        #expect(run.value("left") == "[3]" && run.value("exited") == "[]", "\(run)")
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
    }
}
