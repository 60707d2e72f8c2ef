public import Wire

/// A future or a channel can't do what was asked.
public struct ReferenceError: Error, Hashable, Codable, Sendable, CustomStringConvertible {
    /// The kind of failure; compare it with the static members. New kinds may be added.
    public struct Code: Hashable, Codable, Sendable {
        fileprivate enum Kind: UInt8, Codable { case alreadySet = 1, closed, unknown, cancelled, refused }
        fileprivate let kind: Kind
        /// A future is given its value once.
        public static let alreadySet = Code(kind: .alreadySet)
        /// The channel is closed; one that is emptied has nothing more to give.
        public static let closed = Code(kind: .closed)
        /// Its owner knows no such channel, or not of this type.
        public static let unknown = Code(kind: .unknown)
        /// Whoever asked wants no answer any more.
        public static let cancelled = Code(kind: .cancelled)
        /// The owner could not do it.
        public static let refused = Code(kind: .refused)
    }

    /// The kind of failure.
    public let code: Code
    /// What happened, and the cure.
    public let description: String

    package init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    package static let alreadySet = ReferenceError(
        .alreadySet, "this future has its value already: a future is given one once; make another one")
    package static let closed = ReferenceError(.closed, "the channel is closed")
    package static let cancelled = ReferenceError(.cancelled, "what was asked of a reference is not wanted any more")
    /// Of a future.
    package static let gone = ReferenceError(
        .unknown,
        """
        the process that named this future has ended, and its value was freed, as far as is known here; have it fetched \
        before that process ends
        """)
    package static let unknown = ReferenceError(
        .unknown, "the process that it names has no such channel; it may have been freed, with its last reference")
}

extension ReferenceError: WireEncodable, WireDecodable {
    /// Writes kind and description.
    public func write(to output: inout WireWriter) { output.write(code.kind.rawValue, description) }

    /// Reads an error.
    public init(from input: inout WireReader) throws(WireError) {
        let kind: UInt8 = try input.read()
        guard let kind = Code.Kind(rawValue: kind) else { throw input.invalid("no kind of failure \(kind)") }
        self.init(Code(kind: kind), try input.read())
    }
}
