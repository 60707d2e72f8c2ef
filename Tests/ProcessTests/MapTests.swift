import Testing

@Suite("pmap over worker processes", .serialized)
struct MapTests {
    @Test("results come in the order of the input, whatever the batches")
    func order() async throws {
        let run = try await drive("order")
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
        #expect(run.value("workers") == "[2, 3]")
        #expect(run.value("squares") == "[1, 4, 9, 16, 25, 36, 49, 64, 81, 100]")
        for name in ["10000 in order", "batches of 1", "batches of 7", "batches of 9999", "batches of 20000"] {
            #expect(run.value(name) == "true", "\(name): \(run)")
        }
        #expect(run.value("empty") == "[]")
        #expect(run.value("one") == "[5]")
        #expect(run.value("both take part") == "true")
        #expect(run.value("driver") == "1")
        #expect(run.value("struct") == "[3.0]")
    }

    @Test("elements, results and captures take all their forms")
    func forms() async throws {
        let run = try await drive("forms")
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
        let expected = [
            "zip": #"["1a", "2b"]"#, "zip pair": #"["1a", "2b"]"#, "zip capturing": "[40, 60]",
            "zip async": #"["1a", "2b"]"#, "enumerated": #"["0a", "1b"]"#, "enumerated $0": "[7, 108]",
            "enumerated async": #"["0a"]"#, "dictionary": #"["k1"]"#, "dictionary $0": #"["k"]"#,
            "dictionary capturing": #"["k10"]"#, "labelled": #"["x1", "y2"]"#, "triple": #"[(1, "a", 2.5)]"#,
            "quadruple": #"[(true, 2.5, "a", 1)]"#, "nested": #"[([2], (1, "a"))]"#, "named result": "2 4",
            "optional": "[Optional(1), nil, Optional(3)]", "void": "3", "pairs of nothing": "3",
            "many captures": #"["11a[2.0]", "21a[2.0]"]"#, "RemoteFunction": "[3, 6, 9]",
            "RemoteFunction capturing": "[6, 7, 8]", "RemoteFunction call": "9", "RemoteFunction async": "[0, 1, 2]",
            "wrapped": "[1000, 2000]", "call": "true true", "call by number": "3", "call capturing": "6",
            "call async": "6",
        ]
        for (name, value) in expected {
            #expect(run.lines.contains("\(name) \(value)"), "\(name): \(run)")
        }
    }

    @Test("asynchronous bodies of one batch run at the same time, and so do two maps")
    func concurrent() async throws {
        let run = try await drive("concurrent-bodies")
        #expect(run.value("met") == "[true, true]", "\(run)")
        #expect(run.value("two maps at once") == "true", "\(run)")
    }

    @Test("elements of 5 MiB and captures of 80 MB arrive whole")
    func large() async throws {
        let run = try await drive("large", limit: 120)
        #expect(run.value("5 MiB each way") == "true", "\(run)")
        #expect(run.value("80 MB captured") == "[10000002.0, 10000003.0, 10000004.0, 10000005.0]", "\(run)")
    }

    @Test("captures on their way to many workers are in memory once, not once for each")
    func captureMemory() async throws {
        let run = try await drive("capture-memory", limit: 90)
        #expect(run.value("counts") == "[5000000]", "\(run)")
        let kilobytes = run.value("most memory")?.split(separator: " ").first.flatMap { Int($0) }
        // The table, its encoding, and the program: 40 MB each at most. Eight copies would be 320 MB more.
        #expect(try #require(kilobytes, "\(run)") < 200_000, "\(run)")
    }

    @Test("64 workers share one map")
    func manyWorkers() async throws {
        let run = try await drive("many-workers", "64", limit: 90)
        #expect(run.value("workers") == "64 took part 64", "\(run)")
        #expect(run.value("sum") == "49995000", "\(run)")
        #expect(run.leftovers.isEmpty, "\(run)")
    }

    @Test("a worker takes no more than five descriptors of the driver's, also while many start")
    func descriptors() async throws {
        let run = try await drive("many-workers", "64", limit: 90, shell: "ulimit -Sn 365; exec \"$@\"")
        #expect(run.value("workers")?.hasPrefix("64 ") == true, "\(run)")
    }

    @Test("a caching pool sends captures once to each worker, another pool with each map")
    func pools() async throws {
        let run = try await drive("pools")
        #expect(run.status == 0, "\(run)")
        #expect(run.value("caching") == "[1, 1] [1, 1]", "\(run)")
        #expect(run.value("cleared") == "[2, 2] [2, 2]", "\(run)")
        #expect(run.value("plain") == "[3, 3] [4, 4]", "\(run)")
        #expect(run.value("cluster's own") == "[5, 5] [5, 5]", "\(run)")
        #expect(run.value("other values") == "[6, 6]", "\(run)")
        #expect(run.value("one of two") == "[3]", "\(run)")
        #expect(run.value("empty pool")?.contains("has no workers") == true, "\(run)")
        #expect(run.value("unknown worker")?.contains("no worker of the pool is there: 99") == true, "\(run)")
    }

