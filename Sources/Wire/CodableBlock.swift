/// An array of numbers inside a `Codable` value, which travels as one block.
///
/// `Codable` would hand over each element by itself, 50 to 100 times as slowly. Only what a container is given as an
/// array takes this way; and if it is asked for as something else (a set, say), the elements are there one by one.
internal struct CodableBlock {
    /// The type of the elements; `Int` travels as `Int64`.
    enum Element: UInt8 {
        case int8 = 1, int16, int32, int64, uint8, uint16, uint32, uint64, float, double
    }

    let element: Element
    let bytes: [UInt8]

    private init<T: Plain>(_ element: Element, _ array: [T]) {
        self.element = element
        // SAFETY: numbers have no padding, so all bytes are initialised; the array copies them.
        bytes = unsafe array.withUnsafeBytes { unsafe [UInt8]($0) }
    }

    /// The block for `value`, if it is an array of numbers.
    init?<T>(_ value: T) {
        if T.self == [Int].self {
            self.init(.int64, value as! [Int])
        } else if T.self == [Double].self {
            self.init(.double, value as! [Double])
        } else if T.self == [Float].self {
            self.init(.float, value as! [Float])
        } else if T.self == [UInt8].self {
            self.init(.uint8, value as! [UInt8])
        } else if T.self == [Int8].self {
            self.init(.int8, value as! [Int8])
        } else if T.self == [Int16].self {
            self.init(.int16, value as! [Int16])
        } else if T.self == [UInt16].self {
            self.init(.uint16, value as! [UInt16])
        } else if T.self == [Int32].self {
            self.init(.int32, value as! [Int32])
        } else if T.self == [UInt32].self {
            self.init(.uint32, value as! [UInt32])
        } else if T.self == [Int64].self {
            self.init(.int64, value as! [Int64])
        } else if T.self == [UInt64].self {
            self.init(.uint64, value as! [UInt64])
        } else if T.self == [UInt].self {
            self.init(.uint64, value as! [UInt])
        } else {
            return nil
        }
    }
}

extension CodableDecoder {
    /// The block at `range` as an array of type `T`, or nil if it has to be decoded element by element.
    func block<T>(_ type: T.Type, at range: Range<Int>) throws -> T? {
        guard try message.kind(of: range) == .block else { return nil }
        if T.self == [Int].self { return try elements(Int.self, .int64, at: range) as? T }
        if T.self == [Double].self { return try elements(Double.self, .double, at: range) as? T }
        if T.self == [Float].self { return try elements(Float.self, .float, at: range) as? T }
        if T.self == [UInt8].self { return try elements(UInt8.self, .uint8, at: range) as? T }
        if T.self == [Int8].self { return try elements(Int8.self, .int8, at: range) as? T }
        if T.self == [Int16].self { return try elements(Int16.self, .int16, at: range) as? T }
        if T.self == [UInt16].self { return try elements(UInt16.self, .uint16, at: range) as? T }
        if T.self == [Int32].self { return try elements(Int32.self, .int32, at: range) as? T }
        if T.self == [UInt32].self { return try elements(UInt32.self, .uint32, at: range) as? T }
        if T.self == [Int64].self { return try elements(Int64.self, .int64, at: range) as? T }
        if T.self == [UInt64].self { return try elements(UInt64.self, .uint64, at: range) as? T }
        if T.self == [UInt].self { return try elements(UInt.self, .uint64, at: range) as? T }
        return nil
    }

    /// A decoder for the elements of a block one by one.
    func expanded() throws -> CodableDecoder {
        let bytes = try message.expandedBlock(range)
        let message = CodableMessage(bytes: bytes, keys: [], base: message.base, nesting: message.nesting)
        return CodableDecoder(message: message, range: 0..<bytes.count, path: path, remainingDepth: remainingDepth)
    }

    private func elements<E: Plain>(
        _ type: E.Type, _ element: CodableBlock.Element, at range: Range<Int>
    ) throws(WireError) -> [E]? {
        guard try message.element(ofBlock: range) == element else { return nil }
        return try message.elements(of: E.self, in: range)
    }
}

extension CodableMessage {
    /// The type of a block's elements.
    fileprivate func element(ofBlock range: Range<Int>) throws(WireError) -> CodableBlock.Element {
        guard range.count >= 2, let element = CodableBlock.Element(rawValue: bytes[range.lowerBound + 1]) else {
            throw WireError(code: .invalidTag, offset: range.lowerBound, detail: "block")
        }
        return element
    }

    /// A block's elements.
    fileprivate func elements<E: Plain>(of type: E.Type, in range: Range<Int>) throws(WireError) -> [E] {
        let bytes = bytes
        var reader = WireReader(bytes.span, contentsOf: range)
        _ = try reader.readPlain(UInt8.self)
        let (count, rest) = reader.remainingByteCount.quotientAndRemainder(dividingBy: MemoryLayout<E>.size)
        guard rest == 0 else { throw reader.error(.invalidLength, "\(rest) bytes too many for a block") }
        return PlainView<E>(try reader.borrow(reader.remainingByteCount), count: count).copyElements()
    }

    /// A block as an unkeyed item.
    fileprivate func expandedBlock(_ range: Range<Int>) throws(WireError) -> [UInt8] {
        let node = CodableNode()
        _ = node.become(.unkeyed)
        for item in try items(ofBlock: range) { node.append(item) }
        node.measure()
        var output = WireWriter(reserving: node.byteCount)
        node.writeContents(to: &output)
        return try output.finish()
    }

    private func items(ofBlock range: Range<Int>) throws(WireError) -> [CodableItem] {
        switch try element(ofBlock: range) {
        case .double: try items(of: Double.self, in: range)
        case .float: try items(of: Float.self, in: range)
        case .uint8: try items(of: UInt8.self, in: range)
        case .int8: try items(of: Int8.self, in: range)
        case .int16: try items(of: Int16.self, in: range)
        case .uint16: try items(of: UInt16.self, in: range)
        case .int32: try items(of: Int32.self, in: range)
        case .uint32: try items(of: UInt32.self, in: range)
        case .int64: try items(of: Int64.self, in: range)
        case .uint64: try items(of: UInt64.self, in: range)
        }
    }

    private func items<E: Plain>(of type: E.Type, in range: Range<Int>) throws(WireError) -> [CodableItem] {
        try elements(of: E.self, in: range).compactMap { CodableItem(primitive: $0) }
    }
}
