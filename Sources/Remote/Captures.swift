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

/// Captures made ready to travel.
package struct EncodedCaptures: Sendable {
    /// From how many bytes on a plain array is kept beside the bytes instead of copied into them.
    package static let blockByteCount = 1 << 16

    private let type: any Any.Type
    private let place: (file: String, line: Int)
    /// The values in the order they were given.
    package let message: WireMessage
    /// Whether there are no captures at all.
    package let isEmpty: Bool

    /// Writes the values. Their types were checked with the body that takes them.
    ///
    /// - Throws: `WireError` for a value that can't be written.
    package init<each Value: WireEncodable & WireDecodable & Sendable>(
        _ values: repeat each Value, file: String, line: Int
    ) throws(WireError) {
        type = Captures<repeat each Value>.self
        place = (file, line)
        var output = WireWriter(reserving: 256, keepingBlocksOf: EncodedCaptures.blockByteCount)
        var count = 0
        for value in repeat each values {
            output.write(value)
            count += 1
        }
        isEmpty = count == 0
        message = try output.finishMessage()
    }

    /// Mangled name of the worker's ``Captures`` type.
    ///
    /// - Throws: ``BodyError`` for a private type.
    package func typeName() throws(BodyError) -> String {
        try travellingName(of: type, file: place.file, line: place.line)
    }
}
