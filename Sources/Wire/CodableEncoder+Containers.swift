// One generic `encode` stands for the requirements for each primitive type; those for 128-bit integers have default
// implementations, which would be preferred to it, and so need ones of their own.

internal struct CodableKeyedEncoder<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let encoder: CodableEncoder

    var codingPath: [any CodingKey] { encoder.codingPath }

    func encodeNil(forKey key: Key) throws {
        set(.null, key)
    }

    func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
        set(try encoder.item(for: value, key), key)
    }

    func encode(_ value: Int128, forKey key: Key) throws {
        set(CodableItem(value), key)
    }

    func encode(_ value: UInt128, forKey key: Key) throws {
        set(CodableItem(value), key)
    }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy keyType: NestedKey.Type, forKey key: Key
    ) -> KeyedEncodingContainer<NestedKey> {
        child(key).container(keyedBy: keyType)
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        child(key).unkeyedContainer()
    }

    func superEncoder() -> any Encoder {
        child(CodableExtraKey.super)
    }

    func superEncoder(forKey key: Key) -> any Encoder {
        child(key)
    }

    private func set(_ item: CodableItem, _ key: some CodingKey) {
        encoder.node.set(item, forKey: encoder.session.keys.index(of: key.stringValue))
    }

    /// An encoder for the node under `key`, which may have been made before.
    private func child(_ key: some CodingKey) -> CodableEncoder {
        let index = encoder.session.keys.index(of: key.stringValue)
        let node: CodableNode
        if case .node(let existing)? = encoder.node.item(forKey: index) {
            node = existing
        } else {
            node = CodableNode()
            encoder.node.set(.node(node), forKey: index)
        }
        return CodableEncoder(session: encoder.session, node: node, path: CodablePath(key, in: encoder.path))
    }
}

internal struct CodableUnkeyedEncoder: UnkeyedEncodingContainer {
    let encoder: CodableEncoder

    var codingPath: [any CodingKey] { encoder.codingPath }
    var count: Int { encoder.node.items.count }

    func encodeNil() throws {
        encoder.node.append(.null)
    }

    func encode<T: Encodable>(_ value: T) throws {
        if let item = CodableItem(leaf: value) {
            encoder.node.append(item)
        } else {
            encoder.node.append(try encoder.item(for: value, CodableExtraKey(index: count)))
        }
    }

    func encode(_ value: Int128) throws {
        encoder.node.append(CodableItem(value))
    }

    func encode(_ value: UInt128) throws {
        encoder.node.append(CodableItem(value))
    }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy keyType: NestedKey.Type
    ) -> KeyedEncodingContainer<NestedKey> {
        child().container(keyedBy: keyType)
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        child().unkeyedContainer()
    }

    func superEncoder() -> any Encoder {
        child()
    }

    private func child() -> CodableEncoder {
        let path = CodablePath(CodableExtraKey(index: count), in: encoder.path)
        let node = CodableNode()
        encoder.node.append(.node(node))
        return CodableEncoder(session: encoder.session, node: node, path: path)
    }
}

internal struct CodableSingleEncoder: SingleValueEncodingContainer {
    let encoder: CodableEncoder

    var codingPath: [any CodingKey] { encoder.codingPath }

    func encodeNil() throws {
        set(.null)
    }

    func encode<T: Encodable>(_ value: T) throws {
        if let item = CodableItem(leaf: value) {
            set(item)
        } else {
            try value.encode(to: encoder)
        }
    }

    func encode(_ value: Int128) throws {
        set(CodableItem(value))
    }

    func encode(_ value: UInt128) throws {
        set(CodableItem(value))
    }

    private func set(_ item: CodableItem) {
        encoder.become(.single)
        encoder.node.set(item)
    }
}
