/// What a single-value container was given: a leaf of a `Codable` value, or a container.
///
/// An item travels as its length in bytes, then a byte for its kind, then its contents. The length 0 stands for
/// nil. Because the kind is there, a type may try to decode one type after another, as some do; and because the
/// length is there, it may skip an item, or read items in any order.
internal enum CodableItem {
    case null
    case bool(Bool)
    case integer(Int64)
    case unsigned(UInt64)
    /// In two halves, which take less room in an enum than `Int128` with its alignment does.
    case wideInteger(high: UInt64, low: UInt64)
    case wideUnsigned(high: UInt64, low: UInt64)
    case float(Float)
    case double(Double)
    case text(String)
    case block(CodableBlock)
    case node(CodableNode)

    /// The byte that tells items apart.
    enum Kind: UInt8 {
        /// No contents.
        case `false` = 1
        case `true`
        /// Two's complement in 1, 2, 4, 8 or 16 bytes.
        case integer
        /// In 8 or 16 bytes; for numbers that the signed one of this size doesn't hold.
        case unsigned
        case float
        case double
        /// UTF-8.
        case text
        /// Items.
        case unkeyed
        /// For each item, the index of its key in ``CodableKeys``, and the item.
        case keyed
        /// A byte for the type of the elements, and the elements, see ``CodableBlock``.
        case block
    }

    init(_ value: some FixedWidthInteger) {
        if let small = Int64(exactly: value) {
            self = .integer(small)
        } else if let large = UInt64(exactly: value) {
            self = .unsigned(large)
        } else {
            let high = UInt64(truncatingIfNeeded: value >> 64)
            let low = UInt64(truncatingIfNeeded: value)
            self =
                Int128(exactly: value) == nil
                ? .wideUnsigned(high: high, low: low) : .wideInteger(high: high, low: low)
        }
    }

    /// The item for `value` if that needs no container.
    init?<T>(leaf value: T) {
        if let item = CodableItem(primitive: value) {
            self = item
        } else if let block = CodableBlock(value) {
            self = .block(block)
        } else {
            return nil
        }
    }

    /// The item for `value` if it is of a type that containers take directly.
    init?<T>(primitive value: T) {
        if T.self == Int.self {
            self = .integer(Int64(value as! Int))
        } else if T.self == String.self {
            self = .text(value as! String)
        } else if T.self == Double.self {
            self = .double(value as! Double)
        } else if T.self == Bool.self {
            self = .bool(value as! Bool)
        } else if T.self == Float.self {
            self = .float(value as! Float)
        } else if T.self == UInt.self {
            self.init(value as! UInt)
        } else if T.self == Int64.self {
            self.init(value as! Int64)
        } else if T.self == UInt64.self {
            self.init(value as! UInt64)
        } else if T.self == Int32.self {
            self.init(value as! Int32)
        } else if T.self == UInt32.self {
            self.init(value as! UInt32)
        } else if T.self == Int16.self {
            self.init(value as! Int16)
        } else if T.self == UInt16.self {
            self.init(value as! UInt16)
        } else if T.self == Int8.self {
            self.init(value as! Int8)
        } else if T.self == UInt8.self {
            self.init(value as! UInt8)
        } else if T.self == Int128.self {
            self.init(value as! Int128)
        } else if T.self == UInt128.self {
            self.init(value as! UInt128)
        } else {
            return nil
        }
    }

    /// Bytes of the kind and the contents, without the length before them.
    var byteCount: Int {
        switch self {
        case .null: 0
        case .bool: 1
        case .integer(let value): 1 + Self.width(value)
        case .float: 5
        case .unsigned, .double: 9
        case .wideInteger, .wideUnsigned: 17
        case .text(let text): 1 + text.utf8.count
        case .block(let block): 2 + block.bytes.count
        case .node(let node): node.byteCount
        }
    }

    /// The fewest bytes that hold `value`: 1, 2, 4 or 8.
    private static func width(_ value: Int64) -> Int {
        if value == Int64(Int8(truncatingIfNeeded: value)) { return 1 }
        if value == Int64(Int16(truncatingIfNeeded: value)) { return 2 }
        return value == Int64(Int32(truncatingIfNeeded: value)) ? 4 : 8
    }

    /// Appends the item; the sizes of nodes must be known, see ``CodableNode/measure()``.
    func write(to output: inout WireWriter) {
        output.append(length: byteCount)
        switch self {
        case .null: break
        case .bool(let value): output.append(kind: value ? .true : .false)
        case .integer(let value):
            output.append(kind: .integer)
            switch Self.width(value) {
            case 1: output.append(plain: Int8(truncatingIfNeeded: value))
            case 2: output.append(plain: Int16(truncatingIfNeeded: value))
            case 4: output.append(plain: Int32(truncatingIfNeeded: value))
            default: output.append(plain: value)
            }
        case .unsigned(let value): output.append(kind: .unsigned, plain: value)
        case .wideInteger(let high, let low):
            output.append(kind: .integer, plain: low)
            output.append(plain: high)
        case .wideUnsigned(let high, let low):
            output.append(kind: .unsigned, plain: low)
            output.append(plain: high)
        case .float(let value): output.append(kind: .float, plain: value)
        case .double(let value): output.append(kind: .double, plain: value)
        case .text(let text):
            output.append(kind: .text)
            output.append(utf8Of: text)
        case .block(let block):
            output.append(kind: .block, plain: block.element.rawValue)
            output.append(bytes: block.bytes.span)
        case .node(let node): node.writeContents(to: &output)
        }
    }
}

extension WireWriter {
    fileprivate mutating func append(kind: CodableItem.Kind) {
        append(plain: kind.rawValue)
    }

    fileprivate mutating func append(kind: CodableItem.Kind, plain value: some BitwiseCopyable) {
        append(plain: kind.rawValue)
        append(plain: value)
    }
}
