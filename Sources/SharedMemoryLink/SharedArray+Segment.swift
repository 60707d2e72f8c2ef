public import Wire

extension SharedArray {
    /// An array of `count` elements directly in shared memory, which `initializer` fills.
    ///
    /// It travels to other processes of this host without any copy.
    ///
    /// ```swift
    /// let squares = try SharedArray<Double>(count: 1_000_000, in: arena) { span in
    ///     for index in span.indices { span[index] = Double(index * index) }
    /// }
    /// ```
    ///
    /// - Parameters:
    ///   - count: Number of elements, at least 0.
    ///   - arena: Where the elements lie.
    ///   - initializer: Is given `count` elements that are all zero bits.
    /// - Throws: ``SharedMemoryError/Code/limitReached`` or ``SharedMemoryError/Code/outOfMemory``, or what `initializer`
    ///   throws; nothing stays allocated then.
    /// - Complexity: O(`count`): for 80 MB 38 ms when the memory is new, 4 ms when it was used before. Takes whole pages:
    ///   for a few elements an array anywhere else is cheaper.
    public init(
        count: Int, in arena: SegmentArena,
        initializingWith initializer: (inout MutableSpan<Element>) throws -> Void
    ) throws {
        let byteCount = SharedArray.segmentByteCount(of: count)
        guard byteCount > 0 else {
            try self.init(count: 0, initializingWith: initializer)
            return
        }
        let segment = try arena.allocate(byteCount: byteCount, zeroed: true)
        // SAFETY: `count` strides, aligned to a page, of zeros, which are valid elements as any bits are; nobody else has
        // the segment yet.
        let elements = unsafe segment.bytes.bindMemory(to: Element.self)
        var span = unsafe MutableSpan(_unsafeElements: elements)
        try initializer(&span)
        // SAFETY: initialised, and changed by nobody from now on: peers map it for reading. The segment keeps it.
        unsafe self.init(UnsafeBufferPointer(elements), owner: segment)
    }

    /// An array in shared memory with the elements of `elements`, which are copied once, here.
    ///
    /// - Throws: ``SharedMemoryError/Code/limitReached`` or ``SharedMemoryError/Code/outOfMemory``.
    /// - Complexity: O(number of elements): 29 ms for 80 MB when the memory is new, 4 ms when it was used before.
    public init(copying elements: Span<Element>, in arena: SegmentArena) throws(SharedMemoryError) {
        try self.init(copying: elements, in: arena, onNode: nil)
    }

    /// The same in pages of a NUMA node, while that has memory.
    ///
    /// - Throws: ``SharedMemoryError/Code/notPlaced`` as well.
    package init(copying elements: Span<Element>, in arena: SegmentArena, onNode node: Int?) throws(SharedMemoryError) {
        guard !elements.isEmpty else {
            self.init(copying: elements)
            return
        }
        let segment = try unsafe elements.withUnsafeBytes { bytes throws(SharedMemoryError) in
            try unsafe arena.allocate(copying: [bytes], on: node)
        }
        // SAFETY: a copy of initialised elements, aligned to a page, which nobody changes. The segment keeps it.
        let copied = unsafe UnsafeRawBufferPointer(segment.bytes).bindMemory(to: Element.self)
        unsafe self.init(copied, owner: segment)
    }

    /// An array over elements that lie in a segment, which they keep.
    ///
    /// - Parameters:
    ///   - segment: A segment that is not written to any more, such as one of a peer's.
    ///   - byteOffset: Where the first element is, from the start of the segment.
    ///   - count: Number of elements.
    /// - Throws: ``SharedMemoryError/Code/outOfBounds`` when they are not all inside the segment, or not aligned.
    /// - Complexity: O(1), copies nothing.
    package init(_ segment: Segment, byteOffset: Int, count: Int) throws(SharedMemoryError) {
        let size = segment.name.byteCount
        guard byteOffset >= 0, byteOffset <= size, byteOffset % MemoryLayout<Element>.alignment == 0, count >= 0,
            count <= (size - byteOffset) / MemoryLayout<Element>.stride
        else {
            throw SharedMemoryError(
                .outOfBounds,
                "a peer named \(count) elements of \(Element.self) at byte \(byteOffset) of a segment of \(size) bytes")
        }
        // SAFETY: in bounds and aligned by the guard; any bits are valid elements; the segment keeps them.
        let bytes = unsafe UnsafeRawBufferPointer(rebasing: segment.bytes[byteOffset...])
        let elements = unsafe bytes.bindMemory(to: Element.self)
        unsafe self.init(UnsafeBufferPointer(rebasing: elements[..<count]), owner: segment)
    }

    /// The segment that the elements lie in, and where in it: so that they can be named instead of copied.
    ///
    /// nil for an array that lies elsewhere, or is empty.
    package var segmentPlace: (segment: Segment, byteOffset: Int)? {
        guard let segment = owner as? Segment else { return nil }
        return unsafe span.withUnsafeBytes { elements in
            guard let first = elements.baseAddress else { return nil }
            // SAFETY: both lie in the arena's mapping.
            return unsafe (segment, first - UnsafeRawPointer(segment.bytes.baseAddress.unsafelyUnwrapped))
        }
    }

    private static func segmentByteCount(of count: Int) -> Int {
        precondition(count >= 0, "a shared array can't have a negative number of elements")
        let (size, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
        precondition(!overflow, "a shared array of \(count) elements fits in no memory")
        return size
    }
}
