/// A JSON value, such as the manifest of a Kubernetes object.
///
/// Literals make one, subscripts read and change it at any depth:
///
/// ```swift
/// manifest["spec"]["nodeSelector"] = ["disk": "ssd"]
/// manifest["spec"]["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] = 1
/// ```
///
/// Not Foundation's: modules below `Muster` do without it.
public enum JSONValue: Hashable, Sendable {
    /// `null`; what is not there reads as this.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A whole number.
    case integer(Int)
    /// Another number; JSON has no infinities, they become `null`.
    case number(Double)
    /// A text.
    case string(String)
    /// A list.
    case array([JSONValue])
    /// Members by their names, printed in the order of these.
    case object([String: JSONValue])

    /// A member of an object.
    ///
    /// Reads as `null` where there is none. Setting one makes an object of what is none; with `null` the member goes.
    public subscript(name: String) -> JSONValue {
        get {
            guard case .object(let members) = self else { return .null }
            return members[name] ?? .null
        }
        set {
            var members: [String: JSONValue] = [:]
            if case .object(let there) = self { members = there }
            if newValue == .null { members.removeValue(forKey: name) } else { members[name] = newValue }
            self = .object(members)
        }
    }

    /// An item of a list.
    ///
    /// Reads as `null` where there is none. Setting one makes a list of what is none; those in between are `null`.
    ///
    /// - Precondition: `index` is not negative.
    public subscript(index: Int) -> JSONValue {
        get {
            precondition(index >= 0, "items are counted from 0")
            guard case .array(let items) = self, index < items.count else { return .null }
            return items[index]
        }
        set {
            precondition(index >= 0, "items are counted from 0")
            var items: [JSONValue] = []
            if case .array(let there) = self { items = there }
            while items.count <= index { items.append(.null) }
            items[index] = newValue
            self = .array(items)
        }
    }

    /// Adds an item to a list; makes one of what is none.
    public mutating func append(_ item: JSONValue) {
        if case .array(let items) = self { self = .array(items + [item]) } else { self = .array([item]) }
    }

    /// The value in one line, without spaces between.
    public var text: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .number(let value): value.isFinite ? "\(value)" : "null"
        case .string(let value): JSONValue.quoted(value)
        case .array(let items): "[" + items.map(\.text).joined(separator: ",") + "]"
        case .object(let members):
            "{"
                + members.sorted { $0.key < $1.key }.map { "\(JSONValue.quoted($0.key)):\($0.value.text)" }
                .joined(separator: ",") + "}"
        }
    }

    private static func quoted(_ string: String) -> String {
        var text = "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"", "\\": text += "\\\(scalar)"
            case _ where scalar.value < 0x20 || scalar.value == 0x7f:
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }
}

extension JSONValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringInterpolation, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral
{
    /// `null`.
    public init(nilLiteral: ()) { self = .null }
    /// `true` or `false`.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// A whole number.
    public init(integerLiteral value: Int) { self = .integer(value) }
    /// A number.
    public init(floatLiteral value: Double) { self = .number(value) }
    /// A text.
    public init(stringLiteral value: String) { self = .string(value) }
    /// A list.
    public init(arrayLiteral items: JSONValue...) { self = .array(items) }
    /// An object; of two members with one name the last counts.
    public init(dictionaryLiteral members: (String, JSONValue)...) {
        self = .object(Dictionary(members) { $1 })
    }
}
