/// Reads values from bytes that need not be trusted.
///
/// A reader borrows its bytes and keeps a position in them. Whatever the bytes are, reading returns a value or
/// throws ``WireError``, takes time in proportion to the number of bytes, and never allocates more than a small
/// multiple of it.
///
/// ```swift
/// var input = WireReader(bytes.span)
/// let (id, name, scores): (Int, String, [Double]) = try input.read()
/// try input.expectEnd()
/// ```
@safe
public struct WireReader: ~Escapable {
    @usableFromInline internal let bytes: RawSpan
    /// Large plain arrays beside the message, in the order in which it names them.
    @usableFromInline internal let blocks: Span<SharedArray<UInt8>>
    /// Index of the next of `blocks`.
    @usableFromInline internal var nextBlock: Int
    /// What keeps `bytes`, if a ``SharedArray`` may share them.
    @usableFromInline internal let whole: SharedArray<UInt8>?
    /// What keeps arrays that are made in place, if any may be. The caller keeps it, so that a reader costs no count.
    @usableFromInline internal var adopting: Unmanaged<AdoptedArrays>?
    /// Why a value could not be taken, see ``WireDecodable/takeValue(from:)``.
    @usableFromInline internal var failure: WireError?
    @usableFromInline internal var position: Int
    @usableFromInline internal var remainingDepth: Int
    @usableFromInline internal var freeBytes: Int
    @usableFromInline internal var elementDepth: Int
    /// Keys that ``Codable`` values have in common, see `CodableKeys`.
    @usableFromInline internal var keys: CodableKeys?
    /// What the message refers to and that lives elsewhere: for who keeps a part of the message.
    package var attachments = WireAttachments()
    /// The limits that this reader was made with.
    public let limits: WireLimits

    /// A reader that starts at the first of `bytes`.
    @inlinable
    @_lifetime(copy bytes)
    public init(_ bytes: RawSpan, limits: WireLimits = .default) {
        self.init(bytes, blocks: Span(), whole: nil, limits: limits)
    }

    /// A reader that starts at the first of `bytes`, for example of `array.span`.
    @inlinable
    @_lifetime(copy bytes)
    public init(_ bytes: Span<UInt8>, limits: WireLimits = .default) {
        // SAFETY: every byte of a span of `UInt8` is initialised.
        self.init(unsafe bytes.bytes, limits: limits)
    }

    /// A reader of a message whose bytes may be shared: a ``SharedArray`` that is read from it copies nothing, if its
    /// elements are aligned where they lie.
    @inlinable
    @_lifetime(borrow bytes)
    public init(_ bytes: borrowing SharedArray<UInt8>, limits: WireLimits = .default) {
        // SAFETY: every byte of a span of `UInt8` is initialised.
        self.init(unsafe bytes.span.bytes, blocks: Span(), whole: copy bytes, limits: limits)
    }

    /// A reader of a message in pieces: a ``SharedArray`` that is read from a block copies nothing.
    @inlinable
    @_lifetime(borrow message)
    public init(_ message: borrowing WireMessage, limits: WireLimits = .default) {
        // SAFETY: every byte of a span of `UInt8` is initialised.
        self.init(unsafe message.bytes.span.bytes, blocks: message.blocks.span, whole: nil, limits: limits)
    }

    /// A reader of a message that starts at an offset of `bytes`, relative to whose start its arrays are aligned.
    ///
    /// - Parameter blocks: The arrays beside the message.
    @_lifetime(copy bytes, copy blocks)
    package init(
        _ bytes: RawSpan, from offset: Int, blocks: Span<SharedArray<UInt8>>, limits: WireLimits = .default
    ) {
        precondition(offset >= 0 && offset <= bytes.byteCount, "a message starts within its bytes")
        self.init(bytes, blocks: blocks, whole: nil, limits: limits)
        position = offset
    }

