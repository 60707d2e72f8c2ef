import Glibc
import Muster

private func options(_ arguments: [String]) -> JobOptions {
    var options = JobOptions(directory: arguments[0])
    if arguments.count > 1 { options.executable = arguments[1] }
    // So that the test finds what is left there.
    options.exports += ["MUSTER_TEST_TOKEN", "SWIFT_BACKTRACE"]
    return options
}

/// `DIRECTORY [EXECUTABLE]`: a queue that is none of the library's.
let ownQueues: [String: Program.Scenario] = [
    "own-queue": { arguments in
        try await withCluster(.background(2, options: options(arguments))) { cluster in
            let squares = try await cluster.pmap(1...100) { $0 * $0 }
            say("squares", squares == (1...100).map { $0 * $0 })
            let exported = try await cluster.remoteCallFetch(on: .any) { unsafe getenv("MUSTER_TEST_SECRET") != nil }
            say("exported", exported)
        }
    },
    "own-queue-wait": { arguments in
        try await withCluster(.background(2, options: options(arguments))) { cluster in
            say("ready", cluster.workers.count)
            _ = try await cluster.pmap(0..<4) { _ in sleep(1000) }
        }
    },
    "own-queue-failure": { arguments in
        do {
            try await withCluster(.background(2, options: options(arguments))) { _ in say("no error") }
        } catch {
            say("error", error)
        }
    },
]
