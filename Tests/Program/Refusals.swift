import Muster

private struct Hidden: WireCodable, Codable {
    var number: Int
}

/// Not `WireCodable`.
struct Stubborn: Sendable {
    var number: Int
}

func doubled(_ x: Int) -> Int { x * 2 }

struct Named: WireCodable, Codable {
    var name: String
}

/// Says whether a body worked, and with what result, or how it was refused.
private func sayWhether(_ name: String, _ work: () async throws -> [some Any]) async {
    do {
        say(name, "works", try await work())
    } catch let error as BodyError {
        let code =
            switch error.code {
            case .captures: "captures"
            case .privateType: "privateType"
            case .notCodable: "notCodable"
            default: "other"
            }
        say(name, "refused", code, error)
    } catch {
        say(name, "failed otherwise:", account(of: error))
    }
}

/// A wrapper that can't tell where the literal stands.
private func generic<T: Sendable & WireCodable>(_ cluster: Cluster, _ values: [T]) async throws -> [T] {
    try await cluster.pmap(values) { $0 }
}

let refusals: [String: Program.Scenario] = [
    "refusals": { arguments in
        try await withCluster(.local(1)) { cluster in
            let atRunTime = arguments.count + 41
            await sayWhether("captured integer") { try await cluster.pmap(1...2) { $0 + atRunTime } }
            await sayWhether("captured array") { try await cluster.pmap(0..<1) { arguments[$0] } }
            await sayWhether("captured in async") {
                try await cluster.pmap(1...2) { x in
                    await Task.yield(); return x + atRunTime
                }
            }
            await sayWhether("captured in pair") {
                try await cluster.pmap(zip([1], [2])) { x, y in x + y + atRunTime }
            }
            await sayWhether("captured in call") { [try await cluster.remoteCallFetch { atRunTime }] }
            await sayWhether("captured by RemoteFunction") {
                try await cluster.pmap(1...2, body: RemoteFunction { (x: Int) in x + atRunTime })
            }
            await sayWhether("named function") { try await cluster.pmap(1...2, body: doubled) }
            await sayWhether("key path") { try await cluster.pmap([Named(name: "n")], body: \.name) }
            let stored: @Sendable (Int) -> Int = { $0 * 3 }
            await sayWhether("stored closure") { try await cluster.pmap(1...2, body: stored) }
            await sayWhether("initialiser") { try await cluster.pmap(["n"], body: Named.init(name:)) }
            await sayWhether("generic wrapper") { try await generic(cluster, [1, 2]) }
            await sayWhether("private element") { try await cluster.pmap([Hidden(number: 1)]) { $0.number } }
            await sayWhether("private result") { try await cluster.pmap(1...2) { Hidden(number: $0) } }
            await sayWhether("private capture") {
                try await cluster.pmap(1...2, capturing: Hidden(number: 1)) { $0 + $1.number }
            }
            await sayWhether("private in tuple") { try await cluster.pmap(1...2) { ($0, Hidden(number: $0)) } }
            struct Inner: WireCodable, Codable { var number: Int }
            await sayWhether("local type") { try await cluster.pmap(1...2) { Inner(number: $0) } }
            await sayWhether("not codable") { try await cluster.pmap(1...2) { Stubborn(number: $0) } }
            await sayWhether("not codable in tuple") { try await cluster.pmap(1...2) { ($0, Stubborn(number: $0)) } }
            await sayWhether("afterwards") { try await cluster.pmap(1...2) { $0 } }
        }
    }
]
