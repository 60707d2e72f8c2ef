import Testing

@Suite("What a body sees of its call", .serialized)
struct BodyTests {
    @Test(
        "an element's random numbers are its seed's and place's, however the map is done", arguments: ["1", "2", "5"])
    func random(workers: String) async throws {
        let run = try await drive("random", workers)
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
        for size in ["1", "3", "automatic", "100"] {
            for here in ["true", "false"] {
                for name in ["sync", "async", "index"] {
                    #expect(run.value("\(name) \(size) \(here):") == "true", "\(name) \(size) \(here): \(run)")
                }
            }
            #expect(run.value("batches \(size):") == "true", "\(run)")
        }
        #expect(run.value("retried:") == "true" && run.value("call:") == "true", "\(run)")
        #expect(run.value("outside:") == "true 1 false", "\(run)")
    }

    @Test("maps without a seed draw the same numbers in the same program, and never the same as another")
    func seeds() async throws {
        let run = try await drive("seeds")
        #expect(run.value("again:") == "true" && run.value("apart:") == "true", "\(run)")
    }

    @Test("a body knows which attempt it is, after errors and after workers that ended")
    func attempts() async throws {
        let run = try await drive("attempts")
        #expect(run.value("errors:") == "[1, 2, 3, 1, 2, 3]", "\(run)")
        #expect(run.value("ends:") == "[0, 2, 0, 0]", "\(run)")
    }

    @Test("a body that does not suspend sees that its call was cancelled, and the worker goes on")
    func isCancelled() async throws {
        let run = try await drive("isCancelled")
        for name in ["cancelled false:", "cancelled true:", "call:"] {
            #expect(run.value(name)?.hasPrefix("CancellationError") == true, "\(run)")
        }
        #expect(run.value("afterwards:") == "[1, 2, 3] [2]" && run.leftovers.isEmpty, "\(run)")
    }

    @Test("an interrupt ends the body that runs, and nothing else; managers are told")
    func interrupts() async throws {
        let run = try await drive("interrupts")
        #expect(run.value("element false:") == "[0, 100, 2, 3]", "\(run)")
        #expect(run.value("element true:") == "[0, 100, 2, 3]", "\(run)")
        #expect(run.value("async:") == "2" && run.value("there:") == "[2]", "\(run)")
        #expect(run.value("nobody:")?.contains("there is no worker 7") == true, "\(run)")
        let events = run.output.split(separator: "\n").filter { $0.hasPrefix("event ") }.map { $0.dropFirst(6) }
        #expect(
            events == [
                "2 registered", "2 interrupted", "2 interrupted", "2 interrupted", "2 deregistered", "2 finalized",
            ], "\(run)")
    }

    @Test("what a worker runs for another goes on after an interrupt with the next element, and costs nobody")
    func interruptsOthers() async throws {
        let run = try await drive("interruptsOthers")
        #expect(run.value("goes on:") == "[100, 1, 2] [2, 3]" && run.leftovers.isEmpty, "\(run)")
    }

    @Test(
        "a body that does not suspend and goes on after its cancellation costs its worker, in whose place another comes",
        arguments: ["cancel", "deadline", "interrupt"])
    func graces(how: String) async throws {
        let run = try await drive("graces", how)
        let stubborn = run.value("stubborn:") ?? ""
        switch how {
        case "cancel": #expect(stubborn.hasPrefix("CancellationError"), "\(run)")
        case "deadline": #expect(stubborn.hasPrefix("DeadlineExceeded"), "\(run)")
        default: #expect(stubborn.contains("cause=unresponsive(seconds: 0.3"), "\(run)")
        }
        let behind = run.value("behind:") ?? ""
        #expect(behind.hasPrefix("WorkerExited worker=2 host=true cause=unresponsive(seconds: 0.3"), "\(run)")
        #expect(run.value("map:") == "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]", "\(run)")
        #expect(run.value("another:") == "[3] true", "\(run)")
        #expect(run.value("failed map:")?.hasPrefix("MapError [0] of 2: RemoteError") == true, "\(run)")
        #expect(run.value("both there:") == "[2, 3]", "\(run)")
        #expect(run.value("patient:")?.hasPrefix("CancellationError") == true, "\(run)")
        #expect(run.value("stays:") == "[2]" && run.status == 0 && run.leftovers.isEmpty, "\(run)")
    }

    @Test("what takes longer than its deadline has failed, and goes the way of other failures")
    func deadlines() async throws {
        let run = try await drive("deadlines")
        #expect(run.value("call:") == "2 true 0.1 seconds true" && run.value("in time:") == "5", "\(run)")
        #expect(run.value("second attempts:") == "[1, 2, 1, 1, 2, 1]", "\(run)")
        #expect(run.value("same workers:") == "[2, 3]", "\(run)")
        #expect(run.value("async:") == #"[0, 1, 2, 3, -1, 5] ["4 4 true"]"#, "\(run)")
        #expect(run.value("stubborn:") == "[-1, 1, 2, 3, 4, -1, 6, 7]", "\(run)")
        #expect(run.value("unhandled:")?.hasPrefix("MapError [1] of 2: DeadlineExceeded") == true, "\(run)")
        #expect(run.value("streamed:") == "[0, 1, 4, 3]", "\(run)")
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
    }
}
