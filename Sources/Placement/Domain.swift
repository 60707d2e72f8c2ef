/// A stretch of the machine whose usable CPUs are nearer to one another than to the rest: a tree of ranges.
///
/// CPUs are named by their position among the usable ones in topological order. There, every core, cache, NUMA node
/// and package is a range, so that a tree of ranges stands for any nesting hardware comes with: NUMA nodes inside
/// packages, packages inside NUMA nodes, L3 caches in either.
struct Domain {
    /// Positions it covers.
    let range: Range<Int>
    /// Parts that cover `range` in order without gaps; none for a leaf.
    private(set) var parts: [Domain] = []

    /// Divides `range` by nesting ranges; those that equal their surroundings or cross another's end are left out.
    init(_ range: Range<Int>, dividedBy ranges: [Range<Int>]) {
        let sorted = ranges.filter { !$0.isEmpty && $0.clamped(to: range) == $0 && $0 != range }.sorted {
            ($0.lowerBound, $1.upperBound) < ($1.lowerBound, $0.upperBound)
        }
        self.init(range, sorted[...])
    }

    /// - Parameter inner: Ranges inside `range`, sorted by start, the longer first.
    private init(_ range: Range<Int>, _ inner: ArraySlice<Range<Int>>) {
        self.range = range
        var rest = inner
        var end = range.lowerBound
        while let outer = rest.popFirst() {
            guard outer != range, outer.lowerBound >= end else { continue }
            let split = rest.firstIndex { $0.lowerBound >= outer.upperBound } ?? rest.endIndex
            if end < outer.lowerBound { parts.append(Domain(end..<outer.lowerBound, [])) }
            parts.append(Domain(outer, rest[..<split].filter { $0.upperBound <= outer.upperBound }[...]))
            rest = rest[split...]
            end = outer.upperBound
        }
        if !parts.isEmpty, end < range.upperBound { parts.append(Domain(end..<range.upperBound, [])) }
    }
}
