/// A value whose bytes travel as they lie in memory: every bit pattern is valid, without padding or pointers.
///
/// Integers, floating-point numbers and SIMD vectors are plain. A struct whose stored properties are all plain,
/// and lie without gaps, may adopt this with an empty conformance; arrays of it are then copied as one block:
///
/// ```swift
/// struct Particle: Plain { var position: SIMD4<Float>, charge: Float, mass: Float, id: Int64 }
/// ```
///
/// - Warning: The compiler checks `BitwiseCopyable`, but not this: `Bool`, enums and pointers, which have
///   invalid bit patterns, do not qualify, nor does a struct with one of them inside. Gaps would send bytes that
///   nobody initialised: order properties from the largest to the smallest.
public protocol Plain: BitwiseCopyable, WireEncodable, WireDecodable {}

extension Plain {
    /// Appends the value's bytes as they lie in memory, little endian.
    @inlinable
    @inline(__always)
    public func write(to output: inout WireWriter) {
        output.append(plain: self)
    }

    /// Reads a value from its bytes.
    ///
    /// - Throws: ``WireError/Code/truncated``.
    @inlinable
    @inline(__always)
    public init(from input: inout WireReader) throws(WireError) {
        self = try input.readPlain(Self.self)
    }

    /// Reads a value from its bytes, see ``WireDecodable/takeValue(from:)``.
    @inlinable
    @inline(__always)
    public static func takeValue(from input: inout WireReader) -> Self? {
        input.takePlain(Self.self)
    }

    /// Whether there are no gaps between elements in memory.
    @inlinable
    public static var travelsAsBlock: Bool { MemoryLayout<Self>.size == MemoryLayout<Self>.stride }

    /// Appends the number of elements, then the elements as one aligned block.
    @inlinable
    @inline(__always)
    public static func writeArray(_ elements: Span<Self>, to output: inout WireWriter) {
        let size = elements.count &* MemoryLayout<Self>.stride
        guard MemoryLayout<Self>.size == MemoryLayout<Self>.stride, size < WireFormat.alignedBlock, size > 0 else {
            output.append(length: elements.count)
            output.append(block: elements)
            return
        }
        unsafe elements.withUnsafeBufferPointer { source in
            // SAFETY: plain elements without gaps are initialised bytes, `size` of them; there are some.
            unsafe output.append(length: source.count, bytes: source.baseAddress.unsafelyUnwrapped, size: size)
        }
    }

    /// Reads the elements as one block.
    @inlinable
    @inline(__always)
    public static func takeElements(count: Int, from input: inout WireReader) -> [Self]? {
        input.takeSmallBlock(of: Self.self, count: count) ?? input.takeBlock(of: Self.self, count: count)
    }
}

// A plain type that is also `RawRepresentable`, `Codable` or both travels as a plain one.

extension Plain where Self: RawRepresentable, RawValue: WireEncodable {
    /// Appends the value's bytes as they lie in memory, little endian.
    @inlinable
    @inline(__always)
    public func write(to output: inout WireWriter) {
        output.append(plain: self)
    }
}

extension Plain where Self: RawRepresentable, RawValue: WireDecodable {
    /// Reads a value from its bytes.
    ///
    /// - Throws: ``WireError/Code/truncated``.
    @inlinable
    @inline(__always)
    public init(from input: inout WireReader) throws(WireError) {
        self = try input.readPlain(Self.self)
    }
}

extension Plain where Self: Encodable {
    /// Appends the value's bytes as they lie in memory, little endian.
    @inlinable
    @inline(__always)
    public func write(to output: inout WireWriter) {
        output.append(plain: self)
    }
}

extension Plain where Self: Decodable {
    /// Reads a value from its bytes.
    ///
    /// - Throws: ``WireError/Code/truncated``.
    @inlinable
    @inline(__always)
    public init(from input: inout WireReader) throws(WireError) {
        self = try input.readPlain(Self.self)
    }
}

extension Plain where Self: RawRepresentable & Encodable, RawValue: WireEncodable {
    /// Appends the value's bytes as they lie in memory, little endian.
    @inlinable
    @inline(__always)
    public func write(to output: inout WireWriter) {
        output.append(plain: self)
    }
}

extension Plain where Self: RawRepresentable & Decodable, RawValue: WireDecodable {
    /// Reads a value from its bytes.
    ///
    /// - Throws: ``WireError/Code/truncated``.
    @inlinable
    @inline(__always)
    public init(from input: inout WireReader) throws(WireError) {
        self = try input.readPlain(Self.self)
    }
}
