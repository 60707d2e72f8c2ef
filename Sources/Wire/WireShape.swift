@_spi(Reflection) import Swift

/// What a type's stored bytes look like, as far as that can be told from the type: text for people, and a number for
/// files.
///
/// The text names the type, and for a struct or class its stored properties and their shapes, in order:
/// `Reading(id: Int, place: String, values: Array<Double>)`. Names are without modules, so that moving a type to
/// another one changes nothing. A type that occurs again is named only, and so are types of the standard library and of
/// Foundation.
///
/// What a type does in `write(to:)` of its own can't be seen, nor the payloads of an enum (its cases are part of the
/// shape if it is `CaseIterable`): ``WireVersioned`` is for changes of these.
///
/// - Complexity: Goes through the type's metadata, some microseconds for each type in it; keep the result where that
///   matters. Properties are seen as long as a program is built with reflection metadata, which it is unless told.
public struct WireShape: Hashable, Sendable, CustomStringConvertible {
    /// The shape as text.
    public let description: String

    /// The shape of the values of `type`.
    public init<T>(of type: T.Type) {
        var text = ""
        var visited: Set<ObjectIdentifier> = []
        Self.describe(type, in: &text, &visited)
        description = text
    }

    /// A number that differs, most probably, where shapes differ: the FNV-1a hash, 64 bits, of the text's UTF-8 bytes.
    public var fingerprint: UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in description.utf8 {
            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3
        }
        return hash
    }

    private static func describe(_ type: Any.Type, in text: inout String, _ visited: inout Set<ObjectIdentifier>) {
        if let container = type as? any WireShapeContainer.Type {
            text += container.wireShapeName
            for (index, part) in container.wireShapeParts.enumerated() {
                text += index == 0 ? "<" : ", "
                describe(part, in: &text, &visited)
            }
            text += ">"
            return
        }
        text += _typeName(type, qualified: false)
        if type is any Plain.Type, !isFromLibrary(type) { text += " plain" }
        if let versioned = type as? any WireVersioned.Type { text += " v\(versioned.wireVersion)" }
        guard !isFromLibrary(type), visited.insert(ObjectIdentifier(type)).inserted else { return }
        if let cases = type as? any CaseIterable.Type {
            text += "[\(names(of: cases))]"
        } else {
            describeProperties(of: type, in: &text, &visited)
        }
    }

    private static func describeProperties(
        of type: Any.Type, in text: inout String, _ visited: inout Set<ObjectIdentifier>
    ) {
        var properties: [(name: String, type: Any.Type)] = []
        // 1 is `classType`, which can't be named: it is a `var`.
        let options = _EachFieldOptions(rawValue: type is AnyClass ? 1 : 0)
        _ = unsafe _forEachField(of: type, options: options) { name, _, type, _ in
            // SAFETY: the runtime gives a string that ends with zero, and it is copied.
            unsafe properties.append((String(cString: name), type))
            return true
        }
        guard !properties.isEmpty else { return }
        text += "("
        for (index, property) in properties.enumerated() {
            text += index == 0 ? "\(property.name): " : ", \(property.name): "
            describe(property.type, in: &text, &visited)
        }
        text += ")"
    }

    private static func names<T: CaseIterable>(of type: T.Type) -> String {
        type.allCases.map { "\($0)" }.joined(separator: ", ")
    }

    /// Whether how values of this type travel is decided by Wire rather than by the user's program.
    private static func isFromLibrary(_ type: Any.Type) -> Bool {
        let name = _typeName(type, qualified: true)
        return name.hasPrefix("Swift.") || name.hasPrefix("Foundation") || name.hasPrefix("Wire.")
    }
}

/// A type that says which version of its bytes it writes, for changes that ``WireShape`` can't see.
///
/// ```swift
/// extension Job: WireVersioned { static var wireVersion: Int { 2 } }   // since 2, `write(to:)` sends the owner too
/// ```
///
/// Only stored bytes are affected, see ``WireEncodable/storedBytes()``.
public protocol WireVersioned {
    /// A number that is changed whenever the type's bytes change in a way that its stored properties don't show.
    static var wireVersion: Int { get }
}

/// A generic type of the standard library whose shape is made of its parameters' shapes.
internal protocol WireShapeContainer {
    static var wireShapeName: String { get }
    static var wireShapeParts: [Any.Type] { get }
}

extension Array: WireShapeContainer {
    static var wireShapeName: String { "Array" }
    static var wireShapeParts: [Any.Type] { [Element.self] }
}

extension ContiguousArray: WireShapeContainer {
    // Also for a slice: these have the bytes of an array.
    static var wireShapeName: String { "Array" }
    static var wireShapeParts: [Any.Type] { [Element.self] }
}

extension ArraySlice: WireShapeContainer {
    static var wireShapeName: String { "Array" }
    static var wireShapeParts: [Any.Type] { [Element.self] }
}

extension Set: WireShapeContainer {
    static var wireShapeName: String { "Set" }
    static var wireShapeParts: [Any.Type] { [Element.self] }
}

extension Dictionary: WireShapeContainer {
    static var wireShapeName: String { "Dictionary" }
    static var wireShapeParts: [Any.Type] { [Key.self, Value.self] }
}

extension Optional: WireShapeContainer {
    static var wireShapeName: String { "Optional" }
    static var wireShapeParts: [Any.Type] { [Wrapped.self] }
}

extension Result: WireShapeContainer {
    static var wireShapeName: String { "Result" }
    static var wireShapeParts: [Any.Type] { [Success.self, Failure.self] }
}

extension Range: WireShapeContainer {
    static var wireShapeName: String { "Range" }
    static var wireShapeParts: [Any.Type] { [Bound.self] }
}

extension ClosedRange: WireShapeContainer {
    static var wireShapeName: String { "ClosedRange" }
    static var wireShapeParts: [Any.Type] { [Bound.self] }
}
