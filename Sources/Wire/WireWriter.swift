/// Builds a message: values one after another, little endian, without names or types.
///
/// A writer owns one buffer, which grows by doubling. Writing never throws; the first failure is remembered,
/// what follows is still appended, and ``finish()`` throws it.
///
/// ```swift
/// var output = WireWriter()
/// output.write(1, "one", [1.0, 2.0])
/// let bytes = try output.finish()
/// ```
@safe
public struct WireWriter: ~Copyable {
    /// The buffer: an array, so that ``finish()`` can hand it on as it is. Never read nor written but through `base`.
    @usableFromInline internal var storage: [UInt8]
    /// The first byte of `storage`.
    @usableFromInline internal var base: UnsafeMutableRawPointer
    /// Where the next byte goes: everything before it is written, nothing from it on.
    @usableFromInline internal var cursor: UnsafeMutableRawPointer
    /// The end of `storage`.
    @usableFromInline internal var end: UnsafeMutableRawPointer
    /// Arrays that are part of the message, but not of the buffer.
    @usableFromInline internal var kept: KeptBlocks
    @usableFromInline internal var elementDepth: Int
    /// Keys that ``Codable`` values have in common, see `CodableKeys`.
    @usableFromInline internal var keys: CodableKeys?
    private var failure: WireError?
    /// Who makes blocks for large arrays that are made while they are written.
    package var maker: (any BlockMaker)?
    /// What the message refers to and that lives elsewhere.
    package var attachments = WireAttachments()

    /// A writer without bytes.
    public init() {
        self.init(reserving: 256)
    }

    /// A writer that takes `byteCount` bytes before it has to grow.
    ///
    /// - Parameters:
    ///   - byteCount: At least 0.
    ///   - minimumBlock: Plain arrays of so many bytes (64 at least) are not copied as they are written but kept, for
    ///     ``finishMessage()``; `nil` copies all. One that is kept costs about as much as 4 KiB copied. Copied is also what
    ///     has memory in common with one that is kept, or gaps between its elements.
    public init(reserving byteCount: Int, keepingBlocksOf minimumBlock: Int? = nil) {
        self.init(reserving: byteCount, keepingBlocksOf: minimumBlock, areGathered: false)
    }

    /// - Parameter areGathered: Whether the message is ended by ``finish()``.
    @usableFromInline
    internal init(reserving byteCount: Int, keepingBlocksOf minimumBlock: Int?, areGathered: Bool) {
        precondition(byteCount >= 0, "a writer can't reserve a negative number of bytes")
        storage = Self.buffer(byteCount: max(byteCount, 64))
        unsafe base = Self.start(of: &storage)
        unsafe cursor = unsafe base
        unsafe end = unsafe base + storage.count
        kept = KeptBlocks(minimumByteCount: minimumBlock, areGathered: areGathered)
        elementDepth = 0
    }

    /// Bytes written so far, without the arrays that are kept.
    @inlinable
    public var byteCount: Int { unsafe cursor - base }

    /// The bytes written so far, borrowed: to send them without an array of their own.
    ///
    /// Call ``check()`` first, and mind ``blocks``.
    @inlinable
    package var bytes: RawSpan {
        @_lifetime(borrow self)
        get {
            // SAFETY: `byteCount` bytes from `base` are initialised; the borrow keeps `self`, which owns them, from
            // being written to or destroyed.
            let view = unsafe RawSpan(_unsafeStart: base, byteCount: byteCount)
            return unsafe _overrideLifetime(view, borrowing: self)
        }
    }

    /// The arrays that were kept, in the order in which the bytes name them.
    package var blocks: [SharedArray<UInt8>] { kept.blocks.isEmpty ? [] : kept.blocks.map(\.bytes) }

    /// Throws the first failure that was remembered.
    package func check() throws(WireError) {
        if let failure { throw failure }
    }

    /// Forgets what was written and any failure, and keeps the buffer for the next message, unless it has become large.
    package mutating func removeAll() {
        if storage.count > 1 << 18 {
            storage = Self.buffer(byteCount: 1 << 12)
            unsafe base = Self.start(of: &storage)
            unsafe end = unsafe base + storage.count
        }
        unsafe cursor = unsafe base
        if !kept.blocks.isEmpty { kept.removeAll() }
        if !attachments.isEmpty { attachments = WireAttachments() }
        elementDepth = 0
        keys = nil
        failure = nil
    }

