/// The entries of a keyed container, in the order in which they were written.
internal final class CodableEntries {
    private let message: CodableMessage
    private let entries: [(key: Int, item: Range<Int>)]
    /// The position of each key, where a linear search would be slow.
    private var positions: [String: Int] = [:]
    /// The entry that is probably asked for next.
    private var guess = 0

    /// - Throws: ``WireError/Code/duplicateKey``.
    init(_ decoder: CodableDecoder) throws(WireError) {
        message = decoder.message
        entries = try message.keyedItems(of: decoder.range)
        for (position, entry) in entries.enumerated() {
            let isNew: Bool
            if entries.count <= 8 {
                isNew = !entries[..<position].contains { $0.key == entry.key }
            } else {
                isNew = positions.updateValue(position, forKey: message.keys[entry.key]) == nil
            }
            guard isNew else {
                throw WireError(code: .duplicateKey, offset: entry.item.lowerBound)
            }
        }
    }

    /// All keys.
    var keys: [String] { entries.map { message.keys[$0.key] } }

    /// Where the item for `key` is, or nil if there is none.
    func item(_ key: String) -> Range<Int>? {
        if guess < entries.count, message.keys[entries[guess].key] == key { return entries[guess].item }
        let position =
            entries.count <= 8 ? entries.firstIndex { message.keys[$0.key] == key } : positions[key]
        guard let position else { return nil }
        guess = position
        return entries[position].item
    }

    /// Says that the last item was decoded, so that the one after it probably comes next.
    func advance() {
        guess += 1
    }
}

internal struct CodableKeyedDecoder<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let decoder: CodableDecoder
    let entries: CodableEntries

    var codingPath: [any CodingKey] { decoder.codingPath }
    var allKeys: [Key] { entries.keys.compactMap { Key(stringValue: $0) } }

    func contains(_ key: Key) -> Bool {
        entries.item(key.stringValue) != nil
    }

    func decodeNil(forKey key: Key) throws -> Bool {
        try item(key).isEmpty
    }

    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
        let item = try item(key)
        entries.advance()
        return try decoder.decode(type, at: item, key)
    }

    func decode(_ type: Int128.Type, forKey key: Key) throws -> Int128 {
        try decoder.integer(type, at: item(key))
    }

    func decode(_ type: UInt128.Type, forKey key: Key) throws -> UInt128 {
        try decoder.integer(type, at: item(key))
    }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<NestedKey> {
        try decoder.child(item(key), key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try decoder.child(item(key), key).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder {
        try decoder.child(entries.item(CodableExtraKey.super.stringValue) ?? 0..<0, CodableExtraKey.super)
    }

    func superDecoder(forKey key: Key) throws -> any Decoder {
        try decoder.child(entries.item(key.stringValue) ?? 0..<0, key)
    }

    private func item(_ key: Key) throws -> Range<Int> {
        guard let item = entries.item(key.stringValue) else {
            throw DecodingError.keyNotFound(key, .init(codingPath: codingPath, debugDescription: "not there"))
        }
        return item
    }
}

internal struct CodableUnkeyedDecoder: UnkeyedDecodingContainer {
    let decoder: CodableDecoder
    let items: [Range<Int>]
    private(set) var currentIndex = 0

    init(decoder: CodableDecoder, items: [Range<Int>]) {
        self.decoder = decoder
        self.items = items
    }

    var codingPath: [any CodingKey] { decoder.codingPath }
    var count: Int? { items.count }
    var isAtEnd: Bool { currentIndex == items.count }

    mutating func decodeNil() throws -> Bool {
        let isNil = try current().isEmpty
        if isNil { currentIndex += 1 }
        return isNil
    }

    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
        // The index moves on only if this succeeds, so that another type can be tried.
        let value = try decoder.decode(type, at: current(), CodableExtraKey(index: currentIndex))
        currentIndex += 1
        return value
    }

    mutating func decode(_ type: Int128.Type) throws -> Int128 {
        let value = try decoder.integer(type, at: current())
        currentIndex += 1
        return value
    }

    mutating func decode(_ type: UInt128.Type) throws -> UInt128 {
        let value = try decoder.integer(type, at: current())
        currentIndex += 1
        return value
    }

    mutating func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type
    ) throws -> KeyedDecodingContainer<NestedKey> {
        let container = try child().container(keyedBy: type)
        currentIndex += 1
        return container
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        let container = try child().unkeyedContainer()
        currentIndex += 1
        return container
    }

    mutating func superDecoder() throws -> any Decoder {
        let child = try child()
        currentIndex += 1
        return child
    }

    private func child() throws -> CodableDecoder {
        try decoder.child(current(), CodableExtraKey(index: currentIndex))
    }

    private func current() throws -> Range<Int> {
        guard !isAtEnd else {
            throw DecodingError.valueNotFound(
                Any.self, .init(codingPath: codingPath, debugDescription: "no more than \(items.count) elements"))
        }
        return items[currentIndex]
    }
}

internal struct CodableSingleDecoder: SingleValueDecodingContainer {
    let decoder: CodableDecoder

    var codingPath: [any CodingKey] { decoder.codingPath }

    func decodeNil() -> Bool {
        decoder.range.isEmpty
    }

    func decode<T: Decodable>(_ type: T.Type) throws -> T {
        let range = decoder.range
        if let value = try decoder.primitive(type, at: range) ?? decoder.block(type, at: range) { return value }
        // The same item again: a type that asks for itself here must not go on for ever.
        return try T(from: decoder.deeper())
    }

    func decode(_ type: Int128.Type) throws -> Int128 {
        try decoder.integer(type, at: decoder.range)
    }

    func decode(_ type: UInt128.Type) throws -> UInt128 {
        try decoder.integer(type, at: decoder.range)
    }
}
