extension String: WireEncodable, WireDecodable {
    /// Appends the number of UTF-8 bytes, then the bytes.
    @inlinable
    public func write(to output: inout WireWriter) {
        var text = self
        text.withUTF8 { utf8 in
            // SAFETY: the buffer is used during the call only.
            unsafe output.append(lengthPrefixed: utf8.span.bytes)
        }
    }

    /// Reads text.
    ///
    /// - Throws: ``WireError/Code/invalidUTF8``, at the offset where the text starts.
    @inlinable
    public init(from input: inout WireReader) throws(WireError) {
        let length = try input.readLength()
        let start = input.offset
        let text = try unsafe input.readBytes(length) { bytes in
            // SAFETY: bytes are initialised `UInt8`, and used during the call only.
            unsafe String(validating: bytes.assumingMemoryBound(to: UInt8.self), as: UTF8.self)
        }
        guard let text else { throw WireError(code: .invalidUTF8, offset: start) }
        self = text
    }
}
