/// A value that can be written to a ``WireWriter``.
///
/// Most types need one line, which names the parts in order:
///
/// ```swift
/// func write(to output: inout WireWriter) { output.write(id, name, scores) }
/// ```
///
/// Types that are ``Plain``, `RawRepresentable` or `Encodable` need none: an empty conformance gives them an
/// implementation, and if several apply, the first of these three is taken.
public protocol WireEncodable {
    /// Appends this value to `output`.
    ///
    /// Writing never throws: a value that can't be written calls ``WireWriter/fail(_:)``, and
    /// ``WireWriter/finish()`` throws it.
    func write(to output: inout WireWriter)

    /// Appends `elements` one after another, without their count: how an array of this type travels.
    ///
    /// There is no need to implement this: it is here so that the choice between one block copy (``Plain``) and
    /// a call per element is made for a whole array, at compile time.
    static func writeElements(_ elements: Span<Self>, to output: inout WireWriter)
}

/// A value that can be read from a ``WireReader``.
///
/// Most types need one line, which names the parts in the order in which they were written:
///
/// ```swift
/// init(from input: inout WireReader) throws(WireError) { (id, name, scores) = try input.read() }
/// ```
///
/// Read parts with ``WireReader/read()`` rather than by calling their initialisers, because `read()` counts how
/// deep values are nested, which keeps bytes from a stranger from overflowing the stack.
public protocol WireDecodable {
    /// Reads a value from the next bytes of `input`.
    ///
    /// - Throws: ``WireError`` if the bytes are not such a value. Whatever the bytes are, this must not trap.
    init(from input: inout WireReader) throws(WireError)

    /// Reads `count` values that stand one after another: how an array of this type travels.
    ///
    /// There is no need to implement this; see ``WireEncodable/writeElements(_:to:)``.
    ///
    /// - Parameter count: Number of elements as the bytes claim it, at least 0; not to be trusted.
    static func readElements(count: Int, from input: inout WireReader) throws(WireError) -> [Self]
}

/// A value that can be written and read.
public typealias WireCodable = WireEncodable & WireDecodable

extension WireEncodable {
    /// Appends the elements with a call for each.
    @inlinable
    public static func writeElements(_ elements: Span<Self>, to output: inout WireWriter) {
        output.enterElements()
        for index in elements.indices {
            elements[index].write(to: &output)
        }
        output.leaveElements()
    }
}

extension WireDecodable {
    /// Reads the elements with a call for each.
    ///
    /// Memory is reserved for what the remaining bytes could hold, not for what `count` claims.
    @inlinable
    public static func readElements(count: Int, from input: inout WireReader) throws(WireError) -> [Self] {
        input.enterElements()
        defer { input.leaveElements() }
        var elements: [Self] = []
        elements.reserveCapacity(input.plausibleCount(of: Self.self, claimed: count))
        for _ in 0..<count {
            let start = input.offset
            elements.append(try Self(from: &input))
            if input.offset == start { try input.spendFree(MemoryLayout<Self>.stride) }
        }
        return elements
    }
}
