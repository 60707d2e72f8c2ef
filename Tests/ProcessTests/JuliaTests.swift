import Testing

/// What Julia's `Distributed` documents and no other test shows, over real processes; `ComingFromJulia.md` refers to them.
@Suite("What Julia's Distributed does", .serialized)
struct JuliaTests {
    /// Runs a scenario that must come to its end, and holds the lines that it says.
    @discardableResult
    private func expect(_ arguments: String..., says expected: [String: String]) async throws -> DriverRun {
        let run = try await Driver(arguments).end()
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
        for (name, value) in expected { #expect(run.value(name) == value, "\(name): \(run)") }
        return run
    }

    /// Holds that lines have certain parts.
    private func expect(_ run: DriverRun, has parts: [String: String]) {
        for (name, part) in parts { #expect(run.value(name)?.contains(part) == true, "\(name): \(run)") }
    }

    @Test("processes have numbers, of which the driver's is 1, and know them all")
    func processes() async throws {
        let run = try await expect(
            "julia-processes",
            says: [
                "alone": "1 0 [1] []", "added": "[2, 3]", "counts": "3 2 [1, 2, 3] [2, 3]",
                "host": "[1, 2, 3] [1, 2, 3]",
                "here": "1 1", "there": "[1, 2, 3]", "seen from 3:": "3 3 2 [2, 3] [1, 2, 3]",
            ])
        expect(run, has: ["stranger": "there is no worker 9"])
    }

    @Test("workers can be used as they come, and waited for")
    func arrivals() async throws {
        try await expect("julia-arrivals", says: ["one by one": "[2, 3] [2, 3]", "timed wait": "true false"])
    }

    @Test("workers are removed at once, later, or within a time; by the driver only")
    func removals() async throws {
        let run = try await expect(
            "julia-removals",
            says: [
                "removed": "[3, 4, 5]", "scheduled": "true [4, 5]", "ended": "true [5]", "still there": "[5]",
            ])
        expect(
            run,
            has: ["late": "ClusterError", "its call": "there is no worker 4", "from a worker": "RemoteError worker=5"])
    }

    @Test("calls are kept, waited for, fetched or forgotten, on a process or a pool's free worker")
    func calls() async throws {
        let run = try await expect(
            "julia-calls",
            says: [
                "call": "6", "call on pool": "6", "wait": "true 3", "wait on pool": "2 true", "fetch": "2.0",
                "fetch on pool": "2", "do": "3", "do on pool": "2", "after it": "1",
            ])
        expect(run, has: ["throws": "RemoteError worker=2 host=true index=none type=muster_test_program.DomainError"])
        #expect(run.errors.contains("nothing that anybody waits for"), "\(run)")
    }

    @Test("spawn and fetch are Julia's macros: somewhere, at a process, or in a pool")
    func macros() async throws {
        let run = try await expect(
            "julia-macros",
            says: [
                "spawn at": "2", "spawn anywhere": "true", "spawn any": "true", "spawn in pool": "3",
                "spawn async": "12",
                "spawn stored": "42", "fetch from": "3", "fetch anywhere": "true", "fetch from pool": "3",
                "fetch async": "aa",
                "fetch stored": "8",
            ])
        expect(
            run,
            has: [
                "spawn throws": "RemoteError worker=2", "spawn nowhere": "there is no worker 9",
                "spawn hidden": "BodyError", "fetch throws": "RemoteError worker=2", "fetch late": "DeadlineExceeded",
                "fetch hidden": "BodyError",
            ])
    }

    @Test("a future is waited for, fetched again and again, given its value once, and passed on")
    func futures() async throws {
        let run = try await expect(
            "julia-futures",
            says: [
                "result": "true [21, 2] [21, 2]", "name": "2 1", "made by another": "3 2 5", "empty": "false",
                "put": "true 4", "passed": "[21, 2]", "here": "1 mine",
            ])
        expect(
            run,
            has: [
                "not yet": "DeadlineExceeded", "put again": "this future has its value already",
                "its process ends": "WorkerExited worker=2",
            ])
    }

    @Test("a channel is put into, taken from, looked at and closed from anywhere, and used where it is by its name")
    func channels() async throws {
        let run = try await expect(
            "julia-channels",
            says: [
                "empty": "false 2", "first": "true 1", "taken": "1 2 false", "waited for": "9", "where it is": "7",
                "rest": "7", "here": "1 one", "stack": "3 3 2 true",
            ])
        expect(
            run,
            has: [
                "full": "DeadlineExceeded", "nothing": "DeadlineExceeded", "where it is not": "ReferenceError",
                "put when closed": "the channel is closed", "take when closed": "the channel is closed",
                "holds one": "DeadlineExceeded", "stack closed": "an open stack",
            ])
    }

    @Test("a pool has its workers taken and put back, and may be the one of all maps")
    func pools() async throws {
        try await expect(
            "julia-pools",
            says: [
                "two": "2 true [2, 3]", "taken": "[2, 3] false", "waited": "true 3", "one": "1 2", "default": "[2, 3]",
                "set": "[3] 3", "set back": "[2, 3]", "function": "6", "caching": "1 2 1", "cleared": "0",
            ])
    }

    @Test("what is done everywhere is done in the driver too, and in workers that come later if that is wanted")
    func everywhere() async throws {
        let run = try await expect(
            "julia-everywhere",
            says: [
                "marks": "[1, 11, 11]", "defined": "[5, 10, 15]", "cleared": "[5, 0, 15]",
                "cleared all": "[true, true, true]", "later": "[100]", "later too": "[4]",
            ])
        let errors = run.lines.filter { $0.hasPrefix("error ") }
        #expect(errors.count == 2 && errors[0].contains("worker=1") && errors[1].contains("worker=3"), "\(run)")
        expect(run, has: ["cleared there": "is not defined on worker 2"])
    }

    @Test("what runs at the same time is waited for together, with all errors")
    func groups() async throws {
        let run = try await expect("julia-groups", says: ["at the same time": "2 3", "in tasks": "[2, 3]"])
        expect(run, has: ["two of three": "CompositeError"])
    }

    @Test("a topology says which workers call each other", arguments: ["all", "eager", "driver", "custom"])
    func topologies(name: String) async throws {
        let mayCall = name == "all" || name == "eager"
        let run = try await expect("julia-topology", name, says: ["driver": "1"])
        #expect(run.value("answer") == (mayCall ? "3" : nil), "\(run)")
        expect(run, has: ["between workers": mayCall ? "no error" : "RemoteError worker=2"])
    }

    @Test("in a topology of one's own, workers call those that either of the two names")
    func names() async throws {
        let run = try await expect("julia-names", says: ["2 to 3:": "no error", "3 to 2:": "no error"])
        expect(run, has: ["2 to 4:": "RemoteError worker=2", "4 to 2:": "RemoteError worker=4"])
    }

    @Test("the first example of the page maps over local workers")
    func firstExample() async throws {
        // The sum of the first n squares is n (n + 1) (2 n + 1) / 6.
        try await expect("julia-map", says: ["squares": "338350"])
    }

    @Test("the examples of the page do what they say")
    func snippets() async throws {
        let run = try await expect(
            "julia-snippets",
            says: [
                "sums": "500001.0 500100.0", "roots": "4.0 2.0", "ran on": "2 3 true", "results": "650",
                "heads": "true",
                "scores": "[5.0, 10.0]", "errors": "2", "replaced": "[2.0, nan, 3.0]", "pool": "0.75 49",
                "left": "[2, 3] 3",
            ])
        for line in ["waited for", "not waited for", "element 0", "element 3"] {
            #expect(run.output.contains(line), "\(run)")
        }
        for process in 1...3 { #expect(run.output.contains("process \(process) has weight 5.0"), "\(run)") }
    }
}
