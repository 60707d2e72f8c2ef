extension Array: WireEncodable where Element: WireEncodable {
    /// Appends the number of elements, then the elements; as one block if they are ``Plain``.
    @inlinable
    @inline(__always)
    public func write(to output: inout WireWriter) {
        if Element.travelsAsBlock, count &* MemoryLayout<Element>.stride >= output.kept.minimumByteCount,
            output.keep(self)
        {
            return
        }
        Element.writeArray(span, to: &output)
    }
}

extension Array: WireDecodable where Element: WireDecodable {
    /// Reads the number of elements, then the elements.
    @inlinable
    @inline(__always)
    public init(from input: inout WireReader) throws(WireError) {
        let count = try input.readLength()
        try input.enter()
        defer { input.leave() }
        guard let elements = Element.takeElements(count: count, from: &input) else { throw input.takeFailure() }
        self = elements
    }
}

extension ContiguousArray: WireEncodable where Element: WireEncodable {
    /// Appends the same bytes as an `Array` of the same elements.
    @inlinable
    public func write(to output: inout WireWriter) {
        Array(self).write(to: &output)
    }
}

extension ContiguousArray: WireDecodable where Element: WireDecodable {
    /// Reads what an `Array` has written.
    @inlinable
    public init(from input: inout WireReader) throws(WireError) {
        self.init(try [Element](from: &input))
    }
}

extension ArraySlice: WireEncodable where Element: WireEncodable {
    /// Appends the same bytes as an `Array` of the same elements.
    @inlinable
    public func write(to output: inout WireWriter) {
        Element.writeArray(span, to: &output)
    }
}

extension ArraySlice: WireDecodable where Element: WireDecodable {
    /// Reads what an `Array` has written.
    @inlinable
    public init(from input: inout WireReader) throws(WireError) {
        self.init(try [Element](from: &input))
    }
}
