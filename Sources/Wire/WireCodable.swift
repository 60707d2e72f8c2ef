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

    /// Appends the number of elements, then the elements one after another: how an array of this type travels.
    ///
    /// There is no need to implement this: it is here so that the choice between one block copy (``Plain``) and
    /// a call per element is made for a whole array, at compile time.
    static func writeArray(_ elements: Span<Self>, to output: inout WireWriter)

    /// Whether ``writeArray(_:to:)`` writes one block, which a writer may keep instead of copying it.
    ///
    /// There is no need to implement this. Like that it is decided by the type's conformance, so that both agree.
    static var travelsAsBlock: Bool { get }
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

    /// Reads a value as ``init(from:)`` does, but gives nil where that throws; the reader keeps the error.
    ///
    /// There is no need to implement this. It is here for the types that most values consist of: Swift 6.3 calls an
    /// initialiser that throws a typed error through the table of the conformance even where it knows the type, and
    /// this directly.
    static func takeValue(from input: inout WireReader) -> Self?

    /// Reads `count` values that stand one after another: how an array of this type travels; nil if that failed, as
    /// ``takeValue(from:)``.
    ///
    /// There is no need to implement this; see ``WireEncodable/writeArray(_:to:)``.
    ///
    /// - Parameter count: Number of elements as the bytes claim it, at least 0; not to be trusted.
    static func takeElements(count: Int, from input: inout WireReader) -> [Self]?
}

/// A value that can be written and read.
public typealias WireCodable = WireEncodable & WireDecodable

extension WireEncodable {
    /// False.
    @inlinable
    public static var travelsAsBlock: Bool { false }

    /// Appends the number of elements, then the elements with a call for each.
    @inlinable
    public static func writeArray(_ elements: Span<Self>, to output: inout WireWriter) {
        output.append(length: elements.count)
        output.enterElements()
        unsafe elements.withUnsafeBufferPointer { source in
            guard let start = source.baseAddress, source.count > 0 else { return }
            // SAFETY: `Lent` has one property, so it lies in memory as its value does; each is borrowed during a call.
            let lent = unsafe UnsafeRawPointer(start).assumingMemoryBound(to: Lent<Self>.self)
            let offset = output.byteCount
            var index = 0
            // The first elements show how much room the others may take: at most a small multiple of what they have in
            // memory.
            for sample in [1, 32] where sample < source.count {
                while index < sample {
                    unsafe lent[index].write(to: &output)
                    index &+= 1
                }
                output.reserve(
                    likeBytesFrom: offset, times: source.count / sample - 1,
                    limit: 4 &* MemoryLayout<Self>.stride &* source.count)
            }
            while index < source.count {
                unsafe lent[index].write(to: &output)
                index &+= 1
            }
        }
        output.leaveElements()
    }
}

/// A value in an array, for a call that only looks at it.
///
/// Without the possibility of a copy: Swift 6.3 copies an array's element before it calls a method of it, since the call
/// might change the array, which for a value with a string and a list in it means four calls to count references, more
/// than the rest of writing it takes.
@frozen
@usableFromInline
internal struct Lent<Value>: ~Copyable {
    @usableFromInline internal let value: Value
}

extension Lent where Value: WireEncodable {
    @inlinable
    @inline(__always)
    internal borrowing func write(to output: inout WireWriter) {
        value.write(to: &output)
    }
}

extension WireDecodable {
    /// Calls ``init(from:)``.
    @inlinable
    @inline(__always)
    public static func takeValue(from input: inout WireReader) -> Self? {
        do {
            return try Self(from: &input)
        } catch {
            return input.fail(error)
        }
    }

    /// Reads the elements with a call for each.
    ///
    /// Memory is reserved for what the remaining bytes could hold, not for what `count` claims.
    @inlinable
    public static func takeElements(count: Int, from input: inout WireReader) -> [Self]? {
        input.enterElements()
        defer { input.leaveElements() }
        var elements: [Self] = []
        elements.reserveCapacity(input.plausibleCount(of: Self.self, claimed: count))
        do {
            for _ in 0..<count {
                let start = input.offset
                elements.append(try input.take(Self.self))
                if input.offset == start { try input.spendFree(MemoryLayout<Self>.stride) }
            }
        } catch {
            return input.fail(error)
        }
        return elements
    }
}
