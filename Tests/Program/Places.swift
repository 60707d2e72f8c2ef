import Glibc
import Muster

let places: [String: Program.Scenario] = [
    /// Where pinned workers are, a line for each, as Linux tells it: nothing here is asked of the library.
    ///
    /// Arguments: mode, number of workers, threads of each.
    "places": { arguments in
        let mode: PlacementMode = arguments[0] == "compact" ? .compact : .balanced
        let (count, threads) = (Int(arguments[1]) ?? 1, arguments.count > 2 ? Int(arguments[2]) ?? 1 : 1)
        try await withCluster(.localAffinity(count: count, mode: mode, threads: threads)) { cluster in
            // A few elements for each worker, so that every one gets some.
            let told = try await cluster.pmap(0..<(2 * count), batchSize: 1) { _ in (Worker.id, place()) }
            for worker in cluster.workers {
                let planned = try cluster.member(worker).launched.placement
                let plan = planned.map { "\(numbers($0.cpus))@\(numbers($0.numa))" } ?? "nowhere"
                for place in Set(told.filter { $0.0 == worker }.map(\.1)).sorted() {
                    say("worker", planned?.worker ?? 0, "planned", plan, place)
                }
            }
        }
    }
]

/// Where this process is: the CPUs of its threads, the memory policy of this one, and the NUMA nodes of its memory, some
/// of which is touched here.
private func place() -> String {
    let touched = [UInt8](repeating: 1, count: touchedPages << 12)
    return withExtendedLifetime(touched) {
        // A thread may end meanwhile.
        let cpus = names(in: "/proc/self/task").compactMap { allowedCPUs(text(of: "/proc/self/task/\($0)/status")) }
        let maps = text(of: "/proc/thread-self/numa_maps")
        return "cpus \(Set(cpus).sorted().joined(separator: "|")) memory \(policy(maps)) pages \(pageNodes(maps))"
    }
}

private let touchedPages = 512

/// Numbers, separated by commas.
private func numbers(_ values: some Sequence<Int>) -> String { values.map(String.init).joined(separator: ",") }

private func allowedCPUs(_ status: String) -> String? {
    let lines = status.split(separator: "\n")
    guard let line = lines.first(where: { $0.hasPrefix("Cpus_allowed_list:") }) else { return nil }
    let ranges = line.dropFirst("Cpus_allowed_list:".count).split { ",\t ".contains($0) }
    return numbers(
        ranges.flatMap { range in
            let ends = range.split(separator: "-").compactMap { Int($0) }
            return ends.isEmpty ? [] : Array(ends[0]...ends[ends.count - 1])
        })
}

/// The memory policy of a thread: that of its stack, which has none of its own.
private func policy(_ maps: String) -> String {
    let fields = maps.split(separator: "\n").map { $0.split(separator: " ") }
    return fields.first { $0.contains("stack") }.map { String($0[1]) } ?? "unknown"
}

/// The nodes that hold memory of a process; memory that files show is anybody's, and left out.
private func pageNodes(_ maps: String) -> String {
    var nodes: [Int: Int] = [:]
    for line in maps.split(separator: "\n") {
        let fields = line.split(separator: " ")
        guard !fields.contains(where: { $0.hasPrefix("file=") }) else { continue }
        for field in fields where field.first == "N" {
            let pair = field.dropFirst().split(separator: "=").compactMap { Int($0) }
            if pair.count == 2 { nodes[pair[0], default: 0] += pair[1] }
        }
    }
    // A sum that is too small was not read as it should be.
    return nodes.values.reduce(0, +) < touchedPages ? "missing in '\(maps)'" : numbers(nodes.keys.sorted())
}
