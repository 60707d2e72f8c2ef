import Testing

@Suite("Maps whose elements fail and whose workers end", .serialized)
struct MapFaultTests {
    @Test(
        "a worker that ends takes nothing with it: the others do what it had",
        arguments: ["killed", "killed-async", "exits-by-itself", "stopped"])
    func goesOn(how: String) async throws {
        let run = try await drive(how)
        let left = ["killed": "[2, 4]", "killed-async": "[2, 4]", "exits-by-itself": "[3, 4]", "stopped": "[3]"]
        #expect(run.value("results") == "true \(left[how] ?? "")", "\(run)")
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
    }

    @Test("a map whose workers have all ended says so, and how the last one did")
    func nobodyLeft() async throws {
        let run = try await drive("all-die")
        for name in ["all", "with a handler"] {
            let text = run.value(name) ?? ""
            #expect(
                text.hasPrefix("ClusterError no worker is left for 100 of 100 elements; the last of them: worker ")
                    && text.hasSuffix("exited with status 7"), "\(run)")
        }
        #expect(run.value("workers") == "[]" && run.leftovers.isEmpty, "\(run)")
    }

    @Test("an element that ends three workers is reported, alone; all others are there, in order")
    func poison() async throws {
        let run = try await drive("poison", "5", "10")
        #expect(run.value("others") == "true" && run.value("told") == "[7] [3]", "\(run)")
        #expect(run.value("error")?.hasPrefix("PoisonError 3 workers ended while they had element 7") == true, "\(run)")
        #expect(run.value("error")?.contains("was ended by signal") == true, "\(run)")
        #expect(run.output.contains("Fatal error: seven") && run.value("died") == "3", "\(run)")
    }

    @Test("an element that ends all workers is among the last to be tried, and its failure is one like any other")
    func poisonForTwo() async throws {
        let run = try await drive("poison", "2", "1")
        // Those that a worker had together with it may be left, too; a worker has two at a time here, or a few more.
        let told = run.value("told")?.split(separator: "]").first?.dropFirst().split(separator: ", ") ?? []
        #expect(run.value("others") == "true" && told.contains("7") && told.count <= 20, "\(run)")
        #expect(run.value("error")?.hasPrefix("ClusterError no worker is left for ") == true, "\(run)")
        #expect(run.value("died") == "2", "\(run)")
    }

    @Test("without a handler, an element that ends its workers ends the map")
    func poisonUnhandled() async throws {
        let run = try await drive("poison-unhandled")
        let text = run.value("poison") ?? ""
        #expect(text.hasPrefix("MapError [7] of 500: PoisonError 3 workers ended while they had element 7"), "\(run)")
        #expect(run.value("left") == "2", "\(run)")
    }

    @Test("without retries nothing is given out twice: what a worker had has failed with it")
    func noRetries() async throws {
        let run = try await drive("no-retries")
        #expect(run.value("told seven") == "true true" && run.value("others") == "true", "\(run)")
        #expect(run.value("error")?.contains("cause=exited(status: 9)") == true, "\(run)")
        #expect(run.value("left") == "1" && run.value("delays") == "true", "\(run)")
    }

    @Test("handlers work with all forms of pmap, and give results for what failed")
    func handlers() async throws {
        let run = try await drive("handlers")
        let expected = [
            "as designed": "[Optional(1), nil, Optional(3), nil]", "trailing": "[1, -1, 3, -1]",
            "where": "[1, 101, 3, 301]", "capturing": "[10, 0, 30, 0]", "async": "[1, -2, 3, -2]",
            "pairs": "[-3, 3]", "stored": "[1, -4, 3, -4]", "every second": "true",
        ]
        for (name, value) in expected { #expect(run.value(name) == value, "\(name): \(run)") }
        #expect(run.value("rethrown")?.hasPrefix("MapError [1, 3] of 4: RemoteError ") == true, "\(run)")
    }

    @Test("elements are tried again as often as there are delays, if the check agrees and onError gave nothing")
    func retries() async throws {
        let run = try await drive("retries")
        #expect(run.value("in the end") == "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]", "\(run)")
        #expect(run.value("used up")?.hasPrefix("3 MapError [0] of 1") == true, "\(run)")
        #expect(run.value("checked")?.hasPrefix("3 MapError [0] of 1") == true, "\(run)")
        #expect(run.value("handler first") == "[3, -1, 1, -3, 3, -5] [0, 0, 0, 2, 4, 4, 4]", "\(run)")
    }

    @Test("the error has all elements that failed; those not begun are not begun")
    func manyFailures() async throws {
        let run = try await drive("many-failures")
        #expect(run.value("all")?.hasPrefix("MapError [0, 3, 6, 9] of 10: RemoteError ") == true, "\(run)")
        #expect(run.value("all")?.contains(#"OutOfInk(colour: "0")"#) == true, "\(run)")
        #expect(run.value("batches") == "true true", "\(run)")
        #expect(run.value("slow ones") == "true" && run.value("afterwards") == "[1, 2, 3]", "\(run)")
    }

    @Test("a worker that is added during a map takes part in it, if the map has no pool of its own")
    func joins() async throws {
        let run = try await drive("joins")
        #expect(run.value("given to it") == "true" && run.value("pool") == "[2]", "\(run)")
    }

    @Test("a pool whose workers have left in part maps over the rest")
    func departed() async throws {
        let run = try await drive("departed")
        #expect(run.value("those there") == "[2, 4]", "\(run)")
        #expect(run.value("none")?.contains("no worker of the pool is there: 2, 3, 4") == true, "\(run)")
    }

    @Test("a map with failures can be cancelled while it waits for their next attempt")
    func cancelled() async throws {
        let run = try await drive("cancelled-retry")
        #expect(run.value("cancelled")?.hasPrefix("CancellationError") == true, "\(run)")
    }

    @Test("handlers that run when their map is cancelled are cancelled with it")
    func cancelledHandler() async throws {
        let run = try await drive("cancelled-handler")
        #expect(run.value("cancelled")?.hasPrefix("CancellationError") == true, "\(run)")
        #expect(run.value("told") == #"true ["inner true", "outer true"]"#, "\(run)")
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
    }
}
