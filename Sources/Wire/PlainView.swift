/// The elements of a plain array, borrowed from a message: nothing is copied, and any alignment will do.
///
/// An element is loaded from its bytes when it is asked for. Where the bytes are aligned for the elements, ``span`` is
/// there too: the writer aligns blocks of 64 bytes or more relative to the message's start, so it is for those
/// if the message itself starts at a multiple of 16 (as memory from an allocator does).
///
/// The compiler keeps a view from outliving the bytes that it was read from.
public struct PlainView<Element: Plain>: ~Escapable {
    /// The elements' bytes, one after another.
    public let bytes: RawSpan
    /// Number of elements.
    public let count: Int

    /// - Precondition: `bytes` holds `count` elements without gaps between them.
    @inlinable
    @_lifetime(copy bytes)
    internal init(_ bytes: RawSpan, count: Int) {
        self.bytes = bytes
        self.count = count
    }

    /// Whether there are no elements.
    @inlinable
    public var isEmpty: Bool { count == 0 }

    /// The positions of all elements.
    @inlinable
    public var indices: Range<Int> { 0..<count }

    /// The element at `position`, which must be one of ``indices``.
    @inlinable
    public subscript(position: Int) -> Element {
        precondition(position >= 0 && position < count, "a position inside the view")
        // SAFETY: in bounds by the precondition; initialised as part of a span; any bits are an element; unaligned.
        return unsafe bytes.unsafeLoadUnaligned(
            fromUncheckedByteOffset: position &* MemoryLayout<Element>.size, as: Element.self)
    }

    /// The elements as a span, or nil if their bytes are not aligned, or if `Element` has a gap at its end in memory.
    @inlinable
    public var span: Span<Element>? {
        @_lifetime(copy self)
        get {
            if isEmpty { return Span() }
            guard MemoryLayout<Element>.size == MemoryLayout<Element>.stride, isAligned else { return nil }
            // Aligned, and `count` whole elements: it would trap otherwise.
            return Span(_bytes: bytes)
        }
    }

    /// Whether the bytes lie at an address that is a multiple of the elements' alignment.
    @inlinable
    internal var isAligned: Bool {
        unsafe bytes.withUnsafeBytes { Int(bitPattern: $0.baseAddress) & (MemoryLayout<Element>.alignment &- 1) == 0 }
    }

    /// The elements as an array of its own.
    ///
    /// - Complexity: O(`count`), one allocation.
    @inlinable
    public func copyElements() -> [Element] {
        if MemoryLayout<Element>.size != MemoryLayout<Element>.stride { return indices.map { self[$0] } }
        return unsafe bytes.withUnsafeBytes { source in
            // SAFETY: the bytes hold `count` elements without gaps, and are used during the call only.
            guard let start = source.baseAddress, count > 0 else { return [] }
            return unsafe [Element](UnalignedElements(start, count: count))
        }
    }
}
