// What an empty conformance gives to a type whose raw value travels in its place. A type may also be `Plain` or
// `Codable`; the overlaps are spelled out, because the compiler would call them ambiguous.

extension WireEncodable where Self: RawRepresentable, RawValue: WireEncodable {
    /// Appends the raw value.
    @inlinable
    public func write(to output: inout WireWriter) {
        rawValue.write(to: &output)
    }
}

extension WireDecodable where Self: RawRepresentable, RawValue: WireDecodable {
    /// Reads a raw value.
    ///
    /// - Throws: ``WireError/Code/invalidTag`` if it stands for no value of this type.
    @inlinable
    public init(from input: inout WireReader) throws(WireError) {
        self = try input.readRawRepresentable()
    }
}

extension WireEncodable where Self: RawRepresentable & Encodable, RawValue: WireEncodable {
    /// Appends the raw value.
    @inlinable
    public func write(to output: inout WireWriter) {
        rawValue.write(to: &output)
    }
}

extension WireDecodable where Self: RawRepresentable & Decodable, RawValue: WireDecodable {
    /// Reads a raw value.
    ///
    /// - Throws: ``WireError/Code/invalidTag`` if it stands for no value of this type.
    @inlinable
    public init(from input: inout WireReader) throws(WireError) {
        self = try input.readRawRepresentable()
    }
}

extension WireReader {
    /// Reads a value that travels as its raw value.
    @inlinable
    internal mutating func readRawRepresentable<T: RawRepresentable>() throws(WireError) -> T
    where T.RawValue: WireDecodable {
        let start = position
        let raw: T.RawValue = try read()
        guard let value = T(rawValue: raw) else {
            throw WireError(code: .invalidTag, offset: start, detail: "\(T.self) has no value \(raw)")
        }
        return value
    }
}
