extension Optional: WireEncodable where Wrapped: WireEncodable {
    /// Appends a byte: 0 for `nil`, or 1 and then the value.
    @inlinable
    @inline(__always)
    public func write(to output: inout WireWriter) {
        switch self {
        case nil: output.append(plain: 0 as UInt8)
        case let value?:
            output.append(plain: 1 as UInt8)
            value.write(to: &output)
        }
    }
}

extension Optional: WireDecodable where Wrapped: WireDecodable {
    /// Reads a byte, and a value if it is 1.
    ///
    /// - Throws: ``WireError/Code/invalidTag`` if it is neither 0 nor 1.
    @inlinable
    public init(from input: inout WireReader) throws(WireError) {
        switch try input.readPlain(UInt8.self) {
        case 0: self = nil
        case 1: self = .some(try input.read())
        case let tag: throw input.invalidByte(.invalidTag, tag)
        }
    }
}
