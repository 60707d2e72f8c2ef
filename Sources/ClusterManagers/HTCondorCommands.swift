/// Commands of a submit description, as keywords: `["request_memory": "4G", "+Group": "\"physics\""]`.
///
/// They stand in the description as they are, in the order in which they are written, behind what this library writes: the last of
/// several with the same name counts.
public struct HTCondorCommands: Hashable, Sendable, ExpressibleByDictionaryLiteral {
    /// A command's value.
    public struct Value: Hashable, Sendable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
        let text: String

        /// A text, as it stands behind `=`; an expression has its strings in double quotes.
        public init(stringLiteral text: String) { self.text = text }
        /// A number.
        public init(integerLiteral number: Int) { text = "\(number)" }
    }

    struct Command: Hashable, Sendable {
        let name: String
        let value: String

        /// The name as HTCondor compares it.
        var key: String { name.lowercased() }
    }

    let commands: [Command]

    /// Keeps the commands in this order.
    public init(dictionaryLiteral elements: (String, Value)...) {
        commands = elements.map { Command(name: $0, value: $1.text) }
    }

    /// Commands in this order.
    public init(_ values: [(String, String)]) {
        commands = values.map { Command(name: $0.0, value: $0.1) }
    }

    /// The last value of a command; `nil` if it is not among them.
    func value(of key: String) -> String? { commands.last { $0.key == key }?.value }
}
