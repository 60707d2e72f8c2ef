/// The ranges of pages that nobody has, found by size.
///
/// Blocks that touch are one block. Sizes fall into classes, 16 to each power of two, and a block is taken from the
/// first class in which every block is large enough: so a search never walks a list, and finds a block whenever one
/// of the size that ``rounded(_:)`` gives is free.
///
/// - Complexity: Every operation is O(1), but for what says otherwise.
///
/// Source: the two-level segregated fit of Masmano, Ripoll, Crespo and Real (2004), with dictionaries for boundary tags.
internal struct FreeBlocks: Sendable {
    private struct Block {
        var count: Int
        /// Index in its bucket.
        var place: Int
    }

    /// Every block by its first page.
    private var blocks: [Int: Block] = [:]
    /// The first page of the block that ends before a page.
    private var firsts: [Int: Int] = [:]
    /// By class, the first pages of its blocks; the one freed last is at the end.
    private var buckets: [[Int]] = []
    /// Which buckets are not empty, 64 to a word.
    private var occupied: [UInt64] = []

    /// Number of blocks; no two of them touch.
    var count: Int { blocks.count }

    /// Adds a range that is free from now on, and joins it with its neighbours.
    mutating func insert(_ range: Range<Int>) {
        guard !range.isEmpty else { return }
        var (lower, upper) = (range.lowerBound, range.upperBound)
        if let below = firsts[lower] {
            remove(below)
            lower = below
        }
        if let above = blocks[upper] {
            remove(upper)
            upper += above.count
        }
        add(lower..<upper)
    }

    /// Takes `count` pages, at least 1, from the start of a block that is little larger if there is one.
    ///
    /// - Complexity: O(1) while a block of the rounded size is free, or else O(blocks of the same class).
    mutating func take(_ count: Int) -> Range<Int>? {
        guard let first = find(count), let block = blocks[first] else { return nil }
        remove(first)
        add(first + count..<first + block.count)
        return first..<first + count
    }

    /// Calls `body` with the blocks, a class of larger ones before one of smaller ones, until it returns false.
    ///
    /// - Complexity: O(blocks visited).
    func fromLargest(_ body: (Range<Int>) -> Bool) {
        for bucket in buckets.reversed() {
            for first in bucket {
                guard let block = blocks[first] else { preconditionFailure("a bucket lists blocks that are free") }
                guard body(first..<first + block.count) else { return }
            }
        }
    }

    /// `count` or the next larger number at which a class begins: at most a sixteenth more.
    static func rounded(_ count: Int) -> Int {
        guard count >= 16 else { return count }
        let quantum = 1 << (exponent(count) - 4)
        return (count + quantum - 1) & ~(quantum - 1)
    }

    private func find(_ count: Int) -> Int? {
        let own = FreeBlocks.sizeClass(count)
        let sure = FreeBlocks.sizeClass(FreeBlocks.rounded(count))
        if let found = firstOccupied(from: sure) { return buckets[found].last }
        // No block is sure to be large enough, but one of the same class may be.
        guard own < buckets.count else { return nil }
        return buckets[own].last { (blocks[$0]?.count ?? 0) >= count }
    }

    private func firstOccupied(from start: Int) -> Int? {
        var word = start / 64
        guard word < occupied.count else { return nil }
        var bits = occupied[word] & (~0 << UInt64(start % 64))
        while bits == 0 {
            word += 1
            guard word < occupied.count else { return nil }
            bits = occupied[word]
        }
        return word * 64 + bits.trailingZeroBitCount
    }

    private mutating func add(_ range: Range<Int>) {
        guard !range.isEmpty else { return }
        let number = FreeBlocks.sizeClass(range.count)
        while buckets.count <= number { buckets.append([]) }
        while occupied.count * 64 <= number { occupied.append(0) }
        blocks[range.lowerBound] = Block(count: range.count, place: buckets[number].count)
        firsts[range.upperBound] = range.lowerBound
        buckets[number].append(range.lowerBound)
        occupied[number / 64] |= 1 << UInt64(number % 64)
    }

    private mutating func remove(_ first: Int) {
        guard let block = blocks.removeValue(forKey: first) else { preconditionFailure("a block that is free") }
        firsts[first + block.count] = nil
        let number = FreeBlocks.sizeClass(block.count)
        // The last of the bucket takes its place.
        let last = buckets[number].removeLast()
        if last != first {
            buckets[number][block.place] = last
            blocks[last]?.place = block.place
        }
        if buckets[number].isEmpty { occupied[number / 64] &= ~(1 << UInt64(number % 64)) }
    }

    private static func exponent(_ count: Int) -> Int { Int.bitWidth - 1 - count.leadingZeroBitCount }

    /// 0 to 15 for those sizes, then 16 classes for each power of two.
    private static func sizeClass(_ count: Int) -> Int {
        guard count >= 16 else { return count }
        let exponent = exponent(count)
        return (exponent - 3) * 16 + (count >> (exponent - 4)) & 15
    }
}
