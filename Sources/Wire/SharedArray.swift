/// An immutable array over a block of memory that it does not copy: copies and slices of it share the block.
///
/// For big data that lies somewhere already, in a mapped segment or in what was received. The block stays until the
/// last array over it is gone. It travels as an `Array` of the same elements does.
///
/// ```swift
/// let samples = unsafe SharedArray(UnsafeBufferPointer(rebasing: mapped), owner: segment)
/// let firstHalf = samples.extracting(..<(samples.count / 2))   // the same memory
/// ```
///
@safe
public struct SharedArray<Element: Plain> {
    @usableFromInline internal let base: UnsafePointer<Element>?
    /// Number of elements.
    public let count: Int
    /// Keeps the block.
    @usableFromInline package let owner: AnyObject?

    @inlinable
    internal init(base: UnsafePointer<Element>?, count: Int, owner: AnyObject?) {
        unsafe self.base = base
        self.count = count
        self.owner = owner
    }

    /// An array over `elements`, which are not copied, and stay as long as `owner` does.
    ///
    /// - Parameters:
    ///   - elements: Initialised elements, which nobody changes while `owner` lives. For memory that another process
    ///     can write to, that means: not before it was sealed against writing.
    ///   - owner: What frees the memory when it is deinitialised; or nil for memory that always stays. Shared between
    ///     threads as the array is.
    /// - Precondition: The address is aligned for `Element`.
    /// - Complexity: O(1).
    @unsafe
    @inlinable
    public init(_ elements: UnsafeBufferPointer<Element>, owner: AnyObject?) {
        let address = Int(bitPattern: elements.baseAddress)
        precondition(address & (MemoryLayout<Element>.alignment &- 1) == 0, "a shared array's block is aligned")
        unsafe self.init(base: elements.baseAddress, count: elements.count, owner: owner)
    }

    /// An array over a new block of `count` elements, which `initializer` fills.
    ///
    /// - Parameters:
    ///   - count: Number of elements, at least 0.
    ///   - initializer: Is given `count` elements that are all zero bits.
    /// - Complexity: O(`count`), one allocation, aligned to 64 bytes at least.
    @inlinable
    public init<Failure: Error>(
        count: Int, initializingWith initializer: (inout MutableSpan<Element>) throws(Failure) -> Void
    ) throws(Failure) {
        let byteCount = Self.byteCount(of: count)
        let block = SharedBlock(byteCount: byteCount, alignment: MemoryLayout<Element>.alignment)
        // SAFETY: the block holds `count` strides, aligned; its bytes are made zero, which is a valid `Element` as any
        // bits are; nobody else has it yet.
        unsafe block.base.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
        let start = unsafe block.base.bindMemory(to: Element.self, capacity: count)
        var span = unsafe MutableSpan(_unsafeStart: start, count: count)
        try initializer(&span)
        unsafe self.init(base: UnsafePointer(start), count: count, owner: block)
    }

    /// An array of its own with the elements of `elements`.
    ///
    /// - Complexity: O(number of elements), one allocation: the elements are copied once, here.
    @inlinable
    public init(copying elements: Span<Element>) {
        let count = elements.count
        let block = SharedBlock(byteCount: Self.byteCount(of: count), alignment: MemoryLayout<Element>.alignment)
        // SAFETY: the block holds `count` strides, aligned, and all of them are initialised here.
        let start = unsafe block.base.bindMemory(to: Element.self, capacity: count)
        unsafe elements.withUnsafeBufferPointer { source in
            if let first = source.baseAddress { unsafe start.initialize(from: first, count: count) }
        }
        unsafe self.init(base: UnsafePointer(start), count: count, owner: block)
    }

    /// An array of its own with the elements of a view, which may lie at any offset.
    @inlinable
    internal init(copying view: PlainView<Element>) {
        if let elements = view.span {
            self.init(copying: elements)
        } else {
            self.init(view.copyElements())
        }
    }

    /// An array of its own with the elements of `elements`.
    ///
    /// - Complexity: O(number of elements), one allocation: the elements are copied once, here.
    @inlinable
    public init(_ elements: [Element]) {
        self.init(copying: elements.span)
    }

    /// The elements, borrowed.
    @inlinable
    public var span: Span<Element> {
        @_lifetime(borrow self)
        get {
            // SAFETY: `count` initialised elements from `base`, which nobody changes; `self` keeps the owner.
            let view = unsafe Span(_unsafeStart: base ?? Self.empty, count: count)
            return unsafe _overrideLifetime(view, borrowing: self)
        }
    }

    /// Where no elements are: an address that is aligned, and never read.
    @inlinable
    internal static var empty: UnsafePointer<Element> {
        // SAFETY: not zero; never dereferenced, because the count is 0.
        unsafe UnsafePointer(bitPattern: MemoryLayout<Element>.alignment).unsafelyUnwrapped
    }

    @inlinable
    internal static func byteCount(of count: Int) -> Int {
        precondition(count >= 0, "a shared array can't have a negative number of elements")
        let (size, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
        precondition(!overflow, "a shared array of \(count) elements fits in no memory")
        return size
    }
}

// SAFETY: nobody changes the elements, and they are values without references; the owner is only retained and released,
// and its `init` asks for one that may be released on any thread.
extension SharedArray: @unchecked Sendable where Element: Sendable {}

/// A block of memory that frees itself.
@safe
@usableFromInline
internal final class SharedBlock {
    @usableFromInline internal let base: UnsafeMutableRawPointer

    /// A block of `byteCount` bytes that nobody has initialised.
    @usableFromInline
    internal init(byteCount: Int, alignment: Int) {
        // SAFETY: freed by `deinit`.
        unsafe base = .allocate(byteCount: max(byteCount, 1), alignment: max(alignment, 64))
    }

    // SAFETY: allocated by `init`, and freed nowhere else.
    deinit { unsafe base.deallocate() }
}