    /// Ends the message.
    ///
    /// - Returns: The bytes written.
    /// - Throws: The first failure that was remembered, see ``fail(_:)``.
    /// - Complexity: O(1) if more than half of the buffer was used (then the array has room for up to as many bytes
    ///   again), or else copies the bytes once. Arrays that were kept are copied here, once.
    public consuming func finish() throws(WireError) -> [UInt8] {
        try check()
        if !kept.blocks.isEmpty { return gathered() }
        let count = byteCount
        if count < storage.count / 2 {
            // SAFETY: `count` bytes from `base` are initialised, and the array copies them.
            return unsafe Array(UnsafeRawBufferPointer(start: base, count: count))
        }
        var bytes = storage
        storage = []
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    /// Remembers that a value can't be written; ``finish()`` then throws ``WireError/Code/notEncodable`` with
    /// `reason`.
    ///
    /// Only the first failure is kept.
    public mutating func fail(_ reason: String) {
        fail(WireError(code: .notEncodable, offset: byteCount + kept.addedByteCount, detail: reason))
    }

    /// Remembers `error` if it is the first.
    package mutating func fail(_ error: WireError) {
        if failure == nil { failure = error }
    }
}

// MARK: The buffer

extension WireWriter {
    /// Makes room for `byteCount` more bytes.
    @inlinable
    @inline(__always)
    package mutating func reserve(_ byteCount: Int) {
        if unsafe byteCount > end - cursor { grow(by: byteCount) }
    }

    /// Replaces the buffer by one at least twice as large that has room for `byteCount` more bytes.
    @usableFromInline
    @inline(never)
    internal mutating func grow(by byteCount: Int) {
        let count = self.byteCount
        var larger = Self.buffer(byteCount: max(storage.count * 2, count + byteCount))
        let start = unsafe Self.start(of: &larger)
        // SAFETY: the new buffer has room for the `count` initialised bytes that are copied, and is another one.
        unsafe start.copyMemory(from: base, byteCount: count)
        storage = larger
        unsafe base = unsafe start
        unsafe cursor = unsafe start + count
        unsafe end = unsafe start + storage.count
    }

    /// Makes room for `times` as much as was written from `offset` on, and an eighth more.
    ///
    /// - Parameter limit: Bytes that are reserved at most: the guess may be wrong.
    @usableFromInline
    internal mutating func reserve(likeBytesFrom offset: Int, times: Int, limit: Int) {
        let (size, overflow) = (byteCount &- offset).multipliedReportingOverflow(by: times)
        reserve(overflow ? limit : min(size &+ size / 8, limit))
    }

    /// An array of `byteCount` bytes that are whatever was there.
    private static func buffer(byteCount: Int) -> [UInt8] {
        [UInt8](UnknownBytes(endIndex: byteCount))
    }

    /// Where the bytes of `array` are, for as long as it is neither changed nor freed.
    @unsafe
    private static func start(of array: inout [UInt8]) -> UnsafeMutableRawPointer {
        // SAFETY: an array's elements stay where they are until it is changed; the only reference to it is `storage`
        // or about to be, which is changed by replacing it together with the pointers into it. It isn't empty.
        unsafe array.withUnsafeMutableBytes { unsafe $0.baseAddress.unsafelyUnwrapped }
    }
}

/// Bytes that are whatever is there already, as the standard library's `Array(_:)` copies them: not at all.
///
/// `Array(unsafeUninitializedCapacity:)` looks the array's class up in the runtime's tables each time, see
/// `UnalignedElements`.
private struct UnknownBytes: RandomAccessCollection {
    let endIndex: Int
    var startIndex: Int { 0 }
    subscript(position: Int) -> UInt8 { 0 }

    func _copyContents(
        initializing buffer: UnsafeMutableBufferPointer<UInt8>
    ) -> (Iterator, UnsafeMutableBufferPointer<UInt8>.Index) {
        // SAFETY: any bits are a byte; what was not written since is cut off before anyone sees the array.
        (Iterator(_elements: self, _position: endIndex), buffer.count)
    }
}
