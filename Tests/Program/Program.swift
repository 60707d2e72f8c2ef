import Muster

/// Plays what users' programs do, one scenario per run: the first argument names it.
///
/// The tests in `Tests/ProcessTests` start it and hold what must come out. A worker is this program with the same
/// arguments, so it comes by the same way to the same first `withCluster`.
@main struct Program {
    typealias Scenario = @Sendable ([String]) async throws -> Void

    static let scenarios: [String: Scenario] = [
        maps, mapForms, mapFaults, pools, refusals, failures, lifetimes, local, ssh, membership, rings, many,
        sharedSegments, memoryFaults, captureScenarios, capturePlacements, places, restarts, elastic, joining, tree,
        dialled, flood, neighbours, remoteSpeed, remoteMemory, queues, ownQueues, calls,
        channels, references, everywhere, throwSites, bodies, failureTable, ownManagers, distributedScenarios,
        julia, juliaSnippets,
    ]
    .reduce(into: [:]) { all, theme in all.merge(theme) { _, _ in fatalError("two scenarios of one name") } }

    static func main() async {
        let arguments = CommandLine.arguments
        guard arguments.count > 1, let scenario = scenarios[arguments[1]] else {
            say("usage: muster-test-program \(scenarios.keys.sorted().joined(separator: "|"))")
            quit(64)
        }
        print("before the first withCluster")
        do {
            try await scenario(Array(arguments.dropFirst(2)))
            say("done")
        } catch {
            say("failed:", account(of: error))
            quit(1)
        }
    }
}
