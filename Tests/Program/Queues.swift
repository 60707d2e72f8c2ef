import Glibc
import Muster

/// `KIND CHOICES COUNT [KEY=VALUE…]`: the queue; words with commas between that change the options, of which one is a directory;
/// the number of tasks; the queue's own options.
private struct QueueArguments {
    let manager: any SubmittingManager
    /// The variable of workers that is shown.
    private(set) var shown = "HOSTNAME"
    /// A file that is there when the program may go on, or that it writes.
    private(set) var gate = ""
    /// How much there is to do.
    private(set) var count = 0

    init(_ arguments: [String]) throws {
        var options = JobOptions(startLimit: .seconds(60))
        var address = NetworkAddress.loopback
        for choice in arguments[1].split(separator: ",") {
            let words = choice.split(separator: "=", maxSplits: 1).map(String.init)
            switch words[0] {
            case "limit": options.startLimit = .seconds(Double(words[1])!)
            case "minimum": options.minimum = Int(words[1])
            case "per": options.workersPerJob = Int(words[1])!
            case "executable": options.executable = words[1]
            case "address": address = .address(words[1])
            case "show": shown = words[1]
            case "gate": gate = words[1]
            case "items": count = Int(words[1])!
            default: options.directory = words[0]
            }
        }
        // So that the test finds what is left there.
        options.exports += ["MUSTER_TEST_TOKEN", "SWIFT_BACKTRACE"]
        let flags = arguments.dropFirst(3).map { text in
            let words = text.split(separator: "=", maxSplits: 1).map(String.init)
            return (words[0], words.count > 1 ? words[1] : "")
        }
        guard let kind = JobQueueKind(rawValue: arguments[0]) else { fatalError("no queue is called \(arguments[0])") }
        manager = try kind.manager(count: Int(arguments[2])!, flags: flags, address: address, options: options)
    }
}

let queues: [String: Program.Scenario] = [
    "queue": { arguments in
        let choices = try QueueArguments(arguments)
        try await withCluster(choices.manager) { cluster in
            say("workers", cluster.workers.count)
            let numbers = [Double](repeating: 0.5, count: 100_000)
            let sums = try await cluster.pmap(1...1000, capturing: numbers) { i, numbers in
                numbers.reduce(0, +) + Double(i)
            }
            say("sums", sums == (1...1000).map { 50_000 + Double($0) })
            var shown: [String] = []
            for id in cluster.workers {
                shown.append(
                    try await cluster.remoteCallFetch(on: id, capturing: choices.shown) { name in
                        unsafe getenv(name).map { unsafe String(cString: $0) } ?? "none"
                    })
            }
            say("shown", shown.sorted().joined(separator: ","))
            let exported = try await cluster.remoteCallFetch(on: .any) { unsafe getenv("MUSTER_TEST_SECRET") != nil }
            say("exported", exported)
        }
    },
    "queue-mixed": { arguments in
        // A worker here goes on when the job is cancelled. With a gate the map is not over before that is open.
        try await withCluster(.local(1)) { cluster in
            let choices = try QueueArguments(arguments)
            let count = choices.gate.isEmpty ? 100 : 20_000
            try await cluster.addWorkers(choices.manager)
            say("ready", cluster.workers.count)
            let squares = try await cluster.pmap(1...count, capturing: choices.gate, batchSize: 1) { i, gate in
                if gate.isEmpty || (unsafe access(gate, F_OK)) != 0 { usleep(50_000) }
                return i * i
            }
            say("squares", squares == (1...count).map { $0 * $0 })
        }
    },
    "queue-wall": { arguments in
        // So many elements of a quarter of a second that the job ends before they are done; each leaves a byte behind.
        let choices = try QueueArguments(arguments)
        try await withCluster(.local(1)) { cluster in
            try await cluster.addWorkers(choices.manager)
            let left = try cluster.workers.compactMap { try cluster.remainingTime(of: $0) }
            say("timed", left.count, "of", cluster.workers.count)
            say("left", left.map { $0.components.seconds }.max() ?? -1)
            let squares = try await cluster.pmap(0..<choices.count, capturing: choices.gate, batchSize: 1) { i, file in
                let log = unsafe open(file, O_WRONLY | O_CREAT | O_APPEND, 0o600)
                _ = unsafe write(log, "x", 1)
                close(log)
                usleep(250_000)
                return i * i
            }
            say("squares", squares == (0..<choices.count).map { $0 * $0 })
        }
    },
    "queue-wait": { arguments in
        try await withCluster(try QueueArguments(arguments).manager) { cluster in
            say("ready", cluster.workers.count)
            _ = try await cluster.pmap(0..<4) { _ in sleep(1000) }
        }
    },
    "queue-cancel": { arguments in
        let choices = try QueueArguments(arguments)
        try await withCluster(.local(1)) { cluster in
            let adding = Task { _ = try await cluster.addWorkers(choices.manager) }
            say("waiting")
            _ = await eventually(within: 60) { unsafe access(choices.gate, F_OK) == 0 }
            adding.cancel()
            do { try await adding.value } catch { say("error", error) }
        }
    },
    "queue-failure": { arguments in
        do {
            try await withCluster(try QueueArguments(arguments).manager) { _ in say("no error") }
        } catch {
            say("error", error)
        }
    },
    "queue-dry": { arguments in say(try QueueArguments(arguments).manager.dryRun()) },
]
