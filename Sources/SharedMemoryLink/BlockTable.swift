import Wire

/// Where a message's large arrays lie: in segments that both sides map.
struct BlockTable {
    /// One array.
    struct Entry: Hashable {
        /// Whether the segment is in the receiver's arena, and not in the sender's.
        var isReceivers: Bool
        var segment: SegmentName
        /// Where the array begins in the segment.
        var byteOffset: Int
        /// Bytes of the array.
        var byteCount: Int
    }

    let entries: [Entry]

    /// Words of 8 bytes for each entry, and before the first: an even number, so that the message behind the table is
    /// aligned as the frame is.
    private static let (entryWords, headWords) = (6, 2)

    init(_ entries: [Entry]) {
        self.entries = entries
    }

    /// The table as it stands at the start of a frame.
    var bytes: [UInt8] {
        var words: [UInt64] = [UInt64(entries.count), 0]
        for entry in entries {
            words += [
                entry.isReceivers ? 1 : 0, entry.segment.arena, UInt64(entry.segment.offset),
                UInt64(entry.segment.byteCount), UInt64(entry.byteOffset), UInt64(entry.byteCount),
            ]
        }
        // SAFETY: integers are initialised bytes.
        return unsafe words.withUnsafeBytes { unsafe [UInt8]($0) }
    }

    /// Reads a table.
    ///
    /// - Returns: The table and its size; nil if these bytes do not start with one.
    static func read(_ frame: RawSpan) -> (table: BlockTable, byteCount: Int)? {
        /// The word at a place; any 64 bits are one.
        func word(_ index: Int) -> UInt64 {
            // SAFETY: in bounds, as the callers have seen; initialised as part of a span; unaligned.
            unsafe frame.unsafeLoadUnaligned(fromUncheckedByteOffset: index * 8, as: UInt64.self)
        }
        let available = frame.byteCount / 8
        guard available >= headWords, let count = Int(exactly: word(0)), count <= (available - headWords) / entryWords
        else { return nil }
        var entries: [Entry] = []
        for index in 0..<count {
            let first = headWords + index * entryWords
            let numbers = (2..<entryWords).compactMap { Int(exactly: word(first + $0)) }
            guard numbers.count == 4, word(first) <= 1 else { return nil }
            let segment = SegmentName(arena: word(first + 1), offset: numbers[0], byteCount: numbers[1])
            entries.append(
                Entry(
                    isReceivers: word(first) == 1, segment: segment, byteOffset: numbers[2], byteCount: numbers[3]))
        }
        return (BlockTable(entries), 8 * (headWords + count * entryWords))
    }
}
