/// Something that is measured beside what the machine could do at best.
protocol Benchmark: Sendable {
    /// What `--filter` and the JSON call it.
    var name: String { get }
    /// What is measured, in a line.
    var title: String { get }
    /// What the numbers are.
    var unit: Unit { get }
    /// Whether it runs only if `--filter` asks for it, so that a run of everything stays short.
    var isSlow: Bool { get }
    /// Measures.
    func run(_ host: Host) async throws -> [Series]
}

extension Benchmark {
    var isSlow: Bool { false }
}

/// What a number means.
enum Unit: String {
    case microseconds = "µs"
    case milliseconds = "ms"
    case millionPerSecond = "M/s"
    case gigabytesPerSecond = "GB/s"
    case mebibytes = "MiB"
    case percent = "%"

    /// Whether more is better.
    var isRate: Bool { self == .millionPerSecond || self == .gigabytesPerSecond }
}

/// One of the things that a benchmark compares.
struct Lane {
    /// Name in the JSON.
    let key: String
    /// What it is, in a few words.
    let label: String
    /// Key of the lane that it is held against; `nil` for a floor.
    var floor: String?
    /// What else there is to say.
    var facts: Facts?
    /// Measures once.
    let measure: () async throws -> Double
}

/// What does not change from repeat to repeat.
struct Facts {
    /// Bytes of the message.
    let byteCount: Int
    /// Blocks that were asked of malloc, per record.
    let allocations: Double
}

/// What one lane measured, repeat by repeat.
struct Series {
    let key: String
    let label: String
    let floor: String?
    var facts: Facts?
    var values: [Double] = []
}

/// Measures the lanes in turn, A B A B …, so that whatever else the machine does meets them all alike.
///
/// Not `async let` or a task group: one at a time. The first round warms up and is not kept.
nonisolated(nonsending) func alternate(repeats: Int, _ lanes: [Lane]) async throws -> [Series] {
    let lanes = lanes.filter { Options.current.lane.isEmpty || $0.key.contains(Options.current.lane) }
    var series = lanes.map { Series(key: $0.key, label: $0.label, floor: $0.floor, facts: $0.facts) }
    for round in 0...repeats {
        for (index, lane) in lanes.enumerated() {
            let value = try await lane.measure()
            if round > 0 { series[index].values.append(value) }
        }
    }
    return series
}

/// The middle one of the values, or the mean of the two in the middle.
func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    guard !sorted.isEmpty else { return .nan }
    return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
}

/// Keeps the compiler from leaving out what makes `value`.
@inline(never)
@_optimize(none)
func blackHole<T>(_ value: T) {}