    /// The same, and large arrays are made in the blocks, if their owners have room for that, see ``AdoptedArrays``.
    @_lifetime(copy bytes, copy blocks, borrow arrays)
    package init(
        _ bytes: RawSpan, from offset: Int, blocks: Span<SharedArray<UInt8>>, adopting arrays: borrowing AdoptedArrays
    ) {
        self.init(bytes, from: offset, blocks: blocks)
        // Borrowed for as long as the reader lives.
        unsafe adopting = Unmanaged.passUnretained(copy arrays)
    }

    /// A reader of a message in pieces that makes large arrays in the blocks, if their owners have room for that, see
    /// ``AdoptedArrays``.
    @_lifetime(borrow message, borrow arrays)
    package init(
        _ message: borrowing WireMessage, adopting arrays: borrowing AdoptedArrays, limits: WireLimits = .default
    ) {
        // SAFETY: every byte of a span of `UInt8` is initialised.
        self.init(unsafe message.bytes.span.bytes, blocks: message.blocks.span, whole: nil, limits: limits)
        // Borrowed for as long as the reader lives.
        unsafe adopting = Unmanaged.passUnretained(copy arrays)
    }

    @inlinable
    @_lifetime(copy bytes, copy blocks)
    internal init(_ bytes: RawSpan, blocks: Span<SharedArray<UInt8>>, whole: SharedArray<UInt8>?, limits: WireLimits) {
        self.bytes = bytes
        self.blocks = blocks
        self.whole = whole
        unsafe adopting = nil
        self.limits = limits
        nextBlock = 0
        position = 0
        elementDepth = 0
        remainingDepth = limits.nesting
        freeBytes = limits.freeByteCount
    }

    /// Bytes read so far, which is where the next value starts.
    @inlinable
    public var offset: Int { position }

    /// The bytes not read yet.
    package var rest: RawSpan {
        @_lifetime(copy self)
        get { bytes.extracting(droppingFirst: position) }
    }

    /// The blocks not read yet.
    package var restOfBlocks: [SharedArray<UInt8>] {
        nextBlock < blocks.count ? (nextBlock..<blocks.count).map { blocks[$0] } : []
    }

    /// Blocks read so far.
    package var blockOffset: Int { nextBlock }

    /// Bytes not read yet.
    @inlinable
    public var remainingByteCount: Int { bytes.byteCount &- position }

    /// Checks that every byte and every block was read.
    ///
    /// - Throws: ``WireError/Code/trailingBytes``.
    public func expectEnd() throws(WireError) {
        guard remainingByteCount == 0 else {
            throw WireError(
                code: .trailingBytes, offset: position, detail: "\(remainingByteCount) bytes after the value")
        }
        guard nextBlock == blocks.count else {
            throw WireError(
                code: .trailingBytes, offset: position,
                detail: "\(blocks.count - nextBlock) of \(blocks.count) blocks belong to nothing in the value")
        }
    }

    /// An error for a value that a type does not accept, such as an unknown tag, at the current offset.
    ///
    /// ```swift
    /// default: throw input.invalid("Shape has no case \(tag)")
    /// ```
    public mutating func invalid(_ detail: String) -> WireError {
        WireError(code: .invalidValue, offset: position, detail: detail)
    }

    /// An error of kind `code` at the current offset.
    @usableFromInline
    package mutating func error(_ code: WireError.Code, _ detail: String = "") -> WireError {
        WireError(code: code, offset: position, detail: detail)
    }
}

// MARK: Failures

extension WireReader {
    /// Keeps the reason why a value could not be taken.
    ///
    /// - Returns: nil, for the caller to return.
    @usableFromInline
    @inline(never)
    internal mutating func fail<T>(_ error: WireError) -> T? {
        failure = error
        return nil
    }

    /// The reason why a value could not be taken, to be thrown.
    @usableFromInline
    @inline(never)
    internal mutating func takeFailure() -> WireError {
        defer { failure = nil }
        return failure ?? error(.invalidValue, "takeValue gave nil without a reason")
    }
}
