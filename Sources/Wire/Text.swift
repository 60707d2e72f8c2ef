extension String: WireEncodable, WireDecodable {
    /// Appends the number of UTF-8 bytes, then the bytes.
    @inlinable
    @inline(__always)
    public func write(to output: inout WireWriter) {
        let isWritten: Void? = unsafe utf8.withContiguousStorageIfAvailable { utf8 in
            // SAFETY: an empty string's buffer has an address too; the bytes are used during the call only.
            unsafe output.append(length: utf8.count, bytes: utf8.baseAddress.unsafelyUnwrapped, size: utf8.count)
        }
        if isWritten == nil { output.append(copyOf: self) }
    }

    /// Reads text.
    ///
    /// - Throws: ``WireError/Code/invalidUTF8``, at the offset where the text starts.
    @inlinable
    public init(from input: inout WireReader) throws(WireError) {
        self = try input.take(String.self)
    }

    /// Reads text, see ``WireDecodable/takeValue(from:)``.
    @inlinable
    @inline(__always)
    public static func takeValue(from input: inout WireReader) -> String? {
        input.takeSmallText() ?? input.takeText()
    }
}

extension WireWriter {
    /// Appends a text whose UTF-8 bytes don't lie in memory as they are.
    @usableFromInline
    @inline(never)
    internal mutating func append(copyOf text: String) {
        append(length: text.utf8.count)
        append(utf8Of: text)
    }

    /// Appends the UTF-8 bytes of `text`, without a length.
    internal mutating func append(utf8Of text: String) {
        var text = text
        text.withUTF8 { utf8 in
            // SAFETY: the buffer is used during the call only.
            unsafe append(bytes: utf8.span.bytes)
        }
    }
}

extension WireReader {
    /// Reads text of any length; nil if it failed.
    @usableFromInline
    @inline(never)
    internal mutating func takeText() -> String? {
        do {
            let byteCount = try readLength()
            return String(copying: try readUTF8(byteCount: byteCount))
        } catch {
            return fail(error)
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
