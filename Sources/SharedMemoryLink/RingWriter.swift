package import Transport

/// The end of a ring that writes bytes into it.
///
/// Its own count is kept here, and the other side's is asked for only when the space that was last seen runs out: then
/// a stream of small frames costs the writer no cache miss on the reader's count but one for each time around.
package struct RingWriter: ~Copyable, Sendable {
    private let ring: Ring
    private var waiter: RingWaiter
    /// Bytes ever written, shown to the reader or not yet.
    private var tail: UInt64 = 0
    /// Bytes shown to the reader.
    private var shownTail: UInt64 = 0
    /// Bytes that the reader had read when last asked; at most `tail`, and at least `tail - capacity`.
    private var seenHead: UInt64 = 0

    /// Takes the writing end of a new ring.
    package init(_ ring: Ring, policy: SpinPolicy = SpinPolicy()) {
        ring.take()
        self.ring = ring
        waiter = RingWaiter(policy)
    }

    private var space: Int { ring.capacity &- Int(truncatingIfNeeded: tail &- seenHead) }

    /// Asks how far the reader is.
    private mutating func look() throws(LinkError) {
        let head = ring.head.load()
        guard tail &- head <= UInt64(ring.capacity) else {
            throw LinkError(
                code: .broken,
                "the other side says it has read \(head) bytes of \(tail), in a ring of \(ring.capacity)")
        }
        seenHead = head
    }

    /// Copies as many of the bytes as there is space for; the reader sees them after ``publish()``.
    ///
    /// - Returns: How many bytes it took, from the first on; 0 if the ring is full.
    /// - Throws: ``LinkError/closed`` if either side has ended the ring, and ``LinkError/Code/broken`` if the other
    ///   side's count is impossible.
    package mutating func write(_ bytes: RawSpan) throws(LinkError) -> Int {
        guard !ring.hasEnded else { throw .closed }
        if space < bytes.byteCount { try look() }
        let count = min(bytes.byteCount, space)
        put(bytes.extracting(first: count))
        return count
    }

    /// Copies bytes for which there is space.
    private mutating func put(_ bytes: RawSpan) {
        // SAFETY: the bytes are initialised and stay in place during the call; only space is overwritten.
        unsafe bytes.withUnsafeBytes { unsafe ring.copyIn($0, at: tail) }
        tail &+= UInt64(bytes.byteCount)
    }

    /// Shows the reader what was written, and wakes it if it sleeps.
    package mutating func publish() {
        guard tail != shownTail else { return }
        shownTail = tail
        ring.tail.advance(to: tail, waking: ring.wake)
    }

    /// Waits until there is space, or the ring has ended, which the next ``write(_:)`` tells.
    ///
    /// - Parameter deadline: In seconds of `monotonicSeconds()`.
    /// - Returns: False if the deadline passed before.
    package mutating func waitForSpace(until deadline: Double) throws(LinkError) -> Bool {
        publish()
        try look()
        return space > 0 || waiter.wait(for: ring.head, toLeave: seenHead, in: ring, until: deadline)
    }

    /// Has the reader ring the event of this side's poller when it makes space, which may now sleep.
    ///
    /// - Returns: False if there is space by now or the ring has ended: then don't sleep.
    package mutating func sleepInPoller() throws(LinkError) -> Bool {
        publish()
        try look()
        guard space == 0 else { return false }
        if ring.head.announceSleep(seen: seenHead), !ring.hasEnded { return true }
        wakeFromPoller()
        return false
    }

    /// Spares the reader the event, now that this side is awake; for one that something else has woken.
    package func wakeFromPoller() { ring.head.announceWaking() }
}

extension RingWriter {
    /// Sends a frame whose bytes are those of `head` followed by those of `body`, as ``FrameReader`` reads it, and waits
    /// for space as often as it takes.
    ///
    /// - Throws: ``LinkError/Code/tooMuchWaiting`` if the deadline passes before the reader has made space; what has gone
    ///   by then is half a frame, so the caller has to close the ring.
    package mutating func send(
        _ head: RawSpan, _ body: RawSpan, kind: FrameKind = .message, until deadline: Double
    ) throws(LinkError) {
        let length = head.byteCount + body.byteCount
        let byteCount = FrameHeader.byteCount + length
        var header = FrameHeader(kind, length: length).word.littleEndian
        // SAFETY: eight initialised bytes, which nothing keeps a pointer to.
        try unsafe withUnsafeBytes(of: &header) { bytes throws(LinkError) in
            let header = unsafe RawSpan(_unsafeBytes: bytes)
            guard !ring.hasEnded else { throw .closed }
            if space < byteCount { try look() }
            if byteCount <= space {
                put(header)
                put(head)
                put(body)
            } else {
                try writeAll(header, until: deadline)
                try writeAll(head, until: deadline)
                try writeAll(body, until: deadline)
            }
        }
        publish()
    }

    private mutating func writeAll(_ bytes: RawSpan, until deadline: Double) throws(LinkError) {
        var done = try write(bytes)
        while done < bytes.byteCount {
            guard try waitForSpace(until: deadline) else {
                throw LinkError(
                    code: .tooMuchWaiting, "the other side does not read: \(ring.capacity) bytes wait in the ring")
            }
            done += try write(bytes.extracting(droppingFirst: done))
        }
    }
}
