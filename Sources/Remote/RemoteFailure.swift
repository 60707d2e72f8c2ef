public import Wire

/// An error that a body threw, as it travels back.
public struct RemoteFailure: Error, Sendable {
    /// Name of the error's type, with its module.
    public let typeName: String
    /// What the error says of itself.
    public let description: String
    /// The error's mangled type name and bytes, where it is `Codable` and its type can be found by name.
    private let encoded: Encoded?

    private struct Encoded: Sendable, WireEncodable, WireDecodable {
        let typeName: String
        let bytes: [UInt8]

        init(typeName: String, bytes: [UInt8]) {
            self.typeName = typeName
            self.bytes = bytes
        }

        func write(to output: inout WireWriter) {
            output.write(typeName, bytes)
        }

        init(from input: inout WireReader) throws(WireError) {
            (typeName, bytes) = try input.read()
        }
    }

    /// Describes an error, and keeps it whole if it is `Codable`.
    package init(_ error: any Error) {
        typeName = String(reflecting: type(of: error))
        description = String(describing: error)
        encoded = if let error = error as? any Error & Codable { RemoteFailure.encode(error) } else { nil }
    }

    private static func encode<E: Error & Codable>(_ error: E) -> Encoded? {
        guard let name = _mangledTypeName(E.self), _typeByName(name) == E.self,
            let bytes = try? CodableBox(value: error).wireBytes()
        else { return nil }
        return Encoded(typeName: name, bytes: bytes)
    }

    /// Type and message.
    package var oneLine: String { "\(typeName): \(description)" }

    /// The error itself, where it could travel.
    public var error: (any Error)? {
        guard let encoded, let type = _typeByName(encoded.typeName) as? any (Error & Codable).Type else { return nil }
        func decode<E: Error & Codable>(_: E.Type) -> (any Error)? {
            try? CodableBox<E>(wireBytes: encoded.bytes).value
        }
        return decode(type)
    }
}

extension RemoteFailure: WireEncodable, WireDecodable {
    /// Writes the description and, if there is one, the error.
    public func write(to output: inout WireWriter) {
        output.write(typeName, description, encoded)
    }

    /// Reads a failure.
    public init(from input: inout WireReader) throws(WireError) {
        (typeName, description, encoded) = try input.read()
    }
}

/// A `Codable` value that need not be `WireCodable` itself.
private struct CodableBox<Value: Codable>: Codable, WireEncodable, WireDecodable {
    let value: Value
}
