package import Wire

/// The values that a body is given besides its element, as a worker keeps them.
package final class Captures<each Value: WireEncodable & WireDecodable & Sendable>: Sendable {
    let values: (repeat each Value)

    package init(_ values: repeat each Value) {
        self.values = (repeat each values)
    }
}

/// A list of captures by another name: what a worker needs to read them without knowing their types at compile time.
protocol ReadableCaptures: AnyObject, Sendable {
    static func read(from input: inout WireReader) throws(WireError) -> any ReadableCaptures
}

extension Captures: ReadableCaptures {
    static func read(from input: inout WireReader) throws(WireError) -> any ReadableCaptures {
        let values: (repeat each Value) = try input.read()
        return Captures(repeat each values)
    }
}

/// Captures made ready to travel: the name of their types, and their bytes.
package struct EncodedCaptures: Sendable {
    /// Mangled name of the worker's ``Captures`` type.
    package let typeName: String
    /// The values in the order they were given.
    package let bytes: [UInt8]
    /// Whether there are no captures at all.
    package let isEmpty: Bool

    /// Writes the values.
    ///
    /// - Throws: ``BodyError`` for a private type, `WireError` for a value that can't be written.
    package init<each Value: WireEncodable & WireDecodable & Sendable>(
        _ values: repeat each Value, file: String, line: Int
    ) throws {
        for type in repeat (each Value).self { _ = try travellingName(of: type, file: file, line: line) }
        typeName = try travellingName(of: Captures<repeat each Value>.self, file: file, line: line)
        var output = WireWriter()
        var count = 0
        for value in repeat each values {
            output.write(value)
            count += 1
        }
        isEmpty = count == 0
        bytes = try output.finish()
    }
}
