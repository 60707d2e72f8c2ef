extension SharedArray: RandomAccessCollection {
    /// 0.
    @inlinable
    public var startIndex: Int { 0 }

    /// The number of elements.
    @inlinable
    public var endIndex: Int { count }

    /// The element at `position`, which must be at least 0 and less than ``count``.
    @inlinable
    public subscript(position: Int) -> Element {
        precondition(position >= 0 && position < count, "a position inside the shared array")
        // SAFETY: in bounds by the precondition, so there are elements and `base` is not nil.
        return unsafe base.unsafelyUnwrapped[position]
    }

    /// The elements at `bounds`, which share the block; their indices start at 0.
    ///
    /// - Complexity: O(1), copies nothing.
    @inlinable
    public func extracting(_ bounds: some RangeExpression<Int>) -> SharedArray {
        let bounds = bounds.relative(to: 0..<count)
        precondition(bounds.lowerBound >= 0 && bounds.upperBound <= count, "a range inside the shared array")
        // SAFETY: in bounds by the precondition.
        return unsafe SharedArray(base: base.map { unsafe $0 + bounds.lowerBound }, count: bounds.count, owner: owner)
    }

    /// Calls `body` with the elements, as algorithms of the standard library do.
    @inlinable
    public func withContiguousStorageIfAvailable<R>(
        _ body: (UnsafeBufferPointer<Element>) throws -> R
    ) rethrows -> R? {
        // The owner stays until the call is over.
        try withExtendedLifetime(owner) {
            try unsafe body(UnsafeBufferPointer(start: base, count: count))
        }
    }
}

extension SharedArray: Equatable where Element: Equatable {
    /// Whether both have equal elements in the same order, wherever they lie.
    @inlinable
    public static func == (left: SharedArray, right: SharedArray) -> Bool {
        left.elementsEqual(right)
    }
}

extension SharedArray: Hashable where Element: Hashable {
    /// Feeds the number of elements, and the elements.
    @inlinable
    public func hash(into hasher: inout Hasher) {
        hasher.combine(count)
        for element in self { hasher.combine(element) }
    }
}

extension SharedArray: CustomStringConvertible {
    /// The elements as an array shows them.
    public var description: String { Array(self).description }
}

extension SharedArray: WireEncodable, WireDecodable {
    /// Appends the same bytes as an `Array` of the same elements.
    @inlinable
    public func write(to output: inout WireWriter) {
        let size = count &* MemoryLayout<Element>.stride
        if size >= output.kept.minimumByteCount, let bytes = sharedBytes,
            output.keep(bytes, count: count, alignment: MemoryLayout<Element>.alignment)
        {
            return
        }
        output.append(length: count)
        output.append(block: span)
    }

    /// Reads what an `Array` has written.
    ///
    /// - Throws: ``WireError/Code/truncated``, before anything is allocated; as views for what is wrong with a block.
    /// - Complexity: O(1) if the elements are in a block of a ``WireMessage``, or aligned in a message whose bytes may be
    ///   shared, see ``WireDecodable/init(sharing:limits:)``: they are not copied then. O(number of elements) otherwise.
    public init(from input: inout WireReader) throws(WireError) {
        let count = try input.readLength()
        let block = input.nextBlock
        let view = try input.readElements(of: Element.self, count: count)
        let keeper = input.nextBlock > block ? input.blocks[block] : input.whole
        if count > 0, let keeper, let elements = view.span {
            self = unsafe elements.withUnsafeBufferPointer { elements in
                // SAFETY: the elements lie in the memory that the keeper's owner keeps, and are aligned.
                unsafe SharedArray(elements, owner: keeper.owner)
            }
        } else {
            self.init(copying: view)
        }
    }

    /// The elements' bytes, in the same memory; nil if there are gaps between the elements.
    @usableFromInline
    package var sharedBytes: SharedArray<UInt8>? {
        guard MemoryLayout<Element>.size == MemoryLayout<Element>.stride else { return nil }
        // SAFETY: plain elements without gaps are initialised bytes.
        let bytes = unsafe UnsafeRawBufferPointer(start: base, count: count &* MemoryLayout<Element>.stride)
        return unsafe SharedArray<UInt8>(bytes.assumingMemoryBound(to: UInt8.self), owner: owner)
    }
}

extension SharedArray: WireShapeContainer {
    static var wireShapeName: String { "Array" }
    static var wireShapeParts: [Any.Type] { [Element.self] }
}
