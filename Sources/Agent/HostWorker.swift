import Synchronization
package import Transport
package import Wire

/// A worker of another host, as its driver has it: one of those that a ``HostConnection`` carries.
package final class HostWorker: Link {
    private struct State {
        var id: Int?
        var onFrame: (@Sendable (inout WireReader) -> Void)?
        var onEnd: (@Sendable (LinkError?) -> Void)?
        var isEnded = false
    }

    private let connection: HostConnection
    private let slot: UInt32
    /// The request that it was started for; `nil` for one in the place of another.
    let request: UInt64?
    /// What its agent says of it.
    package let description: WorkerDescription
    /// How it ended.
    package let end = Eventual<WorkerEnd>()
    private let state = Mutex(State())

    init(_ connection: HostConnection, _ slot: UInt32, _ request: UInt64?, _ description: WorkerDescription) {
        self.connection = connection
        self.slot = slot
        self.request = request
        self.description = description
    }

    /// Its number, if it has one.
    var name: String? { state.withLock { $0.id.map { "\($0)" } } }
    var isAdopted: Bool { state.withLock { $0.id != nil } }

    /// Gives it its number; then it can be told the rest.
    package func adopt(
        as id: Int, onFrame: @escaping @Sendable (inout WireReader) -> Void,
        onEnd: @escaping @Sendable (LinkError?) -> Void
    ) {
        let isEnded = state.withLock { state in
            state.id = id
            state.onFrame = onFrame
            if !state.isEnded { state.onEnd = onEnd }
            return state.isEnded
        }
        if isEnded { return onEnd(nil) }
        try? connection.link.tell(.adopt(slot: slot, worker: id))
    }

    /// It is about to leave: none comes in its place.
    package func release() { try? connection.link.tell(.release(slot: slot)) }

    /// Has its agent end it at once.
    ///
    /// - Parameter cause: What is told of its end; `nil` if nobody wants it any more.
    package func kill(because cause: WorkerEnd.Cause? = nil) {
        do {
            try connection.link.tell(.kill(slot: slot, because: cause.map { WorkerEnd(cause: $0) }))
        } catch {
            // Its host is out of reach, or is told too much already: then it has to end by that.
            connection.close()
        }
    }

    // MARK: - What the connection tells

    func hear(_ bytes: RawSpan, _ blocks: [SharedArray<UInt8>]) {
        guard let onFrame = state.withLock({ $0.onFrame }) else { return }
        var reader = WireReader(bytes, from: 0, blocks: blocks.span)
        onFrame(&reader)
    }

    /// Prints a line soon; `done` is called then.
    func print(_ line: RawSpan, host: String, to stream: CInt, done: @escaping @Sendable () -> Void) {
        guard let id = state.withLock({ $0.id }) else { return done() }
        let text = Array("From worker \(id) on \(host): ".utf8) + line.copyBytes() + [UInt8(ascii: "\n")]
        Printer.print(text, to: stream, done: done)
    }

    func finish(_ how: WorkerEnd) {
        let onEnd = state.withLock { state in
            state.isEnded = true
            state.onFrame = nil
            return state.onEnd.take()
        }
        end.fulfil(how)
        onEnd?(nil)
    }

    // MARK: - The link

    package var lastHeard: Double { connection.link.lastHeard }

    /// ``adopt(as:onFrame:onEnd:)`` starts it.
    package func start(
        onFrame: @escaping @Sendable (inout WireReader) -> Void, onEnd: @escaping @Sendable (LinkError?) -> Void
    ) {
        preconditionFailure("a worker of another host is started by adopting it")
    }

    package func send(_ bytes: RawSpan, _ blocks: [SharedArray<UInt8>]) throws(LinkError) {
        guard !state.withLock({ $0.isEnded }) else { throw .closed }
        let kept = blocks.prefix { ($0.owner as? HostBlock)?.connection === connection }
        let numbers = kept.compactMap { ($0.owner as? HostBlock)?.number }
        try connection.link.tell(.frame(slot: slot, kept: numbers), bytes, Array(blocks.dropFirst(kept.count)))
    }

    package func close() { kill() }

    package var sharedMemory: ObjectIdentifier? { ObjectIdentifier(connection) }

    package func share(_ blocks: [SharedArray<UInt8>]) throws(LinkError) -> [SharedArray<UInt8>] {
        var shared: [SharedArray<UInt8>] = []
        for block in blocks {
            if (block.owner as? HostBlock)?.connection === connection {
                shared.append(block)
            } else {
                shared.append(try BlockDistribution.shared.put(block, on: connection))
            }
        }
        return shared
    }
}
