// Arrays of plain elements for code that knows their size at run time only: the same bytes as `[Element]` gives, and no
// type to be looked up.

extension WireWriter {
    /// Appends an array of `count` plain elements without gaps, whose bytes the caller writes.
    ///
    /// - Returns: Where `count * size` bytes belong, valid until the next call. All of them must be written before it.
    ///   Aligned for the elements, if `size * count` is 64 or more and their alignment at most 16.
    @unsafe
    package mutating func appendPlainArray(count: Int, size: Int, alignment: Int) -> UnsafeMutableRawPointer {
        append(length: count)
        let byteCount = count * size
        if byteCount >= WireFormat.alignedBlock {
            appendPadding(toAlignment: alignment, blockSize: byteCount)
        } else {
            reserve(byteCount)
        }
        defer { unsafe cursor += byteCount }
        return unsafe cursor
    }

    /// Takes back what was written behind the first `byteCount` bytes, none of it an array that was kept.
    package mutating func removeBytes(after byteCount: Int) {
        precondition(byteCount >= 0 && byteCount <= self.byteCount, "only what was written is taken back")
        // SAFETY: within the buffer, by the precondition.
        unsafe cursor = unsafe base + byteCount
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
