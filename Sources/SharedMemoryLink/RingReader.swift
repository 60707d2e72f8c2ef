package import Transport

/// The end of a ring that reads bytes out of it.
///
/// Bytes are copied out, once, into memory of this process's own; what they mean is looked at there.
package struct RingReader: ~Copyable, Sendable {
    private let ring: Ring
    private var waiter: RingWaiter
    /// Bytes ever read.
    private var head: UInt64 = 0
    /// Bytes that the writer knows to be read. It lags, so that a small frame does not cost a locked instruction and
    /// the writer a cache miss; but by less than an eighth of the ring, so a reader that has read all there is never
    /// leaves the writer without space.
    private var shownHead: UInt64 = 0
    /// Bytes that the writer had written when last asked; at least `head`, and at most `head + capacity`.
    private var seenTail: UInt64 = 0

    /// Takes the reading end of a new ring.
    package init(_ ring: Ring, policy: SpinPolicy = SpinPolicy()) {
        ring.take()
        self.ring = ring
        waiter = RingWaiter(policy)
    }

    /// Asks how far the writer is.
    private mutating func look() throws(LinkError) {
        let tail = ring.tail.load()
        guard tail &- head <= UInt64(ring.capacity) else {
            throw LinkError(
                code: .broken,
                "the other side says it has written \(tail) bytes, of which \(head) are read, in a ring of \(ring.capacity)"
            )
        }
        seenTail = tail
    }

    /// Copies out what is there, as much as `target` takes.
    ///
    /// - Returns: How many bytes; 0 if there is none, or nothing to copy to.
    /// - Throws: ``LinkError/Code/broken`` if the other side's count is impossible.
    package mutating func read(into target: UnsafeMutableRawBufferPointer) throws(LinkError) -> Int {
        if Int(truncatingIfNeeded: seenTail &- head) < target.count { try look() }
        let count = min(target.count, Int(truncatingIfNeeded: seenTail &- head))
        guard count > 0 else { return 0 }
        // SAFETY: `count` is no more than the space that the caller vouches for, nor than what was written.
        unsafe ring.copyOut(UnsafeMutableRawBufferPointer(rebasing: target[..<count]), at: head)
        head &+= UInt64(count)
        // After the copy: from here on the bytes are the writer's.
        if head &- shownHead >= UInt64(ring.capacity / 8) {
            shownHead = head
            ring.head.advance(to: head, waking: ring.wake)
        }
        return count
    }

    /// Whether bytes are there that were not read; asks the other side's count and nothing else.
    @inline(__always)
    package var hasNews: Bool { ring.tail.load() != head }

    /// Whether nothing more will come: this side has closed the ring, or the other has and all of it is read.
    package mutating func isAtEnd() throws(LinkError) -> Bool {
        guard ring.hasEnded else { return false }
        if ring.isClosedHere { return true }
        // What was written before the end is seen by whoever sees the end.
        try look()
        return seenTail == head
    }

    /// Waits until more bytes are there than ``read(into:)`` has seen, or the ring has ended, or ``Ring/interruptReader()``
    /// was called.
    ///
    /// - Parameter deadline: In seconds of `monotonicSeconds()`.
    /// - Returns: False if the deadline passed before.
    package mutating func waitForBytes(until deadline: Double) -> Bool {
        let isThere = waiter.wait(for: ring.tail, toLeave: seenTail, in: ring, until: deadline)
        return ring.takeInterruption() || isThere
    }

    /// Has the writer ring the event of this side's poller when it publishes more, which may now sleep.
    ///
    /// - Returns: False if something is there that was not read, or the ring has ended: then don't sleep.
    package func sleepInPoller() -> Bool {
        // What was seen and left makes no news.
        guard seenTail == head else { return false }
        if ring.tail.announceSleep(seen: seenTail), !ring.hasEnded { return true }
        wakeFromPoller()
        return false
    }

    /// Spares the writer the event, now that this side is awake; for one that something else has woken.
    package func wakeFromPoller() { ring.tail.announceWaking() }
}
