/// A JSON document to be printed.
///
/// Foundation's encoder would cost more start-up time than the whole of the tool.
enum JSON {
    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case array([JSON])
    /// Members in the order in which they are printed.
    case object([(String, JSON)])

    /// An object with members in the order in which they are printed.
    static func object(_ members: KeyValuePairs<String, JSON>) -> JSON { .object(members.map { ($0, $1) }) }

    /// An array of integers.
    static func list(_ values: some Sequence<Int>) -> JSON { .array(values.map { .integer($0) }) }

    /// An integer, or null.
    static func optional(_ value: Int?) -> JSON { value.map { .integer($0) } ?? .null }

    /// A string, or null.
    static func optional(_ value: String?) -> JSON { value.map { .string($0) } ?? .null }

    /// The document on one line, without spaces.
    var text: String {
        var text = ""
        write(to: &text)
        return text
    }

    private func write(to text: inout String) {
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .integer(let value): text += String(value)
        // JSON has no infinities.
        case .number(let value): text += value.isFinite ? "\(value)" : "null"
        case .string(let value): Self.write(value, to: &text)
        case .array(let values):
            text += "["
            for (index, value) in values.enumerated() {
                if index > 0 { text += "," }
                value.write(to: &text)
            }
            text += "]"
        case .object(let members):
            text += "{"
            for (index, member) in members.enumerated() {
                if index > 0 { text += "," }
                Self.write(member.0, to: &text)
                text += ":"
                member.1.write(to: &text)
            }
            text += "}"
        }
    }

    private static func write(_ string: String, to text: inout String) {
        text += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
