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
public struct WireReader: ~Escapable {
    @usableFromInline internal let bytes: RawSpan
    @usableFromInline internal var position: Int
    @usableFromInline internal var remainingDepth: Int
    @usableFromInline internal var freeBytes: Int
    @usableFromInline internal var elementDepth: Int
    /// Keys that ``Codable`` values have in common, see `CodableKeys`.
    @usableFromInline internal var keys: CodableKeys?
    /// The limits that this reader was made with.
    public let limits: WireLimits

    /// A reader that starts at the first of `bytes`.
    @inlinable
    @_lifetime(copy bytes)
    public init(_ bytes: RawSpan, limits: WireLimits = .default) {
        self.bytes = bytes
        self.limits = limits
        position = 0
        elementDepth = 0
        remainingDepth = limits.nesting
        freeBytes = limits.freeByteCount
    }

    /// A reader that starts at the first of `bytes`, for example of `array.span`.
    @inlinable
    @_lifetime(copy bytes)
    public init(_ bytes: Span<UInt8>, limits: WireLimits = .default) {
        // SAFETY: every byte of a span of `UInt8` is initialised.
        self.init(unsafe bytes.bytes, limits: limits)
    }

    /// Bytes read so far, which is where the next value starts.
    @inlinable
    public var offset: Int { position }

    /// Bytes not read yet.
    @inlinable
    public var remainingByteCount: Int { bytes.byteCount &- position }

    /// Checks that every byte was read.
    ///
    /// - Throws: ``WireError/Code/trailingBytes``.
    public func expectEnd() throws(WireError) {
        guard remainingByteCount == 0 else {
            throw WireError(
                code: .trailingBytes, offset: position, detail: "\(remainingByteCount) bytes after the value")
        }
    }

    /// An error for a value that a type does not accept, such as an unknown tag, at the current offset.
    ///
    /// ```swift
    /// default: throw input.invalid("Shape has no case \(tag)")
    /// ```
    public func invalid(_ detail: String) -> WireError {
        WireError(code: .invalidValue, offset: position, detail: detail)
    }

    /// An error of kind `code` at the current offset.
    @usableFromInline
    package func error(_ code: WireError.Code, _ detail: String = "") -> WireError {
        WireError(code: code, offset: position, detail: detail)
    }
}
