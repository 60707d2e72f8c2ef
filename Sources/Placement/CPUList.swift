/// A list of CPUs that could not be read.
public struct CPUListError: Error, Hashable, CustomStringConvertible {
    /// The piece between commas that is wrong, as it was written.
    public let piece: String
    /// What is wrong with it.
    public let problem: String

    /// What is wrong, where, and how such a list is written.
    public var description: String {
        "'\(piece)' in a list of CPUs \(problem); write numbers and ranges, such as 0-3,8,10-11"
    }
}

extension CPUSet {
    /// Reads a list as Linux writes it, such as `0-3,8,10-11`; spaces and line ends around it are ignored, and an
    /// empty text is an empty set.
    ///
    /// - Throws: ``CPUListError`` naming the piece that is no number or range, runs backwards, or is too large.
    public init(parsing text: some StringProtocol) throws(CPUListError) {
        self.init()
        for range in try Self.ranges(in: text) {
            for cpu in range { insert(cpu) }
        }
    }

    /// Reads a list like ``init(parsing:)`` but keeps the order in which CPUs are written, and those written twice.
    ///
    /// For lists where the order says which worker gets which CPU.
    ///
    /// - Throws: ``CPUListError`` as above, also for a list of more CPUs than a set can hold.
    public static func list(parsing text: some StringProtocol) throws(CPUListError) -> [Int] {
        var list: [Int] = []
        for range in try ranges(in: text) {
            guard list.count + range.count <= largestCPU + 1 else {
                throw CPUListError(
                    piece: "\(range.lowerBound)-\(range.upperBound)", problem: "makes the list too long")
            }
            list.append(contentsOf: range)
        }
        return list
    }

    private static func ranges(in text: some StringProtocol) throws(CPUListError) -> [ClosedRange<Int>] {
        let text = trimmed(Substring(text))
        guard !text.isEmpty else { return [] }
        var ranges: [ClosedRange<Int>] = []
        for piece in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = piece.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
            let first = try cpu(ends[0], in: piece)
            let last = ends.count == 1 ? first : try cpu(ends[1], in: piece)
            guard first <= last else { throw CPUListError(piece: String(piece), problem: "runs backwards") }
            ranges.append(first...last)
        }
        return ranges
    }

    private static func cpu(_ digits: Substring, in piece: Substring) throws(CPUListError) -> Int {
        let digits = trimmed(digits)
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) }) else {
            throw CPUListError(piece: String(piece), problem: "is neither a CPU number nor a range")
        }
        guard let cpu = Int(digits), cpu <= largestCPU else {
            throw CPUListError(piece: String(piece), problem: "is beyond the largest CPU number, \(largestCPU)")
        }
        return cpu
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return text
    }
}

extension CPUSet: CustomStringConvertible {
    /// The set as Linux writes it, such as `0-3,8,10-11`; empty for an empty set.
    public var description: String {
        var pieces: [String] = []
        var run: ClosedRange<Int>?
        func close() {
            guard let run else { return }
            pieces.append(run.count == 1 ? "\(run.lowerBound)" : "\(run.lowerBound)-\(run.upperBound)")
        }
        for cpu in self {
            if let last = run, last.upperBound + 1 == cpu {
                run = last.lowerBound...cpu
            } else {
                close()
                run = cpu...cpu
            }
        }
        close()
        return pieces.joined(separator: ",")
    }
}
