import Foundation
import Testing

@Suite("Calls between any two processes", .serialized)
struct CallTests {
    @Test(
        "go from the driver and from workers to all, the driver included, and their results stay until they are fetched",
        arguments: ["direct", "relayed", "memory"])
    func calls(links: String) async throws {
        let run = try await drive("calls", links)
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
        #expect(run.value("fetched") == "6 6" && run.value("async") == "(20, 3)", "\(run)")
        #expect(run.value("waited") == "true here", "\(run)")
        for name in ["body throws", "fetch throws"] {
            #expect(run.value(name)?.hasPrefix("RemoteError worker=2 host=true index=none") == true, "\(run)")
            #expect(run.value(name)?.contains("CancellationError") == true, "\(run)")
        }
        #expect(run.value("chain") == "true" && run.value("own call") == "1", "\(run)")
        #expect(run.value("worker's own call") == "(2, 7)", "\(run)")
        #expect(run.value("passed") == "(100000, 50000.0, 3)" && run.value("made there") == "of 3 3 2", "\(run)")
        #expect(run.value("empty") == "false" && run.value("filled") == "filled by 2 true", "\(run)")
        #expect(run.value("filled twice")?.hasPrefix("ReferenceError this future has its value already") == true)
        #expect(run.value("deadline")?.hasPrefix("DeadlineExceeded worker 2 on ") == true, "\(run)")
        #expect(run.value("seen from 2") == "([2, 3, 4], 2)", "\(run)")
        #expect(run.value("adds from a worker")?.contains("only the driver, process 1, adds") == true, "\(run)")
        #expect(run.errors.contains("in a body that nobody waits for"), "\(run)")
    }

    @Test("begin in the order in which they were made, whoever makes them", arguments: ["direct", "relayed", "memory"])
    func order(links: String) async throws {
        let run = try await drive("call-order", links)
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
        for name in ["from the driver", "to itself", "from 3 to 1", "from 3 to 2", "from 3 to 3"] {
            #expect(run.value(name) == "true", "\(name): \(run)")
        }
    }

    @Test("go to a set of processes at once, and all that fails is in one error", arguments: ["direct", "memory"])
    func sets(links: String) async throws {
        let run = try await drive("call-sets", links)
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
        #expect(run.value("each") == "[1, 4, 2, 3, 2]" && run.value("each from 3") == "[10, 40, 20, 30, 20]", "\(run)")
        #expect(run.value("none") == "[]", "\(run)")
        let failures = run.value("failures")?.components(separatedBy: " | ") ?? []
        #expect(failures.count == 3, "\(run)")
        #expect(failures.first?.contains("RemoteError worker=4") == true, "\(run)")
        #expect(failures.first?.contains("underlying=Refusal Refusal(worker: 4)") == true, "\(run)")
        #expect(failures.dropFirst().first?.contains("RemoteError worker=2") == true, "\(run)")
        #expect(failures.last?.contains("ClusterError") == true && failures.last?.contains("9") == true, "\(run)")
    }

    @Test("need a link that the topology has", arguments: ["direct", "relayed", "memory"])
    func driverWorker(links: String) async throws {
        let run = try await drive("topologies", "driver", links)
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
        #expect(run.value("1 reaches") == "[1, 2, 3, 4]" && run.value("2 reaches") == "[1, 2]", "\(run)")
        #expect(run.value("3 reaches") == "[1, 3]" && run.value("4 reaches") == "[1, 4]", "\(run)")
        for name in ["call", "fetch", "put"] {
            let text = run.value(name) ?? ""
            #expect(text.contains("worker 3 has no link to worker 2 in this topology"), "\(run)")
            #expect(text.contains("call it from the driver, or give withCluster the topology .allToAll()"), "\(run)")
        }
        #expect(run.value("by the driver") == "7", "\(run)")
    }

    @Test("reach those that a manager names, in a topology of its own")
    func custom() async throws {
        let run = try await drive("topologies", "custom")
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
        #expect(run.value("1 reaches") == "[1, 2, 3, 4]" && run.value("2 reaches") == "[1, 2]", "\(run)")
        #expect(run.value("3 reaches") == "[1, 3, 4]" && run.value("4 reaches") == "[1, 3, 4]", "\(run)")
        #expect(run.value("call")?.contains("have the manager name one in the other's connectsTo") == true, "\(run)")
    }

    @Test("reach everybody in a topology of all", arguments: ["direct", "relayed", "memory"])
    func all(links: String) async throws {
        let run = try await drive("topologies", "all", links)
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
        for process in 1...4 { #expect(run.value("\(process) reaches") == "[1, 2, 3, 4]", "\(run)") }
        for name in ["call", "fetch", "put"] { #expect(run.value(name) == "no error", "\(run)") }
    }

    @Test(
        "go from each of 20 workers to each, over links made when needed, or at once",
        arguments: ["lazy", "eager"])
    func twenty(kind: String) async throws {
        let run = try await drive("all-to-all", "20", kind, limit: 300)
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
        for name in ["products", "fetched", "freed"] { #expect(run.value(name) == "true", "\(run)") }
    }

    @Test("run everywhere, or where they are told, and in workers that join later", arguments: ["direct", "memory"])
    func everywhere(links: String) async throws {
        let run = try await drive("everywhere", links)
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
        #expect(run.value("all") == "[1, 2, 3]" && run.value("chosen") == "[1, 3]", "\(run)")
        #expect(run.value("from a worker") == "[1, 2, 3]" && run.value("now") == "[1, 2, 3]", "\(run)")
        let failures = run.value("failures")?.components(separatedBy: " | ") ?? []
        #expect(failures.count == 2 && failures.allSatisfy { $0.contains("type=") && $0.contains("Refusal") }, "\(run)")
        #expect(failures.first?.contains("worker=1") == true && failures.last?.contains("worker=3") == true, "\(run)")
        #expect(run.value("later") == "[4, 5] [2, 3, 4, 5]" && run.value("still") == "[2, 3, 4, 5]", "\(run)")
        #expect(run.value("does not join")?.contains("Refusal(worker: 6)") == true, "\(run)")
        #expect(run.value("not from a worker")?.contains("only the driver") == true, "\(run)")
    }

    @Test("find values that each process has for itself", arguments: ["direct", "memory"])
    func locals(links: String) async throws {
        let run = try await drive("worker-local", links)
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
        #expect(run.value("at first") == "none none none", "\(run)")
        #expect(run.value("undefined")?.contains("level is not defined on worker 2") == true, "\(run)")
        #expect(run.value("defined") == "10 20 30" && run.value("set") == "10 20 5", "\(run)")
        #expect(run.value("defined again") == "10 1 5" && run.value("later") == "101 102 103 104", "\(run)")
        #expect(run.value("cleared on 3") == "101 102 none 104", "\(run)")
        #expect(run.value("all cleared") == "none none none none none", "\(run)")
        #expect(run.value("never travels") == "true", "\(run)")
        #expect(run.value("defined by a worker") == "by another", "\(run)")
        #expect(run.value("failures") == "4 none 1 none none none", "\(run)")
        #expect(run.value("outside") == "true", "\(run)")
        #expect(run.value("set outside")?.contains("set outside of a cluster") == true, "\(run)")
    }
}
