import Glibc
import Muster

/// `CHOICES COUNT [KEY=VALUE…]`: words with commas between that change the options, the number of workers, Slurm's options.
private struct SlurmArguments {
    let manager: JobQueueManager<SlurmQueue>

    init(_ arguments: [String]) {
        var options = JobOptions(startLimit: .seconds(60))
        for choice in arguments[0].split(separator: ",") {
            let words = choice.split(separator: "=", maxSplits: 1).map(String.init)
            switch words[0] {
            case "limit": options.startLimit = .seconds(Double(words[1])!)
            case "minimum": options.minimum = Int(words[1])
            case "per": options.workersPerJob = Int(words[1])!
            case "executable": options.executable = words[1]
            default: options.directory = words[0]
            }
        }
        // So that the test finds what is left there.
        options.exports += ["MUSTER_TEST_TOKEN", "SWIFT_BACKTRACE"]
        let flags = arguments.dropFirst(2).map { text in
            let words = text.split(separator: "=", maxSplits: 1).map(String.init)
            return (words[0], words.count > 1 ? words[1] : "")
        }
        let values = Dictionary(uniqueKeysWithValues: flags)
        manager = .slurm(Int(arguments[1])!, SlurmFlags(values), address: .loopback, options: options)
    }
}

let slurm: [String: Program.Scenario] = [
    "slurm": { arguments in
        try await withCluster(SlurmArguments(arguments).manager) { cluster in
            say("workers", cluster.workers.count)
            let numbers = [Double](repeating: 0.5, count: 100_000)
            let sums = try await cluster.pmap(1...1000, capturing: numbers) { i, numbers in
                numbers.reduce(0, +) + Double(i)
            }
            say("sums", sums == (1...1000).map { 50_000 + Double($0) })
            var nodes: [String] = []
            for id in cluster.workers {
                nodes.append(
                    try await cluster.remoteCallFetch(on: id) {
                        unsafe getenv("SLURMD_NODENAME").map { unsafe String(cString: $0) } ?? "none"
                    })
            }
            say("nodes", nodes.sorted().joined(separator: ","))
            let exported = try await cluster.remoteCallFetch(on: .any) { unsafe getenv("MUSTER_TEST_SECRET") != nil }
            say("exported", exported)
        }
    },
    "slurm-mixed": { arguments in
        // A worker here goes on when the job is cancelled.
        try await withCluster(.local(1)) { cluster in
            try await cluster.addWorkers(SlurmArguments(arguments).manager)
            say("ready", cluster.workers.count)
            let squares = try await cluster.pmap(1...100) { i in
                usleep(50_000)
                return i * i
            }
            say("squares", squares == (1...100).map { $0 * $0 })
        }
    },
    "slurm-wait": { arguments in
        try await withCluster(SlurmArguments(arguments).manager) { cluster in
            say("ready", cluster.workers.count)
            _ = try await cluster.pmap(0..<4) { _ in sleep(1000) }
        }
    },
    "slurm-failure": { arguments in
        let manager = SlurmArguments(arguments).manager
        do {
            try await withCluster(manager) { _ in say("no error") }
        } catch {
            say("error", error)
        }
    },
    "slurm-dry": { arguments in say(try SlurmArguments(arguments).manager.dryRun()) },
]
