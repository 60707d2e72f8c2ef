import Machine
import Testing

@Suite("Captures that are kept from one map to the next", .serialized)
struct CaptureTests {
    private func expect(_ scenario: String, _ expected: [String: String]) async throws {
        let run = try await drive(scenario, limit: 60)
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
        for (name, value) in expected { #expect(run.value(name) == value, "\(name): \(run)") }
    }

    @Test("an array goes to the host once; changed it is another, and cleared it is free everywhere")
    func caching() async throws {
        try await expect(
            "caching",
            [
                "limit": "true hits 0 misses 0 evictions 0 count 0 MB 0", "sent": "true 40",
                "kept": "hits 5 misses 1 evictions 0 count 1 MB 40 40 true", "changed": "true",
                "both": "hits 5 misses 2 evictions 0 count 2 MB 80 80", "equal": "true",
                "third": "hits 5 misses 3 evictions 0 count 3 MB 120",
                "small": "hits 6 misses 4 evictions 0 count 4 MB 120",
                "cleared": "hits 6 misses 4 evictions 0 count 0 MB 0", "free": "true true",
                "again": "hits 6 misses 5 evictions 0 count 1 MB 40 40", "without the pool": "true",
                "in use": "[2.0, 2.0] hits 0 misses 1 evictions 0 count 1 MB 40",
                "then": "hits 0 misses 1 evictions 0 count 0 MB 0 true",
            ])
    }

    @Test("over the limit the one that was not used for longest goes, here and in the workers")
    func evicting() async throws {
        try await expect(
            "evicting",
            [
                "two": "hits 1 misses 2 evictions 0 count 2 MB 80",
                "three": "hits 1 misses 3 evictions 1 count 2 MB 80",
                "freed": "true", "stayed": "hits 3 misses 3 evictions 1 count 2 MB 80",
                "went": "hits 3 misses 4 evictions 2 count 2 MB 80 true",
                "none": "hits 0 misses 2 evictions 2 count 0 MB 0 true",
            ])
    }

    @Test("the cluster keeps captures of maps without a pool, for workers that come and go")
    func defaultPool() async throws {
        try await expect(
            "default-captures",
            [
                "kept": "hits 2 misses 1 evictions 0 count 1 MB 40 40",
                "joined": "hits 3 misses 1 evictions 0 count 1 MB 40 40",
                "after an end": "hits 4 misses 1 evictions 0 count 1 MB 40 40",
                "cleared": "hits 4 misses 1 evictions 0 count 0 MB 0 true",
            ])
    }

    @Test("a worker's copy lies on its own node; where there is one node, all workers have the same copy")
    func perNode() async throws {
        let run = try await drive("captures-per-node", "2", limit: 60)
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
        guard !run.output.contains("can't be looked up") else { return print("skipped: \(run.errors)") }
        let nodes = try MemoryPolicy.allowedNodes()
        let placed = Dictionary(
            uniqueKeysWithValues: run.lines.filter { $0.hasPrefix("placed") }.map { line in
                let words = line.split(separator: " ")
                return (String(words[2]), String(words[5].dropFirst().dropLast()))
            })
        #expect(placed.count == 2, "\(run)")
        for name in ["own", "pool", "shared"] {
            for (worker, node) in placed {
                // 8 MB, from the start of a segment's first page on.
                let pages = "2048 pages of 4096 bytes: 2048 on node \(node)"
                let line = "\(name) worker \(worker): sum 549755289600.0, \(pages)"
                #expect(run.lines.contains { $0 == line }, "\(line) \(run)")
            }
            let own = nodes.count > 1 ? Set(placed.values).sorted().map { "1 on node \($0)" } : []
            let copies = "hits 1, MB \(8 * max(1, own.count)), of their own: [\(own.joined(separator: ", "))]"
            #expect(run.value("\(name) copies:") == copies, "\(run)")
        }
        #expect(run.value("host copies:") == "hits 1, MB 8, of their own: []", "\(run)")
        #expect(!run.errors.contains("NUMA"), "\(run)")
    }
}
