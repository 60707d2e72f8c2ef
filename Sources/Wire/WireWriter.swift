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
    @usableFromInline internal var base: UnsafeMutableRawPointer
    @usableFromInline internal var capacity: Int
    @usableFromInline internal var count: Int
    @usableFromInline internal var elementDepth: Int
    /// Keys that ``Codable`` values have in common, see `CodableKeys`.
    @usableFromInline internal var keys: CodableKeys?
    private var failure: WireError?

    /// A writer without bytes.
    public init() {
        self.init(reserving: 256)
    }

    /// A writer that takes `byteCount` bytes before it has to grow.
    public init(reserving byteCount: Int) {
        precondition(byteCount >= 0, "a writer can't reserve a negative number of bytes")
        capacity = max(byteCount, 64)
        // SAFETY: freed by `deinit`, or by `grow` when it is replaced.
        unsafe base = .allocate(byteCount: capacity, alignment: 16)
        count = 0
        elementDepth = 0
    }

    // SAFETY: allocated by `init` or `grow`, and freed nowhere else while `base` points to it.
    deinit { unsafe base.deallocate() }

    /// Bytes written so far.
    @inlinable
    public var byteCount: Int { count }

    /// The bytes written so far, borrowed: to send them without the copy that ``finish()`` makes.
    ///
    /// Call ``check()`` first.
    @inlinable
    package var bytes: RawSpan {
        @_lifetime(borrow self)
        get {
            // SAFETY: `count` bytes from `base` are initialised; the borrow keeps `self`, which owns them, from
            // being written to or destroyed.
            let view = unsafe RawSpan(_unsafeStart: base, byteCount: count)
            return unsafe _overrideLifetime(view, borrowing: self)
        }
    }

    /// Throws the first failure that was remembered.
    package func check() throws(WireError) {
        if let failure { throw failure }
    }

    /// Forgets what was written and any failure, and keeps the buffer for the next message.
    package mutating func removeAll() {
        count = 0
        elementDepth = 0
        keys = nil
        failure = nil
    }

    /// Ends the message.
    ///
    /// - Returns: The bytes written.
    /// - Throws: The first failure that was remembered, see ``fail(_:)``.
    /// - Complexity: Copies the bytes once, so that writing itself can be unchecked.
    public consuming func finish() throws(WireError) -> [UInt8] {
        try check()
        // SAFETY: `count` bytes from `base` are initialised, and the array copies them.
        return unsafe Array(UnsafeRawBufferPointer(start: base, count: count))
    }

    /// Remembers that a value can't be written; ``finish()`` then throws ``WireError/Code/notEncodable`` with
    /// `reason`.
    ///
    /// Only the first failure is kept.
    public mutating func fail(_ reason: String) {
        fail(WireError(code: .notEncodable, offset: byteCount, detail: reason))
    }

    /// Remembers `error` if it is the first.
    package mutating func fail(_ error: WireError) {
        if failure == nil { failure = error }
    }
}
