/// Why bytes could not be read as a value, or a value could not be written.
public struct WireError: Error, Hashable, Sendable {
    /// The kind of failure; compare it with the static members. New kinds may be added.
    public struct Code: Hashable, Sendable {
        fileprivate enum Kind: String, WireCodable {
            case truncated, invalidLength, invalidUTF8, invalidTag, invalidBool, invalidValue
            case nestingLimit, freeLimit, duplicateKey, trailingBytes, notEncodable
            case misaligned, invalidBlock, notStored, shapeMismatch
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
        /// A block beside the message that is missing, of another size than the message says, or overlaps another.
        public static let invalidBlock = Code(kind: .invalidBlock)
        /// Bytes that don't start as stored ones do.
        public static let notStored = Code(kind: .notStored)
        /// Stored bytes of a type that had another shape when they were written.
        public static let shapeMismatch = Code(kind: .shapeMismatch)
    }

    /// All of it in one reference: errors are rare, and what can throw one is smaller and faster if it is small.
    private final class Facts: Sendable {
        let code: Code
        let offset: Int
        let needed: Int
        let available: Int
        let detail: String

        init(code: Code, offset: Int, needed: Int, available: Int, detail: String) {
            self.code = code
            self.offset = offset
            self.needed = needed
            self.available = available
            self.detail = detail
        }
    }

    private let facts: Facts

    /// The kind of failure.
    public var code: Code { facts.code }
    /// Offset in bytes, from the start of the message, where reading or writing stopped.
    public var offset: Int { facts.offset }
    /// Bytes the value needs from ``offset``; 0 where that is not what failed.
    public var needed: Int { facts.needed }
    /// Bytes that remained at ``offset``; 0 where that is not what failed.
    public var available: Int { facts.available }
    /// What was being read or written, for people; may be empty.
    public var detail: String { facts.detail }

    /// A failure of kind `code` at `offset` bytes from the start of the message.
    public init(code: Code, offset: Int, needed: Int = 0, available: Int = 0, detail: String = "") {
        facts = Facts(code: code, offset: offset, needed: needed, available: available, detail: detail)
    }

    /// Whether both say the same.
    public static func == (left: WireError, right: WireError) -> Bool {
        left.facts === right.facts
            || left.code == right.code && left.offset == right.offset && left.needed == right.needed
                && left.available == right.available && left.detail == right.detail
    }

    /// Feeds everything that is known.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(code)
        hasher.combine(offset)
        hasher.combine(needed)
        hasher.combine(available)
        hasher.combine(detail)
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
        let (offset, needed, available): (Int, Int, Int)
        let detail: String
        (kind, offset, needed, available, detail) = try input.read()
        self.init(
            code: Code(kind: kind), offset: offset, needed: needed, available: available, detail: detail)
    }
}
