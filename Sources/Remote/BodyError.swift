import Synchronization

/// Why a body can't be sent to a worker; thrown at the call, before anything is sent.
public struct BodyError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind of refusal; compare it with the static members. New kinds may be added.
    public struct Code: Hashable, Sendable {
        private enum Kind { case captures, privateType, notCodable, foreignCode }
        private let kind: Kind
        /// The body is not a closure literal that captures nothing.
        public static let captures = Code(kind: .captures)
        /// A type can't be found by its name in another process.
        public static let privateType = Code(kind: .privateType)
        /// A type has no way to become bytes.
        public static let notCodable = Code(kind: .notCodable)
        /// The body's code belongs to no file of the program.
        public static let foreignCode = Code(kind: .foreignCode)
    }

    /// The kind of refusal.
    public let code: Code
    /// The source file of the call, as `#fileID` gives it.
    public let file: String
    /// The line of the call.
    public let line: Int
    /// File, line, what is wrong and the cure.
    public let description: String

    private init(_ code: Code, _ file: String, _ line: Int, _ text: String) {
        self.code = code
        self.file = file
        self.line = line
        description = "\(file):\(line): \(text)"
    }

    static func captures(file: String, line: Int) -> BodyError {
        BodyError(
            .captures, file, line,
            """
            this body holds values that a worker would not have. Write it as a closure literal where it is passed, and \
            name what it needs: `capturing: x` with the body `{ element, x in … }`; for a function, key path or stored \
            closure write `{ f($0) }`, or keep `RemoteFunction { … }` instead
            """)
    }

    static func privateType(_ name: String, file: String, line: Int) -> BodyError {
        BodyError(
            .privateType, file, line,
            """
            the type \(name) can't be found by name in a worker: it, or a type it is made of, is private or local to a \
            function. Make it internal or public, at file scope or inside another type
            """)
    }

    static func notCodable(_ name: String, file: String, line: Int) -> BodyError {
        BodyError(
            .notCodable, file, line,
            """
            \(name) can't travel between processes: it is not WireCodable. If it is Codable, add \
            `extension \(name): WireCodable {}`; if not, give it `write(to:)` and `init(from:)`
            """)
    }

    static func foreignCode(file: String, line: Int) -> BodyError {
        BodyError(
            .foreignCode, file, line,
            """
            this body's code is in no file of the program (generated at run time?), so that a worker could not find it
            """)
    }
}

/// The name that a type has in its source: the runtime puts a number where a private type's file would be.
func readableName(of type: any Any.Type) -> String {
    let marker = "(unknown context at $"
    var rest = String(reflecting: type)[...]
    var name = ""
    while !rest.isEmpty {
        if rest.hasPrefix(marker), let end = rest.firstIndex(of: ")") {
            rest = rest[end...].dropFirst()
            if rest.hasPrefix(".") { rest = rest.dropFirst() }
        } else {
            name.append(rest.removeFirst())
        }
    }
    return name
}

/// Names that lead back to their types; asking the runtime takes microseconds.
private let travellingNames = Mutex<[ObjectIdentifier: String]>([:])

/// The name by which another process of this program finds `type`.
///
/// - Throws: ``BodyError/Code/privateType`` if the name does not lead back to the same type here.
func travellingName(of type: any Any.Type, file: String, line: Int) throws(BodyError) -> String {
    let key = ObjectIdentifier(type)
    if let known = travellingNames.withLock({ $0[key] }) { return known }
    guard let name = _mangledTypeName(type), let found = _typeByName(name), found == type else {
        throw .privateType(readableName(of: type), file: file, line: line)
    }
    travellingNames.withLock { $0[key] = name }
    return name
}
