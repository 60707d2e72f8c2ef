public import Wire

/// The name of something that stays where it is and is used from elsewhere: a ``Future``'s value, or a channel.
///
/// `whence` and `id` together are unique in a cluster.
public struct RemoteReferenceID: Hashable, Sendable {
    /// The process that has it.
    public let `where`: WorkerID
    /// The process that gave it its name.
    public let whence: WorkerID
    /// Counts up in the process that gave it.
    public let id: UInt64
    /// The cluster that the processes belong to.
    package let cluster: UInt64

    package init(where owner: WorkerID, whence: WorkerID, id: UInt64, cluster: UInt64) {
        self.where = owner
        self.whence = whence
        self.id = id
        self.cluster = cluster
    }

    /// What its owner knows it by.
    package var name: ReferenceName { ReferenceName(whence: whence.rawValue, number: id) }
}

extension RemoteReferenceID: WireEncodable, WireDecodable {
    /// Writes all of it. Who reads it holds no reference by that.
    public func write(to output: inout WireWriter) {
        output.write(cluster, `where`, whence, id)
    }

    /// Reads a name.
    public init(from input: inout WireReader) throws(WireError) {
        cluster = try input.read()
        `where` = try input.read()
        whence = try input.read()
        id = try input.read()
    }
}

extension RemoteReferenceID: CustomStringConvertible {
    /// Owner, origin and number, such as `2/1/17`.
    public var description: String { "\(`where`)/\(whence)/\(id)" }
}

/// A process holds more references to something, or fewer.
package struct ReferenceCount: Hashable, Sendable, WireCodable {
    package let name: ReferenceName
    package let process: Int
    package let change: Int

    package init(_ name: ReferenceName, process: Int, change: Int) {
        self.name = name
        self.process = process
        self.change = change
    }

    package func write(to output: inout WireWriter) { output.write(name, process, change) }

    package init(from input: inout WireReader) throws(WireError) {
        (name, process, change) = (try input.read(), try input.read(), try input.read())
        guard change.magnitude <= 1 << 40 else { throw input.invalid("a count changes by \(change)") }
    }
}
