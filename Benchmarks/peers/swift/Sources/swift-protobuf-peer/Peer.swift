import CFloors
import Glibc

/// What is measured together, as `measure.h` says it for the C++ peers.
struct Shape {
    let name: String
    let unit: String
    /// Of the unit's numerator, per pass.
    let amount: Double
    /// Per pass.
    let recordCount: Int
    /// Passes that are timed together.
    let passes: Int

    static let doubles = Shape(name: "doubles", unit: "GB/s", amount: 0.08, recordCount: 10_000_000, passes: 1)
    static let records = Shape(name: "records", unit: "M/s", amount: 0.1, recordCount: 100_000, passes: 5)
    static let log = Shape(name: "log", unit: "M/s", amount: 0.01, recordCount: 10_000, passes: 20)
    static let mesh = Shape(name: "mesh", unit: "GB/s", amount: 0.006, recordCount: 125_000, passes: 10)
    static let mk48 = Shape(name: "mk48", unit: "M/s", amount: 0.019481, recordCount: 19_481, passes: 20)
}

/// Measures a peer and prints what `Tools/bench --json` prints of Muster: `measure.h` in Swift, with its arguments.
///
///     --filter SHAPE                   one shape only
///     --alone SHAPE/KEY --times N      one operation, N times and nothing else
final class Peer {
    private let key: String
    private var filter = ""
    private var alone = ""
    private var times = 1
    private var benchmarks: [String] = []

    init(_ key: String) {
        self.key = key
        var arguments = CommandLine.arguments.dropFirst()
        while let name = arguments.popFirst(), let value = arguments.popFirst() {
            switch name {
            case "--filter": filter = value
            case "--alone": alone = value
            case "--times": times = Int(value) ?? 1
            default: break
            }
        }
        floor_keep_memory()
    }

    func wants(_ shape: Shape) -> Bool {
        alone.isEmpty ? filter.isEmpty || filter == shape.name : alone.hasPrefix(shape.name + "/")
    }

    /// Measures one operation: once to warm up, once to count its allocations, then three repeats.
    func measure(
        _ shape: Shape, _ operation: String, _ label: String, byteCount: Int, pass: () throws -> Void
    ) rethrows {
        guard alone.isEmpty else {
            if alone == "\(shape.name)/\(key).\(operation)" { for _ in 0..<times { try pass() } }
            return
        }
        try pass()
        let before = floor_allocations()
        try pass()
        let allocations = Double(floor_allocations() - before) / Double(shape.recordCount)
        var values: [Double] = []
        for _ in 0..<3 {
            let start = floor_seconds()
            for _ in 0..<shape.passes { try pass() }
            values.append(shape.amount * Double(shape.passes) / (floor_seconds() - start))
        }
        benchmarks.append(
            """
            {"name":"wire-\(shape.name)","unit":"\(shape.unit)","series":[{"key":"\(key).\(operation)",\
            "label":"\(label)","bytes":\(byteCount),"allocations":\(allocations),"values":\(values)}]}
            """)
    }

    /// Prints what was measured.
    func finish() {
        if alone.isEmpty { print("{\"benchmarks\":[\(benchmarks.joined(separator: ",\n"))]}") }
    }
}

/// Keeps the compiler from leaving out what makes `value`.
@inline(never)
@_optimize(none)
func blackHole<T>(_ value: T) {}
