// What can be read without owning it. A view is valid as long as the bytes that the reader was made with, which the
// compiler checks: callers need no feature for it. Reading on does not end it.
extension WireReader {
    /// Reads a plain array, as ``PlainView``: any alignment will do.
    ///
    /// ```swift
    /// let scores = try input.readView(of: Int32.self)   // what [Int32] has written
    /// for index in scores.indices { total += scores[index] }
    /// ```
    ///
    /// - Throws: ``WireError/Code/truncated``, or ``WireError/Code/invalidLength``.
    /// - Complexity: O(1), allocates nothing.
    @inlinable
    @_lifetime(copy self)
    public mutating func readView<T: Plain>(of type: T.Type) throws(WireError) -> PlainView<T> {
        let count = try readLength()
        return try readElements(of: T.self, count: count)
    }

    /// Reads a plain array as a span of its elements.
    ///
    /// For big arrays, which are aligned where the message is. A small one may lie anywhere: ``readView(of:)`` reads it
    /// wherever it lies, and nothing is copied here behind the caller's back.
    ///
    /// - Throws: ``WireError/Code/misaligned`` if the elements' bytes are not aligned for a span (or `T` has a gap at
    ///   its end in memory, which does not travel); nothing is read then, so that another way can be tried.
    ///   ``WireError/Code/truncated``, or ``WireError/Code/invalidLength``.
    /// - Complexity: O(1), allocates nothing.
    @inlinable
    @_lifetime(copy self)
    public mutating func readSpan<T: Plain>(of type: T.Type) throws(WireError) -> Span<T> {
        let start = position
        let view = try readView(of: T.self)
        guard let span = view.span else {
            let blockStart = position &- view.bytes.byteCount
            position = start
            throw misaligned(blockStart, MemoryLayout<T>.alignment)
        }
        return span
    }

    /// Reads bytes: what a `[UInt8]` or `Data` has written.
    ///
    /// - Throws: ``WireError/Code/truncated``, or ``WireError/Code/invalidLength``.
    /// - Complexity: O(1), allocates nothing.
    @inlinable
    @_lifetime(copy self)
    public mutating func readBytes() throws(WireError) -> RawSpan {
        let count = try readLength()
        return try readElements(of: UInt8.self, count: count).bytes
    }

    /// Reads text as the UTF-8 bytes it is, which are checked once, here.
    ///
    /// - Throws: ``WireError/Code/invalidUTF8``, at the offset where the text starts; ``WireError/Code/truncated``, or
    ///   ``WireError/Code/invalidLength``.
    /// - Complexity: O(number of bytes), allocates nothing.
    @inlinable
    @_lifetime(copy self)
    public mutating func readUTF8() throws(WireError) -> UTF8Span {
        let byteCount = try readLength()
        return try readUTF8(byteCount: byteCount)
    }

    /// Reads text of `byteCount` bytes, without its length.
    @inlinable
    @inline(__always)
    @_lifetime(copy self)
    internal mutating func readUTF8(byteCount: Int) throws(WireError) -> UTF8Span {
        let start = position
        let bytes = try borrow(byteCount)
        if bytes.isASCII {
            // SAFETY: ASCII is valid UTF-8.
            return unsafe UTF8Span(unchecked: Span(_bytes: bytes), isKnownASCII: true)
        }
        do {
            return try UTF8Span(validating: Span(_bytes: bytes))
        } catch {
            throw WireError(code: .invalidUTF8, offset: start)
        }
    }

    /// Takes the next bytes as they are.
    @inlinable
    @inline(__always)
    @_lifetime(copy self)
    internal mutating func borrow(_ byteCount: Int) throws(WireError) -> RawSpan {
        try need(byteCount)
        let start = position
        position &+= byteCount
        // SAFETY: in bounds by `need`; a length is never negative.
        return unsafe bytes.extracting(unchecked: start..<start &+ byteCount)
    }

    /// The error for elements that are not aligned.
    @usableFromInline
    @inline(never)
    internal func misaligned(_ offset: Int, _ alignment: Int) -> WireError {
        WireError(code: .misaligned, offset: offset, detail: "the elements are not aligned to \(alignment) bytes")
    }
}
