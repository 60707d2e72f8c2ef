extension CodableDecoder {
    /// The item at `range` as a value of a type that containers give directly, or nil if `T` is not one.
    func primitive<T>(_ type: T.Type, at range: Range<Int>) throws -> T? {
        if T.self == Int.self { return try integer(Int.self, at: range) as? T }
        if T.self == String.self { return try text(at: range) as? T }
        if T.self == Double.self { return try double(at: range) as? T }
        if T.self == Bool.self { return try bool(at: range) as? T }
        if T.self == Float.self { return try float(at: range) as? T }
        if T.self == UInt.self { return try integer(UInt.self, at: range) as? T }
        if T.self == Int64.self { return try integer(Int64.self, at: range) as? T }
        if T.self == UInt64.self { return try integer(UInt64.self, at: range) as? T }
        if T.self == Int32.self { return try integer(Int32.self, at: range) as? T }
        if T.self == UInt32.self { return try integer(UInt32.self, at: range) as? T }
        if T.self == Int16.self { return try integer(Int16.self, at: range) as? T }
        if T.self == UInt16.self { return try integer(UInt16.self, at: range) as? T }
        if T.self == Int8.self { return try integer(Int8.self, at: range) as? T }
        if T.self == UInt8.self { return try integer(UInt8.self, at: range) as? T }
        if T.self == Int128.self { return try integer(Int128.self, at: range) as? T }
        if T.self == UInt128.self { return try integer(UInt128.self, at: range) as? T }
        return nil
    }

    /// The integer at `range`, if the type holds it.
    func integer<T: FixedWidthInteger>(_ type: T.Type, at range: Range<Int>) throws -> T {
        let number: T?
        switch (try message.kind(of: range), range.count - 1) {
        case (.integer, 1): number = T(exactly: try message.number(Int8.self, of: range))
        case (.integer, 2): number = T(exactly: try message.number(Int16.self, of: range))
        case (.integer, 4): number = T(exactly: try message.number(Int32.self, of: range))
        case (.integer, 8): number = T(exactly: try message.number(Int64.self, of: range))
        case (.integer, 16): number = T(exactly: try message.number(Int128.self, of: range))
        case (.unsigned, 8): number = T(exactly: try message.number(UInt64.self, of: range))
        case (.unsigned, 16): number = T(exactly: try message.number(UInt128.self, of: range))
        default: throw mismatch(type, at: range)
        }
        guard let number else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: codingPath, debugDescription: "the number does not fit in \(type)"))
        }
        return number
    }

    private func double(at range: Range<Int>) throws -> Double {
        switch try message.kind(of: range) {
        case .double: try message.number(Double.self, of: range)
        case .float: Double(try message.number(Float.self, of: range))
        default: throw mismatch(Double.self, at: range)
        }
    }

    private func float(at range: Range<Int>) throws -> Float {
        switch try message.kind(of: range) {
        case .float: try message.number(Float.self, of: range)
        case .double: Float(try message.number(Double.self, of: range))
        default: throw mismatch(Float.self, at: range)
        }
    }

    private func bool(at range: Range<Int>) throws -> Bool {
        switch (try message.kind(of: range), range.count) {
        case (.false, 1): false
        case (.true, 1): true
        default: throw mismatch(Bool.self, at: range)
        }
    }

    private func text(at range: Range<Int>) throws -> String {
        guard try message.kind(of: range) == .text else { throw mismatch(String.self, at: range) }
        return try message.text(of: range)
    }
}
