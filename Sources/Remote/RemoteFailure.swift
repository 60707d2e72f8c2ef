public import Wire

/// An error that a body threw, as it travels back.
public struct RemoteFailure: Error, Sendable {
    /// Name of the error's type, with its module.
    public let typeName: String
    /// What the error says of itself.
    public let description: String
    /// The error's mangled type name and bytes, where it is `Codable` and its type can be found by name.
    private let encoded: Encoded?
    /// The functions that were being worked on where the error was thrown first, innermost first.
    package let stack: [StackFrame]
    /// The calls whose errors it has in it.
    package let calls: [FailedCall]

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
        stack = Symbolication.frames(at: ThrowSites.take(error))
        typeName = String(reflecting: type(of: error))
        description = String(describing: error)
        calls = Array((error as? any FailedCallsError)?.failedCalls.prefix(FailedCall.mostCalls) ?? [])
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
    /// Writes the description and, if there is one, the error; then where it was thrown, and the calls in it.
    public func write(to output: inout WireWriter) {
        output.write(stack)
        write(withoutStackTo: &output, depth: 0)
    }

    /// Reads a failure.
    public init(from input: inout WireReader) throws(WireError) {
        self = try RemoteFailure(from: &input, depth: 0)
    }

    /// - Parameter depth: How many failures this one is in.
    init(from input: inout WireReader, depth: Int) throws(WireError) {
        let stack: [StackFrame] = try input.read()
        self = try RemoteFailure(withoutStackFrom: &input, stack: stack, depth: depth)
    }

    /// Writes all but the stack, which others may share.
    func write(withoutStackTo output: inout WireWriter, depth: Int) {
        output.write(typeName, description, encoded)
        let calls = depth < FailedCall.mostDepth ? calls : []
        output.write(UInt32(calls.count))
        for call in calls { call.write(to: &output, depth: depth + 1) }
    }

    /// Reads what ``write(withoutStackTo:depth:)`` wrote.
    init(withoutStackFrom input: inout WireReader, stack: [StackFrame], depth: Int) throws(WireError) {
        self.stack = stack
        (typeName, description, encoded) = try input.read()
        let count: UInt32 = try input.read()
        guard count == 0 || count <= FailedCall.mostCalls && depth < FailedCall.mostDepth else {
            throw input.invalid("an error with \(count) others in it, \(depth) deep")
        }
        var calls: [FailedCall] = []
        for _ in 0..<count { calls.append(try FailedCall(from: &input, depth: depth + 1)) }
        self.calls = calls
    }
}

/// A `Codable` value that need not be `WireCodable` itself.
private struct CodableBox<Value: Codable>: Codable, WireEncodable, WireDecodable {
    let value: Value
}
