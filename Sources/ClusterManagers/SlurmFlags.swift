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

    /// Whether one of these is among them, written with `_` or `-`.
    func has(_ keys: String...) -> Bool { flags.contains { keys.contains($0.key.replacing("_", with: "-")) } }
}
