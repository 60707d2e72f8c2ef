import Foundation
import Testing

@Suite("Futures", .serialized)
struct ReferenceTests {
    @Test(
        "are made, filled, passed on in all that travels, waited for, and fetched anywhere; what was fetched stays",
        arguments: ["direct", "relayed", "memory"])
    func futures(links: String) async throws {
        let run = try await drive("futures", links)
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
        #expect(run.value("first") == "[1, 2, 3]" && run.value("cached") == "[1, 2, 3] true", "\(run)")
        #expect(run.value("future in a future") == "42 21 2", "\(run)")
        #expect(run.value("future in a channel") == "21", "\(run)")
        #expect(run.value("futures in captures") == "\((0..<30).map { $0 * 10 }.reduce(0, +))", "\(run)")
        #expect(run.value("futures in a map") == "\((0..<30).map { $0 * 10 + 1 }.reduce(0, +))", "\(run)")
        #expect(run.value("not ready") == "false false false" && run.value("ready then") == "true 2 1", "\(run)")
        for name in ["not within", "not fetched within"] {
            #expect(run.value(name)?.hasPrefix("DeadlineExceeded worker 2 ") == true, "\(name): \(run)")
        }
        #expect(run.value("not within, elsewhere")?.contains("DeadlineExceeded") == true, "\(run)")
        #expect(run.value("one has won") == "true 1", "\(run)")
        #expect(run.value("its error")?.hasPrefix("RemoteError worker=2") == true, "\(run)")
        #expect(run.value("its error elsewhere")?.contains("Refusal") == true, "\(run)")
        for name in ["nobody there", "gone", "gone elsewhere"] {
            #expect(run.value(name)?.contains("there is no worker") == true, "\(name): \(run)")
        }
    }

    @Test("and channels are freed everywhere when nobody refers to them any more", arguments: ["direct", "relayed"])
    func freed(links: String) async throws {
        let run = try await drive("freed", links, limit: 300)
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
        for name in [
            "never used", "never waited for", "fetched", "threw", "put", "on the driver", "let go by 3",
            "dropped while its body runs", "one in the other", "passed on and on", "channels",
            "a channel of a kind of one's own", "given up",
        ] {
            #expect(run.value(name) == "true", "\(name): \(run)")
        }
        #expect(run.value("there") == "1" && run.value("held by 3") == "7 1", "\(run)")
        #expect(run.value("at the same time") == "true true", "\(run)")
    }

    @Test("leave no memory behind, on either side")
    func memory() async throws {
        let isFull = ProcessInfo.processInfo.environment["MUSTER_TEST_FULL"] == "1"
        let count = isFull ? 1_000_000 : 60_000
        let run = try await drive("future-memory", "direct", "\(count)", limit: isFull ? 1200 : 240)
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
        // 100 bytes for each would be 6 MB, or 100 MB.
        let limit = isFull ? 32 << 10 : 4 << 10
        for side in ["driver", "worker"] {
            let grown = try #require(Int(run.value("\(side) grew by KiB") ?? ""), "\(run)")
            #expect(grown < limit, "\(side): \(run)")
        }
        #expect(run.value("last") == "\(count - 1)" && run.value("at the same time") == "\(count)", "\(run)")
        #expect(run.value("freed") == "true" && run.value("no room kept")?.hasPrefix("true") == true, "\(run)")
    }

    @Test(
        "fail for all who wait for them when their process is killed, or removed; so do channels",
        arguments: [["direct", "killed"], ["relayed", "killed"], ["direct", "removed"], ["memory", "removed"]])
    func ownerGone(arguments: [String]) async throws {
        let run = try await drive("owner-gone", arguments[0], arguments[1])
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
        let expected = arguments[1] == "killed" ? "WorkerExited worker=2" : "ClusterError there is no worker 2"
        for process in [1, 3, 4] {
            for number in 0..<6 {
                #expect(run.value("\(process) \(number)")?.hasPrefix(expected) == true, "\(process) \(number): \(run)")
            }
        }
        #expect(run.value("afterwards")?.contains("there is no worker 2") == true, "\(run)")
        #expect(run.value("afterwards elsewhere")?.contains("there is no worker 2") == true, "\(run)")
        #expect(run.value("goes on") == "10", "\(run)")
    }

    @Test("are freed when the only process that refers to them is killed", arguments: ["direct", "relayed"])
    func holderKilled(links: String) async throws {
        let run = try await drive("holder-killed", links)
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
        #expect(run.value("held") == "[1, 1, 1]" && run.value("freed") == "true", "\(run)")
    }
}
