extension Dictionary: WireEncodable where Key: WireEncodable, Value: WireEncodable {
    /// Appends the number of pairs, then each key and its value, in the dictionary's own order.
    @inlinable
    public func write(to output: inout WireWriter) {
        output.append(length: count)
        for (key, value) in self {
            key.write(to: &output)
            value.write(to: &output)
        }
    }
}

extension Dictionary: WireDecodable where Key: WireDecodable, Value: WireDecodable {
    /// Reads the number of pairs, then the pairs.
    ///
    /// - Throws: ``WireError/Code/duplicateKey``.
    @inlinable
    public init(from input: inout WireReader) throws(WireError) {
        let count = try input.readLength()
        try input.enter()
        defer { input.leave() }
        self.init(minimumCapacity: input.plausibleCount(of: (Key, Value).self, claimed: count))
        for _ in 0..<count {
            let start = input.offset
            let key = try Key(from: &input)
            let value = try Value(from: &input)
            guard updateValue(value, forKey: key) == nil else {
                throw WireError(code: .duplicateKey, offset: start)
            }
        }
    }
}
