/// Options of Slurm's commands, as keywords: `["partition": "debug", "t": "00:05:00", "exclusive": "", "mem_per_cpu": 100]`.
///
/// A key of one letter becomes `-k value`, a longer one `--key=value`, with an empty value the flag stands alone, and `_` in a key
/// becomes `-`; as in Julia's ClusterManagers. They keep the order in which they are written.
public struct SlurmFlags: Hashable, Sendable, ExpressibleByDictionaryLiteral {
    /// A flag's value.
    public struct Value: Hashable, Sendable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
        let text: String

        /// A text; an empty one for a flag that has no value.
        public init(_ text: String) { self.text = text }
        /// A number.
        public init(_ number: Int) { text = "\(number)" }
        /// A text; an empty one for a flag that has no value.
        public init(stringLiteral text: String) { self.text = text }
        /// A number.
        public init(integerLiteral number: Int) { text = "\(number)" }
    }

    struct Flag: Hashable, Sendable {
        let key: String
        let value: String
    }

    let flags: [Flag]

    /// Keeps the flags in this order.
    public init(dictionaryLiteral elements: (String, Value)...) {
        flags = elements.map { Flag(key: $0, value: $1.text) }
    }

    /// Flags from values that are known at run time, in the order of their keys.
    public init(_ values: [String: String]) {
        flags = values.sorted { $0.key < $1.key }.map { Flag(key: $0.key, value: $0.value) }
    }

    /// Flags in this order.
    public init(_ values: [(String, String)]) {
        flags = values.map { Flag(key: $0.0, value: $0.1) }
    }

    /// The words of a command.
    var words: [String] {
        flags.flatMap { flag in
            let key = flag.key.replacing("_", with: "-")
            if key.count == 1 { return flag.value.isEmpty ? ["-\(key)"] : ["-\(key)", flag.value] }
            return [flag.value.isEmpty ? "--\(key)" : "--\(key)=\(flag.value)"]
        }
    }

    /// The seconds of the time limit among them, rounded up to minutes as Slurm does; `nil` if there is none, or none that ends.
    ///
    /// As `sbatch` has it: minutes, minutes:seconds, hours:minutes:seconds, days-hours, days-hours:minutes,
    /// days-hours:minutes:seconds.
    var timeLimit: Int? {
        guard let text = flags.last(where: { ["t", "time"].contains($0.key) })?.value else { return nil }
        let parts = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        let fields = (parts.last ?? "").split(separator: ":", omittingEmptySubsequences: false).map { Int($0) ?? -1 }
        guard (1...3).contains(fields.count), fields.allSatisfy({ (0...1_000_000).contains($0) }) else { return nil }
        let units: [Int]
        if parts.count == 2 {
            units = [3600, 60, 1]
        } else {
            units = fields.count == 3 ? [3600, 60, 1] : [60, 1]
        }
        guard let days = parts.count == 2 ? Int(parts[0]) : 0, (0...100_000).contains(days) else { return nil }
        let seconds = zip(fields, units).reduce(days * 86_400) { $0 + $1.0 * $1.1 }
        return seconds > 0 ? (seconds + 59) / 60 * 60 : nil
    }

    /// Whether one of these is among them, written with `_` or `-`.
    func has(_ keys: String...) -> Bool { flags.contains { keys.contains($0.key.replacing("_", with: "-")) } }
}
