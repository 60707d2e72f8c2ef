public import Wire

/// The number of a process of the cluster: the driver is 1, workers count from 2 and are never numbered twice.
public struct WorkerID: Hashable, Comparable, Sendable, ExpressibleByIntegerLiteral, CustomStringConvertible {
    /// The number.
    public let rawValue: Int

    /// The process with this number.
    public init(_ rawValue: Int) {
        self.rawValue = rawValue
    }

    /// The process with this number.
    public init(integerLiteral value: Int) {
        rawValue = value
    }

    /// The process that called ``withCluster``.
    public static let driver = WorkerID(1)

    /// Orders by number, that is by age.
    public static func < (left: WorkerID, right: WorkerID) -> Bool {
        left.rawValue < right.rawValue
    }

    /// The bare number.
    public var description: String { String(rawValue) }
}

extension WorkerID: WireEncodable, WireDecodable {
    /// Writes the number.
    public func write(to output: inout WireWriter) {
        output.write(rawValue)
    }

    /// Reads the number.
    public init(from input: inout WireReader) throws(WireError) {
        rawValue = try input.read()
    }
}

extension WorkerID: Codable {
    /// Encodes the bare number.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }

    /// Decodes the bare number.
    public init(from decoder: any Decoder) throws {
        rawValue = try decoder.singleValueContainer().decode(Int.self)
    }
}
