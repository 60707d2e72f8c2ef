extension Range: WireEncodable where Bound: WireEncodable {
    /// Appends the bounds.
    @inlinable
    public func write(to output: inout WireWriter) {
        output.write(lowerBound, upperBound)
    }
}

extension Range: WireDecodable where Bound: WireDecodable {
    /// Reads the bounds.
    ///
    /// - Throws: ``WireError/Code/invalidValue`` unless the lower bound is at most the upper one.
    @inlinable
    public init(from input: inout WireReader) throws(WireError) {
        let start = input.offset
        let (lower, upper): (Bound, Bound) = try input.read()
        guard lower <= upper else {
            throw WireError(code: .invalidValue, offset: start, detail: "range from \(lower) to \(upper)")
        }
        self = lower..<upper
    }
}

extension ClosedRange: WireEncodable where Bound: WireEncodable {
    /// Appends the bounds.
    @inlinable
    public func write(to output: inout WireWriter) {
        output.write(lowerBound, upperBound)
    }
}

extension ClosedRange: WireDecodable where Bound: WireDecodable {
    /// Reads the bounds.
    ///
    /// - Throws: ``WireError/Code/invalidValue`` unless the lower bound is at most the upper one.
    @inlinable
    public init(from input: inout WireReader) throws(WireError) {
        let start = input.offset
        let (lower, upper): (Bound, Bound) = try input.read()
        guard lower <= upper else {
            throw WireError(code: .invalidValue, offset: start, detail: "range from \(lower) to \(upper)")
        }
        self = lower...upper
    }
}
