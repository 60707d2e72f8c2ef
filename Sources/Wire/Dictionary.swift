extension Dictionary: WireEncodable where Key: WireEncodable, Value: WireEncodable {
    /// Appends the number of pairs, then each key and its value, in the dictionary's own order.
    @inlinable
    public func write(to output: inout WireWriter) {
        output.append(length: count)
        output.enterElements()
        for (key, value) in self {
            key.write(to: &output)
            value.write(to: &output)
        }
        output.leaveElements()
    }
}

extension Dictionary: WireDecodable where Key: WireDecodable, Value: WireDecodable {
    /// Reads the number of pairs, then the pairs.
    ///
    /// - Throws: ``WireError/Code/duplicateKey``; ``WireError/Code/invalidValue`` if more than 16 keys don't equal
    ///   themselves, as NaN does not.
    @inlinable
    public init(from input: inout WireReader) throws(WireError) {
        let count = try input.readLength()
        try input.enter()
        input.enterElements()
        defer {
            input.leaveElements()
            input.leave()
        }
        var strangers = 0
        self.init(minimumCapacity: input.plausibleCount(of: (Key, Value).self, claimed: count))
        for _ in 0..<count {
            let start = input.offset
            let key = try input.take(Key.self)
            try input.checkReflexive(key, start: start, strangers: &strangers)
            let value = try input.take(Value.self)
            guard updateValue(value, forKey: key) == nil else {
                throw WireError(code: .duplicateKey, offset: start)
            }
        }
    }
}

extension WireReader {
    /// Refuses the 17th key that doesn't equal itself.
    ///
    /// Such keys all have the same hash and are never found again, so that n of them take O(n²) time to insert.
    @inlinable
    internal func checkReflexive<Key: Hashable>(
        _ key: Key, start: Int, strangers: inout Int
    ) throws(WireError) {
        guard key != key else { return }
        strangers += 1
        guard strangers <= 16 else {
            throw WireError(code: .invalidValue, offset: start, detail: "too many keys that don't equal themselves")
        }
    }
}
