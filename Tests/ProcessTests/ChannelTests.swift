import Testing

@Suite("Channels", .serialized)
struct ChannelTests {
    @Test("hold so many values, in their order, until they are closed", arguments: ["direct", "relayed", "memory"])
    func channels(links: String) async throws {
        let run = try await drive("channels", links)
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
        for name in ["full", "nothing to take", "nothing to see", "nothing to wait for"] {
            #expect(run.value(name)?.hasPrefix("DeadlineExceeded worker 2 ") == true, "\(name): \(run)")
        }
        #expect(run.value("first") == "0 0 true" && run.value("rest") == "[1, 2, 3, 4, 5, 6, 7, 8, 9]", "\(run)")
        #expect(run.value("empty") == "false" && run.value("arrived") == "7" && run.value("left") == "8", "\(run)")
        for name in ["closed put", "closed take"] {
            #expect(run.value(name) == "ReferenceError the channel is closed", "\(name): \(run)")
        }
        #expect(run.value("closed elsewhere")?.contains("the channel is closed") == true, "\(run)")
        #expect(run.value("iterated") == "[]", "\(run)")
    }

    @Test("may be on any process, are passed on, and found by their names", arguments: ["direct", "relayed", "memory"])
    func owners(links: String) async throws {
        let run = try await drive("channel-owners", links)
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
        for owner in 1...3 {
            #expect(run.value("on \(owner)") == "\(owner) of 2 of 3", "\(run)")
            let found = (1...3).map { $0 == owner }
            #expect(run.value("found on \(owner)") == "\(found) found", "\(run)")
        }
        // Whoever looks into one without room leaves the put waiting.
        #expect(run.value("given") == "3 2 [1, 2] false" && run.value("handed over") == "[1, 2]", "\(run)")
        #expect(run.value("answer") == "42" && run.value("large") == "[100000.0, 200000.0, 300000.0]", "\(run)")
    }

    @Test(
        "carry each value once, and those of one producer in their order, between many producers and consumers",
        arguments: ["direct", "relayed", "memory"])
    func producers(links: String) async throws {
        let run = try await drive("producers", links, limit: 240)
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
        for owner in [2, 4, 1] { #expect(run.value("on \(owner)") == "6000 true true", "\(run)") }
    }

    @Test("lose no value when whoever takes gives up", arguments: ["direct", "relayed", "memory"])
    func cancelled(links: String) async throws {
        let run = try await drive("cancelled-takes", links)
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
        #expect(run.value("taken")?.hasPrefix("true") == true && run.value("nothing left") == "true", "\(run)")
    }

    @Test("get back the places of a process that is killed", arguments: ["direct", "relayed"])
    func killed(links: String) async throws {
        let run = try await drive("consumer-killed", links)
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
        for owner in [1, 2] { #expect(run.value("on \(owner)") == "false \(Array(0..<16))", "\(run)") }
        #expect(run.value("killed")?.hasPrefix("WorkerExited worker=4") == true, "\(run)")
        #expect(run.value("full")?.hasPrefix("DeadlineExceeded") == true, "\(run)")
    }

    @Test("may be of a kind of one's own, made where they are", arguments: ["direct", "relayed", "memory"])
    func ownKind(links: String) async throws {
        let run = try await drive("own-channel", links)
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
        #expect(run.value("full")?.contains("Full()") == true, "\(run)")
        #expect(run.value("last") == "3 3 true" && run.value("elsewhere") == "[9, 2, 1] false", "\(run)")
        #expect(run.value("in vain")?.hasPrefix("DeadlineExceeded") == true, "\(run)")
        #expect(run.value("waited") == "5" && run.value("found") == "1", "\(run)")
        for name in ["not here", "another kind"] {
            #expect(run.value(name)?.contains("has no such channel") == true, "\(name): \(run)")
        }
        #expect(run.value("closed")?.contains("ReferenceError") == true, "\(run)")
        #expect(run.value("not made")?.contains("Full") == true, "\(run)")
    }
}
