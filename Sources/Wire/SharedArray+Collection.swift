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
        output.append(length: count)
        output.append(block: span)
    }

    /// Reads what an `Array` has written.
    ///
    /// - Throws: ``WireError/Code/truncated``, before anything is allocated.
    /// - Complexity: O(number of elements); the elements are copied, because a reader only borrows its bytes: once if
    ///   they are aligned where they lie, or else twice.
    @inlinable
    public init(from input: inout WireReader) throws(WireError) {
        self.init(copying: try input.readView(of: Element.self))
    }
}

extension SharedArray: WireShapeContainer {
    static var wireShapeName: String { "Array" }
    static var wireShapeParts: [Any.Type] { [Element.self] }
}
