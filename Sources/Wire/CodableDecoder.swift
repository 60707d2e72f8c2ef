extension WireDecodable where Self: Decodable {
    /// Reads a value through its `Codable` conformance.
    ///
    /// - Throws: ``WireError``; what the type itself throws comes as ``WireError/Code/invalidValue``.
    public init(from input: inout WireReader) throws(WireError) {
        self = try input.readCodable()
    }
}

extension WireReader {
    /// Reads the new keys and the value.
    internal mutating func readCodable<T: Decodable>() throws(WireError) -> T {
        try enter()
        defer { leave() }
        let keys = keys ?? CodableKeys()
        for _ in 0..<(try readLength()) {
            let start = position
            guard keys.add(try String(from: &self)) else { throw WireError(code: .duplicateKey, offset: start) }
        }
        if elementDepth > 0 { self.keys = keys }
        let size = try readLength()
        let base = position
        // SAFETY: the array copies the bytes.
        let bytes = try unsafe readBytes(size) { unsafe [UInt8]($0) }
        let message = CodableMessage(bytes: bytes, keys: keys.strings, base: base, nesting: limits.nesting)
        let decoder = CodableDecoder(
            message: message, range: 0..<bytes.count, path: nil, remainingDepth: remainingDepth)
        do {
            return try decoder.decode(T.self)
        } catch let error as WireError {
            throw error.moved(by: base)
        } catch {
            throw WireError(code: .invalidValue, offset: base, detail: "\(T.self): \(error)")
        }
    }
}

/// Reads one item.
internal struct CodableDecoder: Decoder {
    let message: CodableMessage
    /// Where the item is; empty if it is nil.
    let range: Range<Int>
    let path: CodablePath?
    let remainingDepth: Int

    var codingPath: [any CodingKey] { CodablePath.keys(path) }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard try message.kind(of: range) == .keyed else { throw mismatch([String: Any].self) }
        return KeyedDecodingContainer(CodableKeyedDecoder<Key>(decoder: self, entries: try CodableEntries(self)))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        let kind = try message.kind(of: range)
        if kind == .block { return try expanded().unkeyedContainer() }
        guard kind == .unkeyed else { throw mismatch([Any].self) }
        return CodableUnkeyedDecoder(decoder: self, items: try message.unkeyedItems(of: range))
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer {
        CodableSingleDecoder(decoder: self)
    }

    /// A decoder for an item inside this one.
    func child(_ range: Range<Int>, _ key: some CodingKey) throws -> CodableDecoder {
        try deeper(range, CodablePath(key, in: path))
    }

    /// A decoder for the same item, for a type that wraps another.
    func deeper() throws -> CodableDecoder {
        try deeper(range, path)
    }

    private func deeper(_ range: Range<Int>, _ path: CodablePath?) throws -> CodableDecoder {
        guard remainingDepth > 0 else {
            throw WireError(
                code: .nestingLimit, offset: range.lowerBound,
                detail: "nested deeper than \(message.nesting)")
        }
        return CodableDecoder(message: message, range: range, path: path, remainingDepth: remainingDepth - 1)
    }

    /// Decodes the item inside this one at `range`.
    func decode<T: Decodable>(_ type: T.Type, at range: Range<Int>, _ key: some CodingKey) throws -> T {
        if let value = try primitive(type, at: range) ?? block(type, at: range) { return value }
        return try T(from: child(range, key))
    }

    /// Decodes this item.
    func decode<T: Decodable>(_ type: T.Type) throws -> T {
        if let value = try primitive(type, at: range) ?? block(type, at: range) { return value }
        return try T(from: self)
    }

    /// The error for an item of another kind than `type` needs.
    func mismatch(_ type: Any.Type, at range: Range<Int>? = nil) -> any Error {
        let range = range ?? self.range
        let context = DecodingError.Context(
            codingPath: codingPath, debugDescription: "at byte \(message.base + range.lowerBound)")
        return range.isEmpty ? DecodingError.valueNotFound(type, context) : DecodingError.typeMismatch(type, context)
    }
}
