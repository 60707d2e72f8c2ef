/// The bytes of one `Codable` value, which decoders share. Offsets, also those in errors, are relative to its start.
///
/// They are a copy, because a `Decoder` can be stored, and a reader's bytes are borrowed.
internal final class CodableMessage {
    let bytes: [UInt8]
    let keys: [String]
    /// Offset of the first of `bytes` in the message.
    let base: Int
    let nesting: Int

    init(bytes: [UInt8], keys: [String], base: Int, nesting: Int) {
        self.bytes = bytes
        self.keys = keys
        self.base = base
        self.nesting = nesting
    }

    /// The kind of an item, or nil if it is nil.
    func kind(of item: Range<Int>) throws(WireError) -> CodableItem.Kind? {
        if item.isEmpty { return nil }
        guard let kind = CodableItem.Kind(rawValue: bytes[item.lowerBound]) else {
            throw WireError(
                code: .invalidTag, offset: item.lowerBound, detail: "item of kind \(bytes[item.lowerBound])")
        }
        return kind
    }

    /// The items of an unkeyed container.
    func unkeyedItems(of item: Range<Int>) throws(WireError) -> [Range<Int>] {
        let bytes = bytes
        var reader = WireReader(bytes.span, contentsOf: item)
        var items: [Range<Int>] = []
        while reader.remainingByteCount > 0 {
            items.append(try reader.readItem())
        }
        return items
    }

    /// The items of a keyed container, with the index of each one's key.
    func keyedItems(of item: Range<Int>) throws(WireError) -> [(key: Int, item: Range<Int>)] {
        let bytes = bytes
        var reader = WireReader(bytes.span, contentsOf: item)
        var items: [(key: Int, item: Range<Int>)] = []
        while reader.remainingByteCount > 0 {
            let key = try reader.readLength()
            guard key < keys.count else { throw reader.error(.invalidTag, "no key \(key)") }
            items.append((key, try reader.readItem()))
        }
        return items
    }

    /// The text of an item of that kind.
    func text(of item: Range<Int>) throws(WireError) -> String {
        let bytes = bytes
        var reader = WireReader(bytes.span, contentsOf: item)
        return String(copying: try reader.readUTF8(byteCount: reader.remainingByteCount))
    }

    /// The number of an item of the kind integer, unsigned, float or double.
    func number<T: Plain>(_ type: T.Type, of item: Range<Int>) throws(WireError) -> T {
        let bytes = bytes
        var reader = WireReader(bytes.span, contentsOf: item)
        let number = try reader.readPlain(T.self)
        try reader.expectEnd()
        return number
    }
}

extension WireReader {
    /// A reader of what stands in an item after its kind, as if nothing came after.
    @_lifetime(copy bytes)
    internal init(_ bytes: Span<UInt8>, contentsOf item: Range<Int>) {
        self.init(bytes.extracting(first: item.upperBound))
        position = min(item.lowerBound + 1, item.upperBound)
    }

    /// Reads an item's length, and skips the item.
    internal mutating func readItem() throws(WireError) -> Range<Int> {
        let size = try readLength()
        try need(size)
        let start = position
        position &+= size
        return start..<position
    }
}

extension WireError {
    /// The same failure `distance` bytes further on.
    internal func moved(by distance: Int) -> WireError {
        WireError(code: code, offset: offset + distance, needed: needed, available: available, detail: detail)
    }
}
