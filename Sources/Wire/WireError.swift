/// Why bytes could not be read as a value, or a value could not be written.
public struct WireError: Error, Hashable, Sendable {
    /// The kind of failure; compare it with the static members. New kinds may be added.
    public struct Code: Hashable, Sendable {
        fileprivate enum Kind: String, WireCodable {
            case truncated, invalidLength, invalidUTF8, invalidTag, invalidBool, invalidValue
            case nestingLimit, freeLimit, duplicateKey, trailingBytes, notEncodable
            case misaligned, notStored, shapeMismatch
        }
        fileprivate let kind: Kind

        /// Fewer bytes remain than the value needs.
        public static let truncated = Code(kind: .truncated)
        /// A length that can't be: negative, not in its shortest form, or more than could ever be stored.
        public static let invalidLength = Code(kind: .invalidLength)
        /// Text that is not valid UTF-8.
        public static let invalidUTF8 = Code(kind: .invalidUTF8)
        /// A tag (of an optional, a result, an enum) that stands for no case.
        public static let invalidTag = Code(kind: .invalidTag)
        /// A Boolean other than 0 and 1.
        public static let invalidBool = Code(kind: .invalidBool)
        /// Well-formed bytes whose value its type does not accept.
        public static let invalidValue = Code(kind: .invalidValue)
        /// Values nested deeper than ``WireLimits/nesting``.
        public static let nestingLimit = Code(kind: .nestingLimit)
        /// More elements that take no bytes than ``WireLimits/freeByteCount`` allows.
        public static let freeLimit = Code(kind: .freeLimit)
        /// A key or set element that occurs twice.
        public static let duplicateKey = Code(kind: .duplicateKey)
        /// Bytes left over after the value.
        public static let trailingBytes = Code(kind: .trailingBytes)
        /// A value that can't be written.
        public static let notEncodable = Code(kind: .notEncodable)
        /// Bytes that can't be borrowed as elements, because they lie at an address that is not aligned for them.
        public static let misaligned = Code(kind: .misaligned)
        /// Bytes that don't start as stored ones do.
        public static let notStored = Code(kind: .notStored)
        /// Stored bytes of a type that had another shape when they were written.
        public static let shapeMismatch = Code(kind: .shapeMismatch)
    }

    /// The kind of failure.
    public let code: Code
    /// Offset in bytes, from the start of the message, where reading or writing stopped.
    public let offset: Int
    /// Bytes the value needs from ``offset``; 0 where that is not what failed.
    public let needed: Int
    /// Bytes that remained at ``offset``; 0 where that is not what failed.
    public let available: Int
    /// What was being read or written, for people; may be empty.
    public let detail: String

    /// A failure of kind `code` at `offset` bytes from the start of the message.
    public init(code: Code, offset: Int, needed: Int = 0, available: Int = 0, detail: String = "") {
        self.code = code
        self.offset = offset
        self.needed = needed
        self.available = available
        self.detail = detail
    }
}

extension WireError.Code: CustomStringConvertible {
    /// The code's name, for example `truncated`.
    public var description: String { kind.rawValue }
}

extension WireError: CustomStringConvertible {
    /// One line with everything that is known, for example
    /// `truncated at byte 12: 8 bytes needed, 3 available`.
    public var description: String {
        var text = "\(code) at byte \(offset)"
        if needed != 0 || available != 0 { text += ": \(needed) bytes needed, \(available) available" }
        if !detail.isEmpty { text += ": \(detail)" }
        return text
    }
}

extension WireError: WireEncodable, WireDecodable {
    /// Appends the code's name, the numbers and the detail.
    public func write(to output: inout WireWriter) {
        output.write(code.kind, offset, needed, available, detail)
    }

    /// Reads an error that was sent.
    public init(from input: inout WireReader) throws(WireError) {
        let kind: Code.Kind
        (kind, offset, needed, available, detail) = try input.read()
        code = Code(kind: kind)
    }
}
