// Messages know nothing of types, because both sides are the same program. Files outlive programs: what is stored says
// what it is.

extension WireEncodable {
    /// This value as bytes to be kept: a header with the fingerprint of the type's shape, then the message.
    ///
    /// Read them with ``WireDecodable/init(storedBytes:limits:)``, also after the program has changed: if the type has
    /// another shape by then, see ``WireShape``, that is an error rather than a wrong value.
    ///
    /// - Throws: ``WireError/Code/notEncodable`` if a part of the value can't be written.
    /// - Complexity: As ``wireBytes()``, and what ``WireShape`` takes, once for the whole value.
    public func storedBytes() throws(WireError) -> [UInt8] {
        let shape = WireShape(of: Self.self)
        var output = WireWriter()
        output.append(bytes: StoredFormat.magic.span)
        output.write(shape.fingerprint, shape.description)
        write(to: &output)
        return try output.finish()
    }
}

extension WireDecodable {
    /// Reads a value from what ``WireEncodable/storedBytes()`` gave.
    ///
    /// - Throws: ``WireError/Code/notStored`` if the bytes don't start as stored bytes do;
    ///   ``WireError/Code/shapeMismatch``, with both shapes in the error's detail, if they hold a value of another
    ///   shape than this type has now; ``WireError`` if the message that follows is not such a value. Offsets count from
    ///   the first of the bytes.
    public init(storedBytes bytes: [UInt8], limits: WireLimits = .default) throws(WireError) {
        var input = WireReader(bytes.span, limits: limits)
        try input.expectStored(WireShape(of: Self.self))
        self = try input.read()
        try input.expectEnd()
    }
}

extension WireReader {
    /// Reads the header of stored bytes, and compares the shape in it with the one that is expected.
    fileprivate mutating func expectStored(_ expected: WireShape) throws(WireError) {
        for byte in StoredFormat.magic {
            guard remainingByteCount > 0, try readPlain(UInt8.self) == byte else {
                throw WireError(code: .notStored, offset: 0, detail: "no stored value, or of another format")
            }
        }
        let start = position
        let fingerprint = try readPlain(UInt64.self)
        let description = try String(from: &self)
        guard fingerprint == expected.fingerprint else {
            let (stored, read) = (StoredFormat.excerpt(description), StoredFormat.excerpt(expected.description))
            throw WireError(
                code: .shapeMismatch, offset: start,
                detail: "stored as \(stored) (\(StoredFormat.hex(fingerprint))), "
                    + "read as \(read) (\(StoredFormat.hex(expected.fingerprint)))")
        }
    }
}

/// Constants of stored bytes.
private enum StoredFormat {
    /// What stored bytes start with; the last byte is the version of Wire's format.
    static let magic: [UInt8] = [0x57, 0x69, 0x72, 0x65, 0x01]

    static func hex(_ fingerprint: UInt64) -> String {
        "0x" + String(fingerprint, radix: 16)
    }

    /// A shape as an error shows it: a type can have hundreds of properties.
    static func excerpt(_ shape: String) -> String {
        shape.count <= 1000 ? shape : shape.prefix(1000) + "…"
    }
}