    @Test("a call on a pool waits for a worker that is free, has it for itself, and puts it back")
    func poolCalls() async throws {
        let run = try await drive("pool-calls")
        #expect(run.status == 0, "\(run)")
        #expect(run.value("at a time") == "1 2 true", "\(run)")
        #expect(run.value("thrown")?.contains("CancellationError") == true, "\(run)")
        #expect(run.value("all are back") == "2" && run.value("the other") == "true", "\(run)")
        #expect(run.value("any pool") == "21", "\(run)")
        #expect(run.value("one died") == "1 1 1" || run.value("one died") == "1 2 1", "\(run)")
        #expect(run.value("the last dies")?.contains("WorkerExited") == true, "\(run)")
        #expect(run.value("none is left")?.contains("the pool has no workers") == true, "\(run)")
    }

    @Test("workers come and go, each with a number of its own")
    func membership() async throws {
        let run = try await drive("membership")
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
        #expect(run.value("no workers")?.contains("the cluster has no workers; add some") == true, "\(run)")
        #expect(run.value("no worker to call")?.contains("the cluster has no workers; add some") == true, "\(run)")
        #expect(run.value("first") == "[2]")
        #expect(run.value("more") == "[3, 4] [2, 3, 4]")
        #expect(run.value("unknown")?.contains("there is no worker 99") == true, "\(run)")
        #expect(run.value("none removed") == "[2, 3, 4]")
        #expect(run.value("one removed") == "[2, 4]")
        #expect(run.value("numbers are not used again") == "[5]")
        #expect(run.value("removed")?.contains("there is no worker 3") == true, "\(run)")
        #expect(run.value("all removed")?.contains("the cluster has no workers") == true, "\(run)")
    }

    @Test("a worker that is removed answers first what it was asked")
    func drains() async throws {
        let run = try await drive("drains")
        #expect(run.value("answered before it left") == "12 [3]", "\(run)")
    }

    @Test("a removal that is cancelled waits for no body, and its calls fail")
    func impatientRemoval() async throws {
        let run = try await drive("impatient-removal", limit: 30)
        #expect(run.value("removed") == "[3]", "\(run)")
        #expect(run.value("call")?.contains("there is no worker 2") == true, "\(run)")
    }

    @Test("a worker that ends while it is being removed holds nobody up, and its call learns why")
    func diesWhileDraining() async throws {
        let run = try await drive("dies-while-draining")
        #expect(run.value("removed") == "[3]", "\(run)")
        #expect(
            run.value("call")?.hasPrefix("WorkerExited worker=2 host=true cause=exited(status: 5)") == true, "\(run)")
    }

    @Test("an answer that is followed by the worker's end arrives whole or not at all")
    func answersAndDies() async throws {
        let run = try await drive("answers-and-dies")
        #expect(run.value("outcomes") == "20 []" && run.value("all gone") == "true", "\(run)")
        #expect(run.leftovers.isEmpty, "\(run)")
    }

    @Test("workers are added and removed while a map runs, which goes on with those there are")
    func changesDuringMap() async throws {
        let run = try await drive("changes-during-map")
        #expect(run.value("added") == "[4]" && run.value("removed") == "[3, 4]", "\(run)")
        #expect(run.value("map") == "true", "\(run)")
    }

    @Test("a cluster kept beyond its withCluster refuses everything, and says so")
    func escapes() async throws {
        let run = try await drive("escapes")
        #expect(run.value("map")?.contains("the cluster is closed") == true, "\(run)")
        #expect(run.value("add")?.contains("the cluster is closed") == true, "\(run)")
        #expect(run.value("workers") == "[]" && run.leftovers.isEmpty, "\(run)")
    }

    @Test("clusters at the same time, inside one another and one after the other are apart")
    func twoClusters() async throws {
        let run = try await drive("two-clusters")
        #expect(run.value("at once") == "[10, 20, 30] [100, 200, 300]", "\(run)")
        #expect(run.value("nested") == "[7, 14, 5]", "\(run)")
        #expect(run.value("one after the other") == "[2, 4, 6]", "\(run)")
        #expect(run.leftovers.isEmpty, "\(run)")
    }

    @Test("an asynchronous body may have a cluster of its own in its worker")
    func clusterInWorker() async throws {
        let run = try await drive("cluster-in-worker")
        #expect(run.value("inner") == #"["1 in 2", "2 in 2", "3 in 2"]"#, "\(run)")
        #expect(run.value("outer") == "[(1, 2)]", "\(run)")
        #expect(run.leftovers.isEmpty, "\(run)")
    }

    @Test("a cancelled map returns promptly, and its workers are there for the next")
    func cancellation() async throws {
        let run = try await drive("cancelled-map")
        for name in ["already cancelled", "in the middle", "asynchronous"] {
            #expect(run.value(name)?.hasPrefix("CancellationError") == true, "\(name): \(run)")
        }
        #expect(run.value("promptly") == "true", "\(run)")
        #expect(run.value("afterwards") == "[1, 2, 3]", "\(run)")
        #expect(run.lines.contains { $0.hasSuffix("body cancelled") }, "\(run)")
    }
}
