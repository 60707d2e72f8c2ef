import Synchronization

/// Who owns a block of a message, and can show it at an address where an array's head fits before it.
package protocol ArrayRoom: AnyObject {
    /// Shows bytes of this owner's at another address, with room of their own before them.
    ///
    /// - Parameter bytes: Bytes that this owner keeps.
    /// - Returns: Where the bytes can be read, at the same distance from an address that is a multiple of 16; the
    ///   ``AdoptedArray/headByteCount`` bytes before them can be written to, and are nobody's. What owns that memory may be
    ///   released on any thread. nil if there is no such address.
    func makeRoom(before bytes: UnsafeRawBufferPointer) -> (bytes: UnsafeRawBufferPointer, owner: AnyObject)?
}

/// The arrays that a ``WireReader`` has made in the memory of the message that they were read from, without a copy.
///
/// It keeps that memory until nobody has the arrays any more, which nothing tells: ask ``isInUse`` when what was read is
/// given up, or call ``dropUnused()`` from time to time.
///
/// ```swift
/// let arrays = AdoptedArrays()
/// let samples = try [Double](wireMessage: message, adopting: arrays)   // pages of the segment that was received
/// ```
///
/// If it goes before its arrays do, those are kept by the process, and dropped when another keeper is asked to, or goes.
@usableFromInline
package final class AdoptedArrays: Sendable {
    /// Blocks of at least so many bytes are adopted; 1 MB unless told.
    ///
    /// A copy of few bytes, to memory that the process has already, is faster than a mapping of their own and its page
    /// faults: 37 µs for 1 MB in place of 110. For 80 MB it is 14 ms in place of 42, and for any number memory for one.
    package let minimumByteCount: Int
    private let arrays = Mutex<[AdoptedArray]>([])
    /// What keepers that are gone have left.
    private static let leftovers = Mutex<[AdoptedArray]>([])

    /// Keeps nothing yet.
    package init(minimumByteCount: Int = 1 << 20) {
        self.minimumByteCount = minimumByteCount
    }

    deinit {
        let rest = arrays.withLock { $0 }
        AdoptedArrays.leftovers.withLock { $0 += rest }
        AdoptedArrays.dropUnused(of: AdoptedArrays.leftovers)
    }

    /// Number of arrays whose memory is kept.
    package var count: Int { arrays.withLock { $0.count } }

    /// Whether anybody has any of the arrays.
    package var isInUse: Bool { arrays.withLock { $0.contains(where: \.isInUse) } }

    /// Gives up the memory of the arrays that nobody has any more, here and of keepers that are gone.
    ///
    /// - Complexity: O(number of arrays), and for each that is dropped what its owner takes to be released.
    package func dropUnused() {
        AdoptedArrays.dropUnused(of: arrays)
        AdoptedArrays.dropUnusedLeftovers()
    }

    /// Gives up the memory of arrays that nobody has any more, and whose keepers are gone.
    package static func dropUnusedLeftovers() { dropUnused(of: leftovers) }

    private static func dropUnused(of arrays: borrowing Mutex<[AdoptedArray]>) {
        var unused: [AdoptedArray] = []
        arrays.withLock { arrays in
            let end = arrays.partition { !$0.isInUse }
            unused = Array(arrays[end...])
            arrays.removeSubrange(end...)
        }
        // Their owners go here, outside of the lock.
        unused.removeAll()
    }

    /// Makes an array of the bytes of a block, and keeps their memory.
    ///
    /// - Returns: nil if they have to be copied.
    @usableFromInline
    @inline(never)
    internal func adopt<Element: Plain>(_ block: SharedArray<UInt8>, as type: Element.Type) -> [Element]? {
        guard block.count >= minimumByteCount, let owner = block.owner as? any ArrayRoom,
            AdoptedArray.isPossible(for: Element.self)
        else { return nil }
        let room = unsafe block.span.withUnsafeBytes { unsafe owner.makeRoom(before: $0) }
        guard let room = unsafe room, Int(bitPattern: unsafe room.bytes.baseAddress) & 15 == 0 else { return nil }
        // SAFETY: any bytes are plain elements; `makeRoom` vouches for the room, and its owner keeps it.
        let adopted = unsafe AdoptedArray.adopt(room.bytes.bindMemory(to: Element.self), owner: room.owner)
        guard let (kept, array) = adopted else { return nil }
        arrays.withLock { $0.append(kept) }
        return array
    }
}
