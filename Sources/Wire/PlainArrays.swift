// Arrays of plain elements for code that knows their size at run time only: the same bytes as `[Element]` gives, and no
// type to be looked up.

/// Makes blocks where a message can have them without a copy.
package protocol BlockMaker: AnyObject, Sendable {
    /// A block of `byteCount` bytes, at least 1, that nobody else has, and where to write them before anyone reads them.
    ///
    /// - Returns: nil if there is no room for it. The address is aligned to 16 bytes.
    func makeBlock(byteCount: Int) -> (bytes: SharedArray<UInt8>, base: UnsafeMutableRawPointer)?
}

extension WireWriter {
    /// Appends an array of `count` plain elements without gaps, whose bytes the caller writes: large ones in a block, if the
    /// writer has somebody to make it.
    ///
    /// - Returns: Where `count * size` bytes belong, valid until the next call. All of them must be written before it.
    ///   Aligned for the elements, if `size * count` is 64 or more and their alignment at most 16.
    @unsafe
    package mutating func appendPlainArray(count: Int, size: Int, alignment: Int) -> UnsafeMutableRawPointer {
        let byteCount = count * size
        if byteCount >= kept.minimumByteCount, let made = unsafe maker?.makeBlock(byteCount: byteCount),
            unsafe keep(made.bytes, count: count, alignment: alignment)
        {
            return unsafe made.base
        }
        append(length: count)
        if byteCount >= WireFormat.alignedBlock {
            appendPadding(toAlignment: alignment, blockSize: byteCount)
        } else {
            reserve(byteCount)
        }
        defer { unsafe cursor += byteCount }
        return unsafe cursor
    }

    /// Appends a part of an array of plain elements without gaps: large ones are kept beside the message, not copied.
    ///
    /// - Parameters:
    ///   - bytes: The whole array's.
    ///   - batch: The part, in elements of `size` bytes.
    package mutating func write(
        plain bytes: SharedArray<UInt8>, at batch: Range<Int>, size: Int, alignment: Int
    ) {
        let (offset, byteCount) = (batch.lowerBound * size, batch.count * size)
        precondition(offset >= 0 && byteCount <= bytes.count - offset, "a part of the array")
        if byteCount >= kept.minimumByteCount {
            let part = bytes.extracting(offset..<offset + byteCount)
            if keep(part, count: batch.count, alignment: alignment) { return }
        }
        guard let start = unsafe bytes.base else { return append(length: 0) }
        let target = unsafe appendPlainArray(count: batch.count, size: size, alignment: alignment)
        // SAFETY: a part of the array, by the precondition, and room for as many bytes.
        unsafe target.copyMemory(from: start + offset, byteCount: byteCount)
    }

    /// Takes back what was written behind the first `byteCount` bytes.
    package mutating func removeBytes(after byteCount: Int) {
        precondition(byteCount >= 0 && byteCount <= self.byteCount, "only what was written is taken back")
        // SAFETY: within the buffer, by the precondition.
        unsafe cursor = unsafe base + byteCount
        kept.remove(after: byteCount)
    }
}

extension WireReader {
    /// Reads an array of plain elements of `size` bytes without gaps.
    ///
    /// - Returns: All of their bytes, which are a multiple of `size`; aligned or not.
    /// - Throws: ``WireError``, as for `[Element]`.
    @_lifetime(copy self)
    package mutating func readPlainArray(size: Int, alignment: Int) throws(WireError) -> RawSpan {
        let count = try readLength()
        return try readElementBytes(count: count, size: size, alignment: alignment)
    }
}

extension SharedArray<UInt8> {
    /// The bytes of an array's elements, which are not copied.
    ///
    /// - Precondition: The elements are plain, and have no gaps between them.
    package init<Value>(bytesOfPlain array: [Value]) {
        let owner = ArrayOwner(array)
        self = unsafe owner.array.withUnsafeBytes { bytes in
            // SAFETY: plain elements without gaps are initialised bytes. An array's elements stay where they are, and as
            // they are, while there is a second reference to it: the owner's, which never changes it.
            unsafe SharedArray(bytes.assumingMemoryBound(to: UInt8.self), owner: owner)
        }
    }
}
