/// Large plain arrays that a ``WireWriter`` did not copy: the message's blocks, in order.
@usableFromInline
internal struct KeptBlocks {
    @usableFromInline
    internal struct Block {
        /// Where in the writer's bytes the array's padding byte is; the elements belong behind it.
        let offset: Int
        let bytes: SharedArray<UInt8>
        let alignment: Int
    }

    /// Arrays of at least so many bytes are kept; `Int.max` for none.
    @usableFromInline internal let minimumByteCount: Int
    /// Whether the message will be put together in one array, in which what follows a block is to be aligned.
    internal let areGathered: Bool
    /// Bytes that the blocks add to what lies before the writer's next byte in that array.
    @usableFromInline internal private(set) var addedByteCount = 0
    @usableFromInline internal private(set) var blocks: [Block] = []
    /// The blocks' memory, by address. An array that is written twice is kept once and copied then, so that blocks
    /// never overlap: a reader takes no more memory than it was sent.
    private var taken: [(start: UInt, end: UInt)] = []
    /// Blocks that lay before others which came earlier: each moves those, so that there can't be many.
    private var strays = 0
    private static let mostStrays = 1024

    internal init(minimumByteCount: Int?, areGathered: Bool) {
        self.areGathered = areGathered
        self.minimumByteCount = minimumByteCount.map { max($0, WireFormat.alignedBlock) } ?? .max
    }

    /// Whether the memory belongs to no block yet.
    internal func canKeep(_ bytes: SharedArray<UInt8>) -> Bool {
        let (start, end) = bytes.addresses
        let next = position(of: start)
        if next < taken.count && (strays == KeptBlocks.mostStrays || taken[next].start < end) { return false }
        return next == 0 || taken[next - 1].end <= start
    }

    /// Adds a block that can be kept.
    internal mutating func keep(_ block: Block) {
        let next = position(of: block.bytes.addresses.start)
        if next < taken.count { strays += 1 }
        taken.insert(block.bytes.addresses, at: next)
        blocks.append(block)
        if areGathered { addedByteCount += padding(before: block, added: addedByteCount) + block.bytes.count }
    }

    /// Drops the blocks whose place is at `offset` or behind it.
    internal mutating func remove(after offset: Int) {
        precondition(blocks.isEmpty || !areGathered, "what is gathered is not taken back")
        while let last = blocks.last, last.offset >= offset {
            taken.removeAll { $0 == last.bytes.addresses }
            blocks.removeLast()
        }
    }

    /// Bytes of padding between a block's padding byte and its elements, in one array with all that lies before.
    internal func padding(before block: Block, added: Int) -> Int {
        (0 &- (block.offset + 1 + added)) & (block.alignment &- 1)
    }

    internal mutating func removeAll() {
        self = KeptBlocks(
            minimumByteCount: minimumByteCount == .max ? nil : minimumByteCount, areGathered: areGathered)
    }

    /// Index of the first taken range that starts after `address`; blocks mostly come in order.
    private func position(of address: UInt) -> Int {
        if let last = taken.last, last.start <= address { return taken.count }
        var (low, high) = (0, taken.count)
        while low < high {
            let middle = (low + high) / 2
            if taken[middle].start <= address { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension SharedArray<UInt8> {
    /// The addresses of the bytes, and of the end.
    internal var addresses: (start: UInt, end: UInt) {
        let start = unsafe UInt(bitPattern: base)
        return (start, start + UInt(count))
    }
}

extension WireWriter {
    /// Keeps the elements of `array` as a block.
    ///
    /// - Returns: `false` if they have to be copied: they are not plain, or kept already.
    @usableFromInline
    @inline(never)
    internal mutating func keep<Element: WireEncodable>(_ array: [Element]) -> Bool {
        // `travelsAsBlock` says what the conformance does; this, that its bytes may be looked at.
        guard let plain = Element.self as? any Plain.Type else { return false }
        func shared<P: Plain>(_ type: P.Type) -> SharedArray<UInt8>? {
            guard MemoryLayout<P>.size == MemoryLayout<P>.stride else { return nil }
            return SharedArray<UInt8>(bytesOfPlain: array)
        }
        guard let bytes = shared(plain) else { return false }
        return keep(bytes, count: array.count, alignment: MemoryLayout<Element>.alignment)
    }

    /// Keeps the bytes of `count` plain elements as a block.
    ///
    /// - Returns: `false` if they have to be copied: they are kept already.
    @usableFromInline
    internal mutating func keep(_ bytes: SharedArray<UInt8>, count: Int, alignment: Int) -> Bool {
        guard kept.canKeep(bytes) else { return false }
        append(length: count)
        kept.keep(KeptBlocks.Block(offset: byteCount, bytes: bytes, alignment: min(alignment, 16)))
        append(plain: WireFormat.blockFollows)
        return true
    }

    /// The message in one array: what it would be if nothing had been kept, if the writer was made for that.
    internal consuming func gathered() -> [UInt8] {
        var total = byteCount
        let paddings = kept.blocks.map { block in
            // How much the message has grown so far is how much more lies before the block than in the writer.
            let padding = kept.padding(before: block, added: total - byteCount)
            total += padding + block.bytes.count
            return padding
        }
        return unsafe [UInt8](unsafeUninitializedCapacity: total) { target, filled in
            /// Copies the bytes behind what is there.
            func put(_ bytes: UnsafeRawBufferPointer) {
                // SAFETY: the pieces add up to `total` bytes, for which there is room.
                let room = UnsafeMutableRawBufferPointer(target)
                unsafe UnsafeMutableRawBufferPointer(rebasing: room[filled...]).copyMemory(from: bytes)
                filled += bytes.count
            }
            // SAFETY: the bytes before `cursor` are initialised, and so are the blocks'.
            let bytes = unsafe UnsafeRawBufferPointer(start: base, count: byteCount)
            var source = 0
            for (block, padding) in zip(kept.blocks, paddings) {
                unsafe put(UnsafeRawBufferPointer(rebasing: bytes[source...block.offset]))
                unsafe target[filled - 1] = UInt8(padding)
                for _ in 0..<padding {
                    unsafe target[filled] = 0
                    filled += 1
                }
                unsafe block.bytes.span.withUnsafeBytes { unsafe put($0) }
                source = block.offset + 1
            }
            unsafe put(UnsafeRawBufferPointer(rebasing: bytes[source...]))
        }
    }
}

/// Holds an array, so that a block of its elements can.
internal final class ArrayOwner<Element> {
    let array: [Element]
    init(_ array: [Element]) { self.array = array }
}
