public import Wire

/// Where in the program's source a call, or a map, was begun.
public struct CallSite: Hashable, Codable, Sendable, CustomStringConvertible {
    /// The source file, as `#fileID` gives it: module and name.
    public let file: String
    /// The line.
    public let line: Int

    /// Names a place.
    public init(file: String, line: Int) {
        self.file = file
        self.line = line
    }

    /// `file:line`, as compilers write it.
    public var description: String { "\(file):\(line)" }
}

extension CallSite: WireEncodable, WireDecodable {
    /// Writes file and line.
    public func write(to output: inout WireWriter) {
        output.write(file, line)
    }

    /// Reads a place.
    public init(from input: inout WireReader) throws(WireError) {
        (file, line) = try input.read()
    }
}
