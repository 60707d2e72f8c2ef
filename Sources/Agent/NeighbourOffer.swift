import CPlatform
import SharedMemoryLink
import Transport

/// What a worker makes for a link to another, and gives it half of.
struct NeighbourOffer: ~Copyable {
    /// Descriptors that the other gets: memory of the rings, its end of the socket, what wakes the one that offers, and the
    /// memory of that one's segments, for reading.
    static let count = 4

    /// The rings, which wake nobody yet.
    let rings: WorkerRings
    private let memory: Descriptor
    private let sockets: DescriptorPair
    private let arena: Descriptor

    /// - Throws: ``LinkError`` when memory or descriptors run out.
    init() throws(LinkError) {
        let arena = try NeighbourOffer.part { try SegmentArena.shared.memory.readOnlyDescriptor() }
        let sockets = try NeighbourOffer.part { try DescriptorPair.messageSockets() }
        rings = try NeighbourOffer.part { try WorkerRings() }
        memory = rings.takeDescriptor()
        self.arena = arena
        self.sockets = sockets
    }

    private static func part<Part: ~Copyable>(_ make: () throws -> Part) throws(LinkError) -> Part {
        do { return try make() } catch { throw LinkError(code: .outOfMemory, "\(error)") }
    }

    /// Descriptors for the other, in the order of ``count``.
    var descriptors: [CInt] { [memory.number, sockets.far.number, Poller.links.bell, arena.number] }

    /// Gives this side's end of the socket to the caller; what was for the other is closed.
    consuming func takeSocket() -> Descriptor { sockets.takeNear() }
}

/// What a worker answers to a ``NeighbourOffer``.
enum NeighbourAnswer {
    /// Descriptors that come along: what wakes the one that answers, and the memory of its segments, for reading.
    static let count = 2

    /// The memory that two workers share over a link between them.
    ///
    /// - Parameter arena: That of the other.
    static func segments(with arena: consuming Descriptor) -> SegmentExchange {
        SegmentExchange({ () throws(SharedMemoryError) in try SegmentArena.shared }, peer: OpenFiles.moved(arena))
    }

    /// Does the part of the worker that is offered a link.
    ///
    /// - Parameter offer: The message with the descriptors of a ``NeighbourOffer``.
    /// - Returns: The link, which the other knows to be there; `nil` if that does not want it any more, or has been told why
    ///   there is none.
    static func link(to offer: consuming SocketMessage) -> RingLink? {
        // Where something else came, nobody is there who could be told.
        guard offer.descriptorCount == NeighbourOffer.count, let memory = offer.takeDescriptor(),
            let socket = offer.takeDescriptor(), socket.isMessageSocket, let bell = offer.takeDescriptor(),
            let arena = offer.takeDescriptor()
        else { return nil }
        do {
            let own = try SegmentArena.shared.memory.readOnlyDescriptor()
            let rings = try WorkerRings(joining: memory, owningBell: OpenFiles.moved(bell))
            let sending = SocketMessage.send(
                NeighbourMessage.accepted.bytes, with: [Poller.links.bell, own.number], to: socket.number)
            // What the socket does not take now, with nothing in it, it does not take at all.
            guard sending == .sent else { return nil }
            return RingLink(
                rings, segments(with: arena), isMaker: false, isBetweenWorkers: true, owning: OpenFiles.moved(socket))
        } catch {
            let answer = NeighbourMessage.declined(reason: NeighbourMessage.shortened("\(error)"))
            _ = SocketMessage.send(answer.bytes, to: socket.number)
            return nil
        }
    }

    /// Does the part of the worker that has offered a link and has its answer.
    ///
    /// - Parameters:
    ///   - answer: What came over the link's socket.
    ///   - rings: Those that were offered.
    /// - Throws: ``LinkError`` if there is no link.
    static func link(
        from answer: consuming SocketMessage, _ rings: WorkerRings, owning socket: consuming Descriptor
    ) throws(LinkError) -> RingLink {
        switch try NeighbourMessage(answer.bytes) {
        case .accepted: break
        case .declined(let reason): throw LinkError(code: .broken, reason)
        default: throw LinkError(code: .broken, "it answers what is no answer")
        }
        if answer.lacksDescriptors {
            throw LinkError(
                code: .outOfMemory, "this worker may have no more open files; raise the limit on them (ulimit -n)")
        }
        guard answer.descriptorCount == count, let bell = answer.takeDescriptor(), let arena = answer.takeDescriptor()
        else { throw LinkError(code: .broken, "it answers with \(answer.descriptorCount) descriptors, not \(count)") }
        return RingLink(
            try rings.waking(owningBell: OpenFiles.moved(bell)), segments(with: arena), isBetweenWorkers: true,
            owning: OpenFiles.moved(socket))
    }
}
