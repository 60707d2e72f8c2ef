/// A program to be run on another host.
struct RemoteCommand: Hashable, Sendable {
    /// Where a program runs.
    enum Directory: Hashable, Sendable {
        /// There; if that can't be, the program does not run.
        case at(String)
        /// There if the host has it, else in the home directory.
        case ifThere(String)
        /// In the user's home directory.
        case home
    }

    /// A variable and its value, which need not be UTF-8.
    struct Variable: Hashable, Sendable {
        var name: String
        var value: [UInt8]
    }

    /// Where it runs.
    var directory = Directory.home
    /// Variables to set besides those that the host gives, in this order.
    var environment: [Variable] = []
    /// Its path; it need not be UTF-8.
    var executable: [UInt8]
    /// Its arguments behind its name.
    var arguments: [[UInt8]] = []
}

extension RemoteCommand.Variable {
    /// Names a variable.
    init(_ name: String, _ value: String) { self.init(name: name, value: Array(value.utf8)) }

    /// Whether the name is what POSIX allows for one.
    var hasValidName: Bool {
        !name.isEmpty
            && name.utf8.enumerated().allSatisfy { index, byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"):
                    true
                case UInt8(ascii: "0")...UInt8(ascii: "9"): index > 0
                default: false
                }
            }
    }
}
