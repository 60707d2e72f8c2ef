extension Set: WireEncodable where Element: WireEncodable {
    /// Appends the number of elements, then the elements, in the set's own order.
    @inlinable
    public func write(to output: inout WireWriter) {
        output.append(length: count)
        output.enterElements()
        for element in self {
            element.write(to: &output)
        }
        output.leaveElements()
    }
}

extension Set: WireDecodable where Element: WireDecodable {
    /// Reads the number of elements, then the elements.
    ///
    /// - Throws: ``WireError/Code/duplicateKey``; ``WireError/Code/invalidValue`` if more than 16 elements don't
    ///   equal themselves, as NaN does not.
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
        self.init(minimumCapacity: input.plausibleCount(of: Element.self, claimed: count))
        for _ in 0..<count {
            let start = input.offset
            let element = try input.take(Element.self)
            try input.checkReflexive(element, start: start, strangers: &strangers)
            guard insert(element).inserted else {
                throw WireError(code: .duplicateKey, offset: start)
            }
        }
    }
}
