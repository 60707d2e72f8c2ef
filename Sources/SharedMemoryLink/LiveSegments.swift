/// The segments of an arena that this process has references to, counted.
///
/// A count of its own, and no weak references: from the last release on, a segment is not live, whatever other threads
/// have seen.
internal struct LiveSegments: Sendable {
    private struct Live {
        let byteCount: Int
        var references: Int
    }

    private var live: [Int: Live] = [:]

    /// The size of the live segment at an offset.
    func byteCount(at offset: Int) -> Int? { live[offset]?.byteCount }

    /// Counts one reference more.
    mutating func retain(_ name: SegmentName) {
        live[name.offset, default: Live(byteCount: name.byteCount, references: 0)].references += 1
    }

    /// Counts one reference less; true if that was the last.
    mutating func release(_ name: SegmentName) -> Bool {
        guard let segment = live[name.offset] else { preconditionFailure("a segment that is live") }
        live[name.offset]?.references -= 1
        guard segment.references == 1 else { return false }
        live[name.offset] = nil
        return true
    }
}
