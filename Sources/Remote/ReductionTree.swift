/// Which elements a part of a reduction has, and in which order they are put together.
///
/// The elements are cut into leaves, a power of two, whose number depends on that of the elements alone; a leaf is folded from its
/// first element to its last, and two neighbours are put together, and so on. So the result is the same, to the last bit, whoever
/// computes which part.
package struct ReductionTree: Hashable, Sendable {
    /// Most leaves: many enough for 512 workers to have eight parts each.
    package static let mostLeaves = 4096

    /// Number of elements.
    package let count: Int
    /// Number of leaves; a power of two, or none without elements.
    package let leafCount: Int

    package init(count: Int) {
        precondition(count >= 0, "there is no negative number of elements")
        self.count = count
        var leaves = 1
        while leaves < ReductionTree.mostLeaves, leaves * 2 <= count { leaves *= 2 }
        leafCount = count == 0 ? 0 : leaves
    }

    /// The elements of leaves.
    package func elements(of leaves: Range<Int>) -> Range<Int> {
        bound(leaves.lowerBound)..<bound(leaves.upperBound)
    }

    /// Where a leaf starts: sizes differ by one at most.
    private func bound(_ leaf: Int) -> Int {
        let (share, rest) = (count / leafCount, count % leafCount)
        return leaf * share + min(leaf, rest)
    }

    /// The leaves in as many parts, of the same number of leaves each.
    ///
    /// - Returns: At least as many parts as asked for, where there are so many leaves; a power of two.
    package func parts(atLeast wanted: Int) -> [Range<Int>] {
        var number = 1
        while number < wanted, number < leafCount { number *= 2 }
        guard leafCount > 0 else { return [] }
        let size = leafCount / number
        return (0..<number).map { $0 * size..<($0 + 1) * size }
    }

    /// Sizes of leaves.
    package func sizes(of leaves: Range<Int>) -> [Int] { leaves.map { bound($0 + 1) - bound($0) } }
}
