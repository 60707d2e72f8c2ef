import CPlatform
import Glibc
import Synchronization
package import Transport
package import Wire

/// The driver's link to a worker of its own host, or one end of a link between two such workers: a ring to the other and
/// one from it, in memory that both map.
///
/// Frames are read by the poller's thread, among those of all workers, or by a thread that waits for an answer anyway and
/// looks for it itself, see ``look(until:)``. When nobody looks the other side rings the poller's bell.
///
/// The end of a socket between the two processes tells of the other's end. Besides it carries small messages, which have
/// nothing to do with frames: see ``SocketListener``, and ``LinkFarewell`` for those between workers.
package final class RingLink: Link, PolledSource {
    private struct Outgoing: ~Copyable {
        var writer: RingWriter
        /// Bytes for which the ring had no space, oldest first: those of the array from the offset on.
        var waiting: [(bytes: [UInt8], offset: Int)] = []
        var waitingByteCount = 0
        var isClosed = false
    }

    private struct Incoming: ~Copyable {
        var reader: FrameReader
        var policy = SpinPolicy()
        /// When a thread gave up looking; nil once something has come since.
        var gaveUp: Double?
        var onFrame: @Sendable (inout WireReader) -> Void = { _ in }
        var onEnd: (@Sendable (LinkError?) -> Void)?
        var isEnded = false
    }

    private let rings: WorkerRings
    /// For the large arrays beside messages.
    private let segments: SegmentExchange?
    private let socket: LinkSocket
    /// Whether the other side is a worker like this one, which may go on when the link has ended.
    private let isBetweenWorkers: Bool
    private let listener: (any SocketListener)?
    /// Between workers: what tells the other side that nothing of its memory is used here any more.
    private let farewell: Mutex<LinkFarewell?>
    private let limits: LinkLimits
    private let outgoing: Mutex<Outgoing>
    private let incoming: Mutex<Incoming>
    private let heard = Atomic<UInt64>(monotonicSeconds().bitPattern)
    /// Whether something waits for space in the ring.
    private let isWaiting = Atomic(false)
    private let token = Mutex<Poller.Token?>(nil)
    /// Threads that look for an answer themselves.
    private let lookers = Atomic(0)
    /// How often such a thread asks for the lock before it leaves all to the poller's: some 10 µs.
    private static let looksForLock = 200

    /// Takes over the rings and one end of the socket.
    ///
    /// - Parameters:
    ///   - segments: For large arrays; without, they can't be sent nor received.
    ///   - isMaker: Whether this side made the rings, as a driver does; both sides poll.
    ///   - isBetweenWorkers: Whether the other side is a worker like this one. A driver's worker does not outlive the link.
    ///   - listener: Takes what comes over the socket, where that is between a driver and a worker.
    package init(
        _ rings: WorkerRings, _ segments: SegmentExchange? = nil, isMaker: Bool = true, isBetweenWorkers: Bool = false,
        listener: (any SocketListener)? = nil, owning socket: consuming Descriptor, limits: LinkLimits = LinkLimits()
    ) {
        self.rings = rings
        self.segments = segments
        self.isBetweenWorkers = isBetweenWorkers
        self.listener = listener
        self.socket = LinkSocket(owning: socket)
        self.limits = limits
        let farewell = isBetweenWorkers ? LinkFarewell(self.socket) : nil
        if let farewell { segments?.keep(farewell) }
        self.farewell = Mutex(farewell)
        let (writing, reading) =
            isMaker ? (rings.toWorker, rings.fromWorker) : (rings.fromWorker, rings.toWorker)
        outgoing = Mutex(Outgoing(writer: RingWriter(writing)))
        incoming = Mutex(Incoming(reader: FrameReader(RingReader(reading), limits: limits)))
    }

    package var lastHeard: Double { Double(bitPattern: heard.load(ordering: .relaxed)) }

    package func start(
        onFrame: @escaping @Sendable (inout WireReader) -> Void, onEnd: @escaping @Sendable (LinkError?) -> Void
    ) {
        incoming.withLock { incoming in
            precondition(incoming.onEnd == nil && !incoming.isEnded, "a link is started once")
            incoming.onFrame = onFrame
            incoming.onEnd = onEnd
        }
        do {
            // The poller keeps the link alive until it ends.
            // The end may come at once: it has to find all of this.
            Poller.links.add(self)
            segments?.whenReleased { [self] in sendReleases() }
            try token.withLock { token throws(SystemError) in
                token = try Poller.links.watch(socket.number, for: .readable) { [self] _ in hearSocket() }
            }
            if isBetweenWorkers, outgoing.withLock({ $0.isClosed }) { finishSoon() }
        } catch {
            finish(LinkError(code: .broken, error.description))
        }
    }

    package func close() {
        outgoing.withLock { $0.isClosed = true }
        rings.close()
        if isBetweenWorkers {
            LinkFarewell.say(over: socket)
            // Before it is started that follows then.
            if incoming.withLock({ $0.onEnd != nil }) { finishSoon() }
        } else {
            // The poller sees the end of the socket and finishes.
            shutdown(socket.number, CInt(SHUT_RDWR))
        }
    }

    private func finishSoon() { Poller.links.perform { [self] in finish(nil) } }

    /// Sends a small message to the worker, over the socket; never waits.
    ///
    /// - Parameters:
    ///   - bytes: At least 1, at most ``SocketMessage/limit``.
    ///   - descriptors: Open files that the worker gets too, at most 8; they stay the caller's.
    package func sendBeside(_ bytes: [UInt8], with descriptors: [CInt] = []) -> SocketMessage.Sending {
        SocketMessage.send(bytes, with: descriptors, to: socket.number)
    }

    // MARK: - Sending

    package func send(_ bytes: RawSpan, _ blocks: [SharedArray<UInt8>]) throws(LinkError) {
        guard !blocks.isEmpty else { return try send(.message, RawSpan(), bytes) }
        guard let segments else {
            throw LinkError(code: .outOfMemory, "this link has no shared memory for large arrays")
        }
        let table = try segments.name(blocks)
        do throws(LinkError) {
            // SAFETY: every byte of a span of `UInt8` is initialised.
            try send(.messageWithBlocks, unsafe table.span.bytes, bytes)
        } catch {
            segments.takeBack(table)
            throw error
        }
    }

    package var sharedMemory: ObjectIdentifier? { segments?.memory }

    package func share(_ blocks: [SharedArray<UInt8>]) throws(LinkError) -> [SharedArray<UInt8>] {
        guard let segments else { return blocks }
        return try segments.share(blocks)
    }

    package var sharedMemoryNodes: Set<Int> { segments?.nodes ?? [] }

    package func share(_ blocks: [SharedArray<UInt8>], onNode node: Int) throws(LinkError) -> [SharedArray<UInt8>]? {
        try segments?.share(blocks, onNode: node)
    }

    /// Tells the worker which of its segments are not needed any more.
    private func sendReleases() {
        guard let bytes = segments?.takeReleases(), !bytes.isEmpty else { return }
        // Where the link has ended, nobody waits for them. SAFETY: every byte of a span of `UInt8` is initialised.
        try? send(.releases, RawSpan(), unsafe bytes.span.bytes)
    }

    private func send(_ kind: FrameKind, _ head: RawSpan, _ body: RawSpan) throws(LinkError) {
        let length = head.byteCount + body.byteCount
        guard length <= limits.frameByteCount else {
            throw LinkError(
                code: .frameTooLarge, "a frame of \(length) bytes is to be sent; the limit is \(limits.frameByteCount)")
        }
        try outgoing.withLock { outgoing throws(LinkError) in
            guard !outgoing.isClosed else { throw .closed }
            guard outgoing.waitingByteCount <= limits.waitingByteCount - length else {
                throw LinkError(
                    code: .tooMuchWaiting,
                    "\(outgoing.waitingByteCount) bytes wait to be sent; the other side does not read")
            }
            var header = FrameHeader(kind, length: length).word.littleEndian
            // SAFETY: eight initialised bytes, which nothing keeps a pointer to.
            try unsafe withUnsafeBytes(of: &header) { bytes throws(LinkError) in
                try put(unsafe RawSpan(_unsafeBytes: bytes), &outgoing)
            }
            try put(head, &outgoing)
            try put(body, &outgoing)
            outgoing.writer.publish()
            if !outgoing.waiting.isEmpty { try flush(&outgoing) }
        }
    }

    /// Writes what the ring takes and keeps the rest.
    private func put(_ bytes: RawSpan, _ outgoing: inout Outgoing) throws(LinkError) {
        let taken = outgoing.waiting.isEmpty ? try outgoing.writer.write(bytes) : 0
        guard taken < bytes.byteCount else { return }
        outgoing.waiting.append((bytes.extracting(droppingFirst: taken).copyBytes(), 0))
        outgoing.waitingByteCount += bytes.byteCount - taken
    }

    /// Writes what waits, until all is written or the worker will tell when there is space again.
    private func flush(_ outgoing: inout Outgoing) throws(LinkError) {
        while true {
            var done = 0
            while done < outgoing.waiting.count {
                let (bytes, offset) = outgoing.waiting[done]
                // SAFETY: every byte of a span of `UInt8` is initialised.
                let taken = try outgoing.writer.write(unsafe bytes.span.bytes.extracting(droppingFirst: offset))
                outgoing.waitingByteCount -= taken
                outgoing.waiting[done].offset += taken
                guard offset + taken == bytes.count else { break }
                done += 1
            }
            outgoing.waiting.removeFirst(done)
            outgoing.writer.publish()
            isWaiting.store(!outgoing.waiting.isEmpty, ordering: .relaxed)
            if outgoing.waiting.isEmpty { return }
            if try outgoing.writer.sleepInPoller() { return }
        }
    }

    // MARK: - Receiving

    /// Handles frames that are here; called by the poller. Returns whether there was anything.
    package func poll() -> Bool {
        var ending: LinkError??
        var hasNews = false
        if isWaiting.load(ordering: .relaxed) {
            do {
                try outgoing.withLock { outgoing throws(LinkError) in
                    let before = outgoing.waitingByteCount
                    if !outgoing.isClosed { try flush(&outgoing) }
                    hasNews = outgoing.waitingByteCount < before
                }
            } catch {
                // The worker has ended the ring, or damaged it: its process's end follows, or is brought about.
                ending = error.code == .closed ? nil : .some(error)
            }
        }
        // Where somebody looks, this thread keeps away, and gets to sleep: it would only take the answers that the other
        // waits for, and a CPU.
        let isLookedAt = lookers.load(ordering: .relaxed) > 0
        _ = incoming.withLockIfAvailable { incoming in
            if isLookedAt { return }
            do throws(LinkError) {
                // A few at a time, so that one busy worker does not starve the others.
                hasNews = try receive(&incoming, atMost: 64) { false } || hasNews
            } catch {
                ending = .some(error)
            }
        }
        if let ending { finish(ending) }
        return hasNews
    }

    /// Has the worker ring the bell when it says something, or makes space; false if there is news already.
    package func prepareToSleep() -> Bool {
        // Where the lock is taken somebody looks, and does this when leaving.
        incoming.withLockIfAvailable { $0.isEnded || $0.reader.sleepInPoller() } ?? true
    }

    /// Spares the worker the bell.
    package func wakeUp() {
        _ = incoming.withLockIfAvailable { $0.reader.wakeFromPoller() }
    }

    /// Handles frames as they come, on this thread, until `isDone` or for as long as it has paid off lately.
    ///
    /// For a thread that has nothing else to do before an answer is here: to be woken for it would take many times as
    /// long as the answer takes to come.
    package func look(until isDone: () -> Bool) {
        var ending: LinkError??
        lookers.add(1, ordering: .relaxed)
        defer { lookers.subtract(1, ordering: .relaxed) }
        // Where the poller's thread has the lock, it handles frames: perhaps the one that is waited for.
        for _ in 0..<RingLink.looksForLock {
            let isLooked: Void? = incoming.withLockIfAvailable { incoming in
                guard !incoming.isEnded else { return }
                do throws(LinkError) {
                    if incoming.policy.patience > 0, !isDone() {
                        try look(&incoming, until: isDone)
                    } else if !isDone() {
                        // How soon something comes now is how it learns to look again.
                        incoming.gaveUp = monotonicSeconds()
                    }
                    // In any case, also if all is done: the poller's thread may have gone to sleep in the belief that
                    // this one sees to it.
                    while !incoming.reader.sleepInPoller() {
                        guard try receive(&incoming, atMost: 64, until: { false }) else { break }
                    }
                } catch {
                    ending = .some(error)
                }
            }
            if isLooked != nil || isDone() { break }
            platform_relax()
        }
        if let ending { finish(ending) }
    }

    private func look(_ incoming: inout Incoming, until isDone: () -> Bool) throws(LinkError) {
        incoming.reader.wakeFromPoller()
        let start = monotonicSeconds()
        let end = start + incoming.policy.patience
        repeat {
            for _ in 0..<64 {
                if incoming.reader.hasNews, try receive(&incoming, atMost: 64, until: isDone), isDone() {
                    incoming.policy.found()
                    incoming.gaveUp = nil
                    return
                }
                platform_relax()
            }
        } while monotonicSeconds() < end
        incoming.gaveUp = start
    }

    /// Handles frames that are here; returns whether there was anything, be it a part of a frame.
    private func receive(
        _ incoming: inout Incoming, atMost limit: Int, until isDone: () -> Bool
    ) throws(LinkError) -> Bool {
        guard !incoming.isEnded else { return false }
        let before = incoming.reader.partByteCount
        var count = 0
        let onFrame = incoming.onFrame
        var failure: LinkError?
        while count < limit, failure == nil,
            try incoming.reader.withNextFrame({ frame, kind in failure = handle(frame, kind, onFrame) })
        {
            count += 1
            if isDone() { break }
        }
        if let failure { throw failure }
        guard count > 0 || incoming.reader.partByteCount != before else { return false }
        let now = monotonicSeconds()
        heard.store(now.bitPattern, ordering: .relaxed)
        if let start = incoming.gaveUp.take() { incoming.policy.slept(seconds: now - start) }
        return true
    }

    private func handle(
        _ frame: RawSpan, _ kind: FrameKind, _ onFrame: (inout WireReader) -> Void
    ) -> LinkError? {
        if kind == .message {
            var reader = WireReader(frame)
            onFrame(&reader)
            return nil
        }
        guard let segments else { return LinkError(code: .broken, "a frame for shared memory that there is not") }
        do throws(LinkError) {
            try segments.open(frame, kind) { message, blocks in
                var reader = WireReader(message, from: 0, blocks: blocks.span)
                onFrame(&reader)
            }
            return nil
        } catch {
            return error
        }
    }

    // MARK: - The end

    /// Messages that are taken from the socket before the poller's other descriptors have their turn.
    private static let messagesAtATime = 16

    /// Takes what the socket has.
    private func hearSocket() {
        do throws(SystemError) {
            for _ in 0..<RingLink.messagesAtATime {
                switch try SocketMessage.receive(from: socket.number) {
                case .nothing: return
                case .ended: return socketEnded()
                case .message(let message):
                    if let error = hear(message) { return finish(error) }
                }
            }
        } catch {
            finish(LinkError(code: .broken, error.description))
            // Nothing can be heard of its end either.
            if isBetweenWorkers { stopWatching() }
        }
    }

    private func hear(_ message: consuming SocketMessage) -> LinkError? {
        guard !incoming.withLock({ $0.isEnded }) else { return nil }
        do throws(LinkError) {
            if isBetweenWorkers {
                try LinkFarewell.hear(message.bytes)
                sidesParted()
            } else if let listener {
                try listener.hear(message, from: self)
            } else {
                throw LinkError(code: .broken, "a message arrives beside a link that has none")
            }
            return nil
        } catch {
            return error
        }
    }

    /// The other side's process has ended, or closed its end, or this side has.
    private func socketEnded() {
        sidesParted()
        guard isBetweenWorkers else { return }
        stopWatching()
        segments?.end()
    }

    private func stopWatching() {
        if let token = token.withLock({ $0.take() }) { Poller.links.remove(token, socket.number) }
    }

    /// Handles what the other side said before it ended the link.
    private func sidesParted() {
        var error: LinkError?
        let isClosed = outgoing.withLock { $0.isClosed }
        if !isClosed {
            // What it said before is still there.
            incoming.withLock { incoming in
                do throws(LinkError) {
                    while try receive(&incoming, atMost: .max, until: { false }) {}
                } catch let failure {
                    error = failure
                }
            }
        }
        finish(error)
    }

    private func finish(_ error: LinkError?) {
        Poller.links.remove(self)
        // Between workers the socket still tells when the other has done with what it was lent.
        if !isBetweenWorkers { stopWatching() }
        outgoing.withLock { outgoing in
            outgoing.isClosed = true
            outgoing.waiting = []
            outgoing.waitingByteCount = 0
            isWaiting.store(false, ordering: .relaxed)
        }
        let onEnd = incoming.withLock { incoming in
            incoming.isEnded = true
            incoming.onFrame = { _ in }
            return incoming.onEnd.take()
        }
        if isBetweenWorkers {
            segments?.leave()
            LinkFarewell.say(over: socket)
            farewell.withLock { $0 = nil }
        } else {
            segments?.end()
        }
        onEnd?(error)
    }
}
