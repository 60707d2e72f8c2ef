extension Duration: WireEncodable, WireDecodable {
    /// Appends the number of attoseconds, 16 bytes.
    @inlinable
    public func write(to output: inout WireWriter) {
        output.append(plain: attoseconds)
    }

    /// Reads a number of attoseconds.
    ///
    /// - Throws: ``WireError/Code/invalidValue`` if the seconds don't fit in `Int64`: parts of `Duration` would trap.
    @inlinable
    public init(from input: inout WireReader) throws(WireError) {
        let attoseconds = try input.readPlain(Int128.self)
        guard Int64(exactly: attoseconds / 1_000_000_000_000_000_000) != nil else {
            throw WireError(code: .invalidValue, offset: input.offset - 16, detail: "duration out of range")
        }
        self.init(attoseconds: attoseconds)
    }
}
