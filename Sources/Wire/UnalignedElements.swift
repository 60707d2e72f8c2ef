/// Plain elements at any address, as the standard library's `Array(_:)` copies them.
///
/// `Array(unsafeUninitializedCapacity:initializingWith:)` looks the array's class up in the runtime's tables each time,
/// because Swift 6.3 doesn't specialise it: 34 ns for an array of four elements. `Array(_:)` of a collection that can
/// copy itself as a whole is specialised: 17 ns.
@usableFromInline
@safe
internal struct UnalignedElements<Element: Plain>: RandomAccessCollection {
    @usableFromInline internal let base: UnsafeRawPointer
    @usableFromInline internal let endIndex: Int

    /// `count` elements without gaps between them; `bytes` holds them, and stays as long as this is used.
    @inlinable
    internal init(_ base: UnsafeRawPointer, count: Int) {
        unsafe self.base = base
        endIndex = count
    }

    @inlinable
    internal var startIndex: Int { 0 }

    @inlinable
    internal subscript(position: Int) -> Element {
        // SAFETY: `Array(_:)` asks for elements below `endIndex`; any bits are one; unaligned load.
        unsafe base.loadUnaligned(fromByteOffset: position &* MemoryLayout<Element>.stride, as: Element.self)
    }

    @inlinable
    internal func _copyContents(
        initializing buffer: UnsafeMutableBufferPointer<Element>
    ) -> (Iterator, UnsafeMutableBufferPointer<Element>.Index) {
        let copied = Swift.min(buffer.count, endIndex)
        // SAFETY: both have room for `copied` strides; any bits are an `Element`; the buffer is another memory.
        if let start = buffer.baseAddress {
            let byteCount = copied &* MemoryLayout<Element>.stride
            if byteCount >= 4 << 20 { unsafe expectLargeWrite(to: start, byteCount: byteCount) }
            unsafe UnsafeMutableRawPointer(start)
                .copyMemory(from: base, byteCount: copied &* MemoryLayout<Element>.stride)
        }
        return (Iterator(_elements: self, _position: copied), copied)
    }
}
