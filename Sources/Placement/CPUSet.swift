/// A set of CPUs by the numbers the kernel gives them, of any size.
///
/// A fixed 1024-bit `cpu_set_t` is too small for the largest machines, and `Set<Int>` has no order; this is a bit
/// mask that grows, is walked in rising order, and reads and prints as Linux writes lists of CPUs: `0-3,8,10-11`.
public struct CPUSet: Hashable, Sendable {
    /// The largest CPU number a set holds; Linux knows no machine near it, and a list that names a larger one is a
    /// mistake that must not take memory.
    public static let largestCPU = (1 << 20) - 1

    /// Bit `n % 64` of word `n / 64` is CPU `n`. The last word is never zero, so that equal sets have equal words.
    package private(set) var words: [UInt64]

    /// Creates an empty set.
    public init() { words = [] }

    /// Creates a set of the given CPUs, each in `0...largestCPU`; duplicates count once.
    public init(_ cpus: some Sequence<Int>) {
        self.init()
        for cpu in cpus { insert(cpu) }
    }

    /// Creates a set from a mask, bit `n % 64` of word `n / 64` for CPU `n`.
    package init(words: some Sequence<UInt64>) {
        self.words = Array(words)
        trim()
    }

    /// Adds a CPU, in `0...largestCPU`.
    public mutating func insert(_ cpu: Int) {
        precondition(cpu >= 0 && cpu <= Self.largestCPU, "a CPU number is in 0...\(Self.largestCPU), not \(cpu)")
        let word = cpu / 64
        if word >= words.count { words.append(contentsOf: repeatElement(0, count: word + 1 - words.count)) }
        words[word] |= 1 << UInt64(cpu % 64)
    }

    /// Whether the set holds `cpu`; any number may be asked for.
    public func contains(_ cpu: Int) -> Bool {
        guard cpu >= 0, cpu / 64 < words.count else { return false }
        return words[cpu / 64] & (1 << UInt64(cpu % 64)) != 0
    }

    /// Number of CPUs in the set.
    ///
    /// - Complexity: O(largest CPU / 64).
    public var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

    /// Whether the set holds no CPU.
    public var isEmpty: Bool { words.isEmpty }

    /// The smallest CPU, nil for an empty set.
    public var min: Int? {
        guard let word = words.firstIndex(where: { $0 != 0 }) else { return nil }
        return word * 64 + words[word].trailingZeroBitCount
    }

    /// The largest CPU, nil for an empty set.
    public var max: Int? {
        guard let last = words.last else { return nil }
        return words.count * 64 - 1 - last.leadingZeroBitCount
    }

    /// The CPUs in either set.
    public func union(_ other: CPUSet) -> CPUSet {
        var (long, short) = (words, other.words)
        if long.count < short.count { swap(&long, &short) }
        for index in short.indices { long[index] |= short[index] }
        return CPUSet(words: long)
    }

    /// The CPUs in both sets.
    public func intersection(_ other: CPUSet) -> CPUSet {
        CPUSet(words: zip(words, other.words).lazy.map { $0 & $1 })
    }

    /// The CPUs of this set that are not in `other`.
    public func subtracting(_ other: CPUSet) -> CPUSet {
        var rest = words
        for index in 0..<Swift.min(rest.count, other.words.count) { rest[index] &= ~other.words[index] }
        return CPUSet(words: rest)
    }

    /// Whether every CPU of this set is in `other`.
    public func isSubset(of other: CPUSet) -> Bool {
        words.count <= other.words.count && zip(words, other.words).allSatisfy { $0 & ~$1 == 0 }
    }

    /// Whether the sets have no CPU in common.
    public func isDisjoint(with other: CPUSet) -> Bool { !zip(words, other.words).contains { $0 & $1 != 0 } }

    private mutating func trim() {
        while words.last == 0 { words.removeLast() }
    }
}

extension CPUSet: Codable {
    /// Reads a mask of 64-bit words, CPU 0 the lowest bit of the first.
    public init(from decoder: any Decoder) throws {
        let words = try decoder.singleValueContainer().decode([UInt64].self)
        guard words.count <= (CPUSet.largestCPU + 1) / 64 else {
            throw DecodingError.dataCorrupted(
                DecodingError.Context(
                    codingPath: decoder.codingPath, debugDescription: "a CPU number is at most \(CPUSet.largestCPU)"))
        }
        self.init(words: words)
    }

    /// Writes a mask of 64-bit words, CPU 0 the lowest bit of the first.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(words)
    }
}

extension CPUSet: ExpressibleByArrayLiteral {
    /// Creates a set of the listed CPUs.
    public init(arrayLiteral cpus: Int...) { self.init(cpus) }
}

extension CPUSet: Sequence {
    /// Walks a set in rising order.
    public struct Iterator: IteratorProtocol {
        fileprivate let words: [UInt64]
        fileprivate var word = 0
        fileprivate var rest: UInt64

        fileprivate init(_ words: [UInt64]) {
            self.words = words
            rest = words.first ?? 0
        }

        /// The next CPU, nil at the end.
        public mutating func next() -> Int? {
            while rest == 0 {
                word += 1
                guard word < words.count else { return nil }
                rest = words[word]
            }
            defer { rest &= rest - 1 }
            return word * 64 + rest.trailingZeroBitCount
        }
    }

    /// An iterator over the CPUs in rising order.
    public func makeIterator() -> Iterator { Iterator(words) }

    /// The exact number of CPUs, so that arrays are made in one go.
    public var underestimatedCount: Int { count }
}
