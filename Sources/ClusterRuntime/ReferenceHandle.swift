package import Remote
package import Wire

/// A reference of this process to something that a process has. It is there at least as long as this is.
package final class ReferenceHandle: WireAttachment {
    package let id: RemoteReferenceID
    package let cluster: Cluster

    /// Takes over a reference that the owner has counted for this process, or counts without being told.
    init(counted id: RemoteReferenceID, in cluster: Cluster) {
        self.id = id
        self.cluster = cluster
    }

    /// Another reference, while this process has one.
    convenience init(another id: RemoteReferenceID, in cluster: Cluster) {
        cluster.counting.change(id, of: cluster.myID.rawValue, by: 1, in: cluster)
        self.init(counted: id, in: cluster)
    }

    deinit { cluster.counting.change(id, of: cluster.myID.rawValue, by: -1, in: cluster) }

    package func writeName(to output: inout WireWriter) { output.write(id) }

    package func lend(to process: Int) { cluster.counting.change(id, of: process, by: 1, in: cluster) }

    /// Writes its name as a part of a message, which keeps it.
    func write(to output: inout WireWriter) {
        output.write(id)
        output.attachments.append(self)
    }

    /// Reads what ``write(to:)`` wrote.
    ///
    /// - Throws: `WireError` where this process is not of that cluster.
    static func read(from input: inout WireReader) throws(WireError) -> ReferenceHandle {
        let id: RemoteReferenceID = try input.read()
        // The message has brought it to the process that reads it, which may be one of several parts of a cluster here.
        let reader = (input.attachments.list.first as? ReferenceHandle)?.cluster
        guard let cluster = reader?.identity == id.cluster ? reader : Cluster.find(id.cluster) else {
            throw input.invalid("a reference to something in a cluster that this process is not part of")
        }
        return ReferenceHandle(another: id, in: cluster)
    }
}

extension Cluster {
    /// The references that a message brought, see `Message.open`.
    @inline(never)
    package func hold(_ names: [UInt8]) throws(WireError) -> WireAttachments {
        var reader = WireReader(names.span)
        var attachments = WireAttachments()
        while reader.remainingByteCount > 0 {
            let id: RemoteReferenceID = try reader.read()
            guard id.cluster == identity else { throw reader.invalid("a reference of another cluster") }
            attachments.append(ReferenceHandle(counted: id, in: self))
        }
        return attachments
    }
}
