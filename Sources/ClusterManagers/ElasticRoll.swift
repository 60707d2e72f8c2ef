import Placement
import Remote

/// Who of an elastic manager's workers is there, is coming, and has gone: a value, told what happens in any order.
struct ElasticRoll<Host: Hashable & Sendable>: Sendable {
    private struct Coming {
        /// How many workers; `nil` if that is up to the host.
        var count: Int?
        /// The host's name; `nil` if it has not said it yet.
        var host: String?
    }

    private var active: Set<WorkerID> = []
    private var coming: [(key: Host, what: Coming)] = []
    /// Why workers have gone, or will have as soon as the cluster has noticed.
    private var reasons: [WorkerID: String] = [:]
    private var gone: Set<WorkerID> = []

    /// Most reasons that are kept word by word; older ones are only counted.
    private static var mostReasons: Int { 10_000 }

    init() {}

    /// A process has joined.
    mutating func came(_ host: Host) { coming.append((host, Coming())) }

    /// It brings workers up.
    mutating func isBringing(_ host: Host, _ count: Int?, on name: String) {
        guard let index = coming.firstIndex(where: { $0.key == host }) else { return }
        coming[index].what = Coming(count: count, host: name)
    }

    /// Those are up, or never will be.
    mutating func hasBrought(_ host: Host) { coming.removeAll { $0.key == host } }

    mutating func registered(_ worker: WorkerID) { if !gone.contains(worker) { active.insert(worker) } }

    mutating func ended(_ worker: WorkerID, _ reason: String) {
        if reasons.count < ElasticRoll.mostReasons { reasons[worker] = reason }
    }

    mutating func deregistered(_ worker: WorkerID) {
        active.remove(worker)
        gone.insert(worker)
    }

    /// What there is to say, indented.
    var lines: [String] {
        [
            "  active workers: \(active.isEmpty ? "none" : ElasticRoll.list(active))",
            "  pending workers: \(pending)",
            "  gone workers: \(gone.isEmpty ? "none" : goneByReason)",
        ]
    }

    private var pending: String {
        if coming.isEmpty { return "none" }
        return coming.map { _, what in
            guard let host = what.host else { return "those of a host that has just joined" }
            return what.count.map { "\($0) on \(host)" } ?? "one for each core on \(host)"
        }.joined(separator: ", ")
    }

    private var goneByReason: String {
        let groups = Dictionary(grouping: gone) { reasons[$0] }
        return groups.sorted { ($0.value.min() ?? 0) < ($1.value.min() ?? 0) }
            .map { reason, workers in
                ElasticRoll.list(workers) + (reason.map { " (\($0))" } ?? "")
            }
            .joined(separator: ", ")
    }

    /// Numbers with their ranges, as sets of CPUs are written.
    private static func list(_ workers: some Sequence<WorkerID>) -> String { "\(CPUSet(workers.map(\.rawValue)))" }
}
