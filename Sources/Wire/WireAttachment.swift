/// Something that a message refers to and that lives elsewhere: kept as long as the message is, and told where that goes.
package protocol WireAttachment: AnyObject, Sendable {
    /// Writes what the receiver needs to keep it as well.
    func writeName(to output: inout WireWriter)

    /// The message was sent to a process, which has a reference of its own from now on.
    ///
    /// - Parameter process: Its number in the cluster.
    func lend(to process: Int)
}

/// What a message refers to; no part of what it says.
package struct WireAttachments: Hashable, Sendable {
    package private(set) var list: [any WireAttachment] = []

    package init(_ list: [any WireAttachment] = []) { self.list = list }

    package var isEmpty: Bool { list.isEmpty }

    package mutating func append(_ attachment: any WireAttachment) { list.append(attachment) }

    package mutating func append(_ others: WireAttachments) { list += others.list }

    /// The message was sent to a process.
    package func lend(to process: Int) {
        for attachment in list { attachment.lend(to: process) }
    }

    package static func == (left: WireAttachments, right: WireAttachments) -> Bool { true }
    package func hash(into hasher: inout Hasher) {}
}
