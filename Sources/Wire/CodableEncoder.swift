// The `Codable` route: slower than the others, for types that nobody can or wants to teach `WireEncodable`.

extension WireEncodable where Self: Encodable {
    /// Appends the value through its `Codable` conformance.
    ///
    /// Keys travel once per outermost collection, as do numbers in as few bytes as hold them.
    ///
    /// - Complexity: About a microsecond for each struct or array inside; implement `write(to:)` where that matters.
    public func write(to output: inout WireWriter) {
        output.append(codable: self)
    }
}

extension WireWriter {
    /// Appends the new keys and the value.
    internal mutating func append<T: Encodable>(codable value: T) {
        let keys = keys ?? CodableKeys()
        let session = CodableEncodingSession(keys: keys)
        let node = CodableNode()
        do {
            try CodableEncoder(session: session, node: node, path: nil).encode(value)
            if let failure = session.failure { throw failure }
        } catch {
            fail("\(T.self): \(error)")
            return
        }
        if elementDepth > 0 { self.keys = keys }
        append(length: keys.strings.count - keys.announced)
        for key in keys.strings[keys.announced...] {
            key.write(to: &self)
        }
        keys.announced = keys.strings.count
        if node.shape != .single { node.measure() }
        node.item.write(to: &self)
    }
}

/// What all encoders of a value have in common.
internal final class CodableEncodingSession {
    let keys: CodableKeys
    /// A failure that could not be thrown where it happened.
    var failure: EncodingError?

    init(keys: CodableKeys) {
        self.keys = keys
    }
}

/// The way from the root to a value: in an error message, for example.
internal final class CodablePath {
    private let key: any CodingKey
    private let parent: CodablePath?

    init(_ key: any CodingKey, in parent: CodablePath?) {
        self.key = key
        self.parent = parent
    }

    static func keys(_ path: CodablePath?) -> [any CodingKey] {
        var keys: [any CodingKey] = []
        var next = path
        while let path = next {
            keys.append(path.key)
            next = path.parent
        }
        return keys.reversed()
    }
}

/// A key for what has none: an index, or the superclass.
internal struct CodableExtraKey: CodingKey {
    let stringValue: String
    let intValue: Int?

    static let `super` = CodableExtraKey(stringValue: "super")

    init(index: Int) {
        stringValue = "Index \(index)"
        intValue = index
    }

    init(stringValue: String) {
        self.stringValue = stringValue
        intValue = nil
    }

    init(intValue: Int) {
        self.init(index: intValue)
    }
}

/// Fills one node.
internal struct CodableEncoder: Encoder {
    let session: CodableEncodingSession
    let node: CodableNode
    let path: CodablePath?

    var codingPath: [any CodingKey] { CodablePath.keys(path) }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    /// Encodes a value into the node.
    func encode<T: Encodable>(_ value: T) throws {
        if let item = CodableItem(leaf: value) {
            become(.single)
            node.set(item)
        } else {
            try value.encode(to: self)
        }
    }

    /// The item for a value below this node.
    func item<T: Encodable>(for value: T, _ key: some CodingKey) throws -> CodableItem {
        if let item = CodableItem(leaf: value) { return item }
        let child = CodableNode()
        try value.encode(to: CodableEncoder(session: session, node: child, path: CodablePath(key, in: path)))
        return child.item
    }

    /// Asks the node for a shape; there is no way to throw here, so a failure is remembered.
    func become(_ shape: CodableNode.Shape) {
        if !node.become(shape), session.failure == nil {
            let problem = "the type asks one encoder for two kinds of containers"
            session.failure = .invalidValue(node, .init(codingPath: codingPath, debugDescription: problem))
        }
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        become(.keyed)
        return KeyedEncodingContainer(CodableKeyedEncoder(encoder: self))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        become(.unkeyed)
        return CodableUnkeyedEncoder(encoder: self)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer {
        CodableSingleEncoder(encoder: self)
    }
}
