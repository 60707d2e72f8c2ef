public import Wire

/// One end of a link in the memory of one process: what is sent at one end arrives at the other.
///
/// For clusters in one process, as tests of one's own have them: frames arrive in order, on a queue of the end's own, and
/// large arrays as they are, without a copy. What networks do to links can be done to it: frames that are late, a connection
/// that is lost, an other side that does not read. What comes of that depends on the frames alone, so that it is the same
/// every time.
///
/// ```swift
/// let (near, far) = MemoryLink.pair(MemoryLink.Conditions(lossAfter: 10))
/// ```
///
/// Whoever has an end closes it, or loses it: until then, the ends keep what was given to ``start(onFrame:onEnd:)``.
public final class MemoryLink: Link {
    /// What happens to the frames of one direction.
    public struct Conditions: Hashable, Sendable {
        /// How long a frame is on its way; none unless told.
        public var delay: Duration
        /// How many frames arrive: the next is lost, and the connection with it. `nil` for a connection that holds.
        public var lossAfter: Int?
        /// Most bytes that may be on their way, with the large arrays beside the frames; 64 GiB unless told.
        public var capacity: Int

        /// Sets the conditions.
        ///
        /// - Precondition: None of them is negative.
        public init(delay: Duration = .zero, lossAfter: Int? = nil, capacity: Int = 1 << 36) {
            precondition(
                delay >= .zero && lossAfter ?? 0 >= 0 && capacity >= 0, "the conditions of a link are not negative")
            self.delay = delay
            self.lossAfter = lossAfter
            self.capacity = capacity
        }
    }

    /// What this end sends, and the other takes.
    private let outgoing: MemoryChannel
    /// What the other end sends.
    private let incoming: MemoryChannel

    private init(_ outgoing: MemoryChannel, _ incoming: MemoryChannel) {
        self.outgoing = outgoing
        self.incoming = incoming
    }

    /// Two ends of a new link.
    ///
    /// - Parameters:
    ///   - conditions: Of the frames that the first end sends.
    ///   - back: Of those that the second sends; the same unless told.
    public static func pair(
        _ conditions: Conditions = Conditions(), back: Conditions? = nil
    ) -> (MemoryLink, MemoryLink) {
        let (there, back) = (MemoryChannel(conditions), MemoryChannel(back ?? conditions))
        return (MemoryLink(there, back), MemoryLink(back, there))
    }

    /// Starts delivery; called once. What was sent before arrives now.
    public func start(
        onFrame: @escaping @Sendable (inout WireReader) -> Void, onEnd: @escaping @Sendable (LinkError?) -> Void
    ) {
        // A connection is lost in both directions.
        incoming.start(onFrame: onFrame, onEnd: onEnd) { [outgoing] in outgoing.end($0) }
    }

    /// Sends one frame: its bytes are copied, its blocks are not.
    ///
    /// - Throws: ``LinkError/Code/closed``, ``LinkError/Code/frameTooLarge`` for a frame over the capacity,
    ///   ``LinkError/Code/tooMuchWaiting`` while the capacity is used up by others.
    public func send(_ bytes: RawSpan, _ blocks: [SharedArray<UInt8>]) throws(LinkError) {
        try outgoing.send(MemoryChannel.Frame(bytes: bytes.copyBytes(), blocks: blocks))
    }

    /// Takes no frames until ``resume()``, as a process does that is stopped: what the other end sends waits.
    public func pause() { incoming.setPaused(true) }

    /// Ends a ``pause()``.
    public func resume() { incoming.setPaused(false) }

    /// Loses the connection, at both ends: frames on their way arrive, then ``LinkError/Code/broken``.
    public func lose(_ reason: String = "the connection was lost") {
        let error = LinkError(code: .broken, reason)
        incoming.end(error)
        outgoing.end(error)
    }

    /// Ends the link. Frames that were sent from here arrive at the other end; none arrives here any more.
    public func close() {
        incoming.abandon()
        outgoing.end(nil)
    }

    /// When the last frame arrived, in seconds of a monotonic clock.
    public var lastHeard: Double { incoming.lastTaken }
}
