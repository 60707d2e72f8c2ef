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
    @inline(__always)
    @_lifetime(copy self)
    public mutating func readView<T: Plain>(of type: T.Type) throws(WireError) -> PlainView<T> {
        let count = try readLength()
        if MemoryLayout<T>.size > 0 && count < WireFormat.alignedBlock / MemoryLayout<T>.size {
            return PlainView(try borrow(count &* MemoryLayout<T>.size), count: count)
        }
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
        let (start, block, free) = (position, nextBlock, freeBytes)
        let view: PlainView<T>
        do {
            view = try readView(of: T.self)
            if let span = view.span { return span }
        } catch {
            if error.code == .misaligned { (position, nextBlock, freeBytes) = (start, block, free) }
            throw error
        }
        let blockStart = position &- view.bytes.byteCount
        (position, nextBlock, freeBytes) = (start, block, free)
        throw misaligned(blockStart, MemoryLayout<T>.alignment)
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
    @inline(__always)
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
        return try validated(Span(_bytes: bytes), at: start)
    }

    /// Text that is not all ASCII.
    @usableFromInline
    @inline(never)
    @_lifetime(copy text)
    internal func validated(_ text: Span<UInt8>, at offset: Int) throws(WireError) -> UTF8Span {
        do {
            return try UTF8Span(validating: text)
        } catch {
            throw WireError(code: .invalidUTF8, offset: offset)
        }
    }

    /// Reads the number of elements that an array, set or dictionary has written before them, to read them one by one.
    ///
    /// ```swift
    /// for _ in 0..<(try input.readCount()) { total += try input.readUTF8().count }   // what [String] has written
    /// ```
    ///
    /// - Returns: At least 0. Nothing has compared it with the bytes that remain: reserve no memory for so many.
    /// - Throws: ``WireError/Code/invalidLength``, or ``WireError/Code/truncated``.
    @inlinable
    @inline(__always)
    public mutating func readCount() throws(WireError) -> Int {
        try readLength()
    }

    /// Reads whether an optional has a value, which then follows.
    ///
    /// - Throws: ``WireError/Code/invalidTag``, or ``WireError/Code/truncated``.
    @inlinable
    public mutating func readIsPresent() throws(WireError) -> Bool {
        let tag = try readPlain(UInt8.self)
        guard tag <= 1 else { throw invalidByte(.invalidTag, tag) }
        return tag == 1
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
    internal mutating func misaligned(_ offset: Int, _ alignment: Int) -> WireError {
        WireError(code: .misaligned, offset: offset, detail: "the elements are not aligned to \(alignment) bytes")
    }
}
