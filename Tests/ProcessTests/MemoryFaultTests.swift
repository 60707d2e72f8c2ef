import Testing

@Suite("Maps for which there is no room", .serialized)
struct MemoryFaultTests {
    @Test("what does not fit into segments is an error that says how much there is, and how to have more")
    func outOfMemory() async throws {
        let run = try await drive("out-of-memory", limit: 60)
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
        let kinds = [
            "capture": "LinkError", "element": "LinkError", "result": "ClusterError", "later result": "ClusterError",
            "call": "LinkError", "call's result": "ClusterError", "shared array": "SharedMemoryError",
            "shared array there": "MapError", "stream": "LinkError",
        ]
        for (name, kind) in kinds {
            let text = run.value(name) ?? ""
            #expect(text.hasPrefix(kind), "\(name): \(run)")
            #expect(text.contains("no room for 104857600 bytes of shared memory: "), "\(name): \(run)")
            #expect(text.contains(" of at most 67108864 are in use; drop shared arrays"), "\(name): \(run)")
            #expect(run.value("\(name) then") == "true true [2, 3]", "\(name): \(run)")
        }
    }

    @Test("a worker whose ring is full while its body runs is neither lost nor in the way of a cancellation")
    func fullRingToWorker() async throws {
        let run = try await drive("full-ring-to-worker")
        #expect(run.value("elements") == "true", "\(run)")
        #expect(run.value("cancelled")?.hasPrefix("CancellationError") == true, "\(run)")
        #expect(run.value("then") == "[1, 2, 3] [2]" && run.leftovers.isEmpty, "\(run)")
    }

    @Test("a worker that ends while its ring is full takes nothing with it", arguments: ["kill", "stop"])
    func fullRingLost(how: String) async throws {
        let run = try await drive("full-ring-lost", how)
        #expect(run.value("results") == "true [3]" && run.leftovers.isEmpty, "\(run)")
    }

    @Test("answers that fill the ring come, however slowly they are read, and whatever goes the other way")
    func fullRingFromWorker() async throws {
        let run = try await drive("full-ring-from-worker")
        for name in ["slow to read", "both ways", "both ways at once", "handler"] {
            #expect(run.value(name) == "true", "\(name): \(run)")
        }
        #expect(run.value("taken one by one") == "16 [2, 3]" && run.leftovers.isEmpty, "\(run)")
    }

    @Test("a host without room for what a map captures says so, and goes on")
    func remote() async throws {
        let run = try await drive("remote-memory")
        #expect(run.value("small") == "[1000000, 1000000]", "\(run)")
        #expect(run.value("large")?.contains("no room for 128000000 bytes of shared memory") == true, "\(run)")
        #expect(run.value("goes on") == "[1000000, 1000000] [2]", "\(run)")
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
    }
}
