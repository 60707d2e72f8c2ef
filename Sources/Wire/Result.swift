extension Result: WireEncodable where Success: WireEncodable, Failure: WireEncodable {
    /// Appends a byte and a value: 0 and the success, or 1 and the failure.
    @inlinable
    public func write(to output: inout WireWriter) {
        switch self {
        case .success(let value):
            output.append(plain: 0 as UInt8)
            value.write(to: &output)
        case .failure(let error):
            output.append(plain: 1 as UInt8)
            error.write(to: &output)
        }
    }
}

extension Result: WireDecodable where Success: WireDecodable, Failure: WireDecodable {
    /// Reads a byte, and a success or failure.
    ///
    /// - Throws: ``WireError/Code/invalidTag`` if the byte is neither 0 nor 1.
    @inlinable
    public init(from input: inout WireReader) throws(WireError) {
        switch try input.readPlain(UInt8.self) {
        case 0: self = .success(try input.read())
        case 1: self = .failure(try input.read())
        case let tag: throw input.invalidByte(.invalidTag, tag)
        }
    }
}
