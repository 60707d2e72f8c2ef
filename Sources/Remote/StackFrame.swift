public import Wire

/// A function that was being worked on when an error was thrown, in a form that means something in another process.
public struct StackFrame: Hashable, Codable, Sendable, CustomStringConvertible {
    /// The function, as the compiler describes it; empty if the program's symbols do not have it.
    public let function: String
    /// Bytes from the function's start to the place in it; 0 if the function isn't known.
    public let offset: Int
    /// Name of the file that has the code: the program, or a library.
    public let image: String
    /// The place's address in that file: `addr2line -e program 0x…` has the line, where the program has debug information.
    public let address: UInt64

    package init(function: String, offset: Int, image: String, address: UInt64) {
        self.function = function
        self.offset = offset
        self.image = image
        self.address = address
    }

    /// Function, file and address in one line.
    public var description: String {
        let place = "\(image) 0x\(String(address, radix: 16))"
        return function.isEmpty ? "? in \(place)" : "\(function) + \(offset) in \(place)"
    }
}

extension StackFrame: WireEncodable, WireDecodable {
    /// Writes all of it.
    public func write(to output: inout WireWriter) {
        output.write(function, offset, image, address)
    }

    /// Reads a frame.
    public init(from input: inout WireReader) throws(WireError) {
        (function, offset, image, address) = try input.read()
    }
}
