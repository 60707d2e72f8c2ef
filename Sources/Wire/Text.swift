extension String: WireEncodable, WireDecodable {
    /// Appends the number of UTF-8 bytes, then the bytes.
    @inlinable
    public func write(to output: inout WireWriter) {
        output.append(length: utf8.count)
        output.append(utf8Of: self)
    }

    /// Reads text.
    ///
    /// - Throws: ``WireError/Code/invalidUTF8``, at the offset where the text starts.
    @inlinable
    public init(from input: inout WireReader) throws(WireError) {
        self = try input.readText(byteCount: input.readLength())
    }
}

extension WireReader {
    /// Reads text of `byteCount` bytes.
    @inlinable
    internal mutating func readText(byteCount: Int) throws(WireError) -> String {
        let start = position
        let text = try unsafe readBytes(byteCount) { bytes in
            // SAFETY: bytes are initialised `UInt8`, and used during the call only.
            let utf8 = unsafe bytes.assumingMemoryBound(to: UInt8.self).span
            guard let text = try? UTF8Span(validating: utf8) else { return nil as String? }
            return String(copying: text)
        }
        guard let text else { throw WireError(code: .invalidUTF8, offset: start) }
        return text
    }
}

extension WireWriter {
    /// Appends the UTF-8 bytes of `text`, without a length.
    @inlinable
    internal mutating func append(utf8Of text: String) {
        var text = text
        text.withUTF8 { utf8 in
            // SAFETY: the buffer is used during the call only.
            unsafe append(bytes: utf8.span.bytes)
        }
    }
}

extension Character: WireEncodable, WireDecodable {
    /// Appends the same bytes as a `String` of this character.
    @inlinable
    public func write(to output: inout WireWriter) {
        String(self).write(to: &output)
    }

    /// Reads a text of exactly one character.
    ///
    /// - Throws: ``WireError/Code/invalidUTF8``; ``WireError/Code/invalidValue`` unless it is one character.
    @inlinable
    public init(from input: inout WireReader) throws(WireError) {
        let start = input.offset
        let text = try String(from: &input)
        guard let first = text.first, text.index(after: text.startIndex) == text.endIndex else {
            throw WireError(code: .invalidValue, offset: start, detail: "not one character")
        }
        self = first
    }
}

extension Unicode.Scalar: WireEncodable, WireDecodable {
    /// Appends the scalar's number, 4 bytes.
    @inlinable
    public func write(to output: inout WireWriter) {
        output.append(plain: value)
    }

    /// Reads a scalar's number.
    ///
    /// - Throws: ``WireError/Code/invalidValue`` for a surrogate, or a number above 0x10FFFF.
    @inlinable
    public init(from input: inout WireReader) throws(WireError) {
        let value = try input.readPlain(UInt32.self)
        guard let scalar = Unicode.Scalar(value) else {
            throw WireError(code: .invalidValue, offset: input.offset - 4, detail: "no Unicode scalar \(value)")
        }
        self = scalar
    }
}
