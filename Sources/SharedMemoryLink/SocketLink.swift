import Glibc
import Synchronization
public import Transport

/// A link over a Unix stream socket: both ends on one host, neither with a name in the file system.
public final class SocketLink: Link {
    private struct Outgoing: ~Copyable {
        /// Bytes the socket has not taken, oldest first; the first array from `offset` on.
        var waiting: [[UInt8]] = []
        var offset = 0
        var waitingByteCount = 0
        var token: Poller.Token?
        var isClosed = false
        /// While frames that came together are handled: the answers to them leave together too.
        var isGathering = false

        /// Keeps a copy of the bytes from `sent` on; small frames share an array.
        @unsafe
        mutating func keep(
            _ header: UnsafeRawBufferPointer, _ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer,
            from sent: Int
        ) {
            let count = header.count + head.count + body.count - sent
            guard count > 0 else { return }
            if waiting.isEmpty || waiting[waiting.count - 1].count + count > SocketLink.sharedByteCount {
                waiting.append([])
                waiting[waiting.count - 1].reserveCapacity(count)
            }
            waitingByteCount += count
            var skip = sent
            for index in 0..<3 {
                let piece = unsafe index == 0 ? header : index == 1 ? head : body
                if skip < piece.count {
                    unsafe waiting[waiting.count - 1].append(
                        contentsOf: UnsafeRawBufferPointer(rebasing: piece[skip...]))
                }
                skip = max(0, skip - piece.count)
            }
        }

        /// Keeps a copy of the header and the head from `sent` on, and the body itself.
        @unsafe
        mutating func keep(
            _ header: UnsafeRawBufferPointer, _ head: UnsafeRawBufferPointer, _ body: [UInt8], from sent: Int
        ) {
            let front = header.count + head.count
            unsafe keep(header, head, UnsafeRawBufferPointer(start: nil, count: 0), from: min(sent, front))
            // Where a part of the body has gone already, nothing was waiting before it.
            if sent > front { offset = sent - front }
            waiting.append(body)
            waitingByteCount += body.count - max(0, sent - front)
        }
    }

    /// Frames from this size on are not worth copying to save a system call.
    private static let gatheredByteCount = 1 << 12
    /// Most bytes of several frames that wait in one array.
    private static let sharedByteCount = 1 << 16

    private struct Incoming: ~Copyable {
        var buffer: FrameBuffer
        var onFrame: @Sendable (RawSpan) -> Void
        var onEnd: @Sendable (LinkError?) -> Void
    }

    private let socket: CInt
    private let limits: LinkLimits
    private let outgoing = Mutex(Outgoing())
    private let incoming = Mutex<Incoming?>(nil)
    private let heard = Atomic<UInt64>(monotonicSeconds().bitPattern)

    /// Takes over a connected stream socket.
    package init(owning socket: consuming Descriptor, limits: LinkLimits = LinkLimits()) {
        socket.setNonBlocking()
        self.socket = socket.release()
        self.limits = limits
    }

    deinit { Glibc.close(socket) }

    /// When the other side was last heard, in seconds of ``monotonicSeconds()``.
    public var lastHeard: Double { Double(bitPattern: heard.load(ordering: .relaxed)) }

    /// Starts delivery on the poller's thread; called once.
    public func start(
        onFrame: @escaping @Sendable (RawSpan) -> Void, onEnd: @escaping @Sendable (LinkError?) -> Void
    ) {
        incoming.withLock { incoming in
            precondition(incoming == nil, "a link is started once")
            incoming = Incoming(
                buffer: FrameBuffer(frameLimit: limits.frameByteCount), onFrame: onFrame, onEnd: onEnd)
        }
        do {
            // The poller keeps the link alive until it ends.
            let token = try Poller.links.watch(socket, for: .readable) { [self] readiness in handle(readiness) }
            let isClosed = outgoing.withLock { outgoing in
                outgoing.token = token
                if !outgoing.waiting.isEmpty { Poller.links.update(token, socket, for: [.readable, .writable]) }
                return outgoing.isClosed
            }
            if isClosed { finish(nil) }
        } catch {
            finish(LinkError(code: .broken, error.description))
        }
    }

    /// Sends a frame; what the socket does not take at once is copied and sent later.
    ///
    /// - Throws: ``LinkError`` if the link has ended, the frame is over the limit, or too much waits to be sent.
    public func send(_ head: RawSpan, _ body: RawSpan) throws(LinkError) {
        try send(head, body, of: nil)
    }

    /// Sends a frame; of a large one, what the socket does not take at once stays in the array that it came in.
    public func send(_ head: RawSpan, keeping body: [UInt8]) throws(LinkError) {
        // SAFETY: every byte of a span of `UInt8` is initialised.
        try send(head, unsafe body.span.bytes, of: body.count > SocketLink.sharedByteCount ? body : nil)
    }

    /// - Parameter owner: The array whose bytes `body` is, to be kept instead of a copy.
    private func send(_ head: RawSpan, _ body: RawSpan, of owner: [UInt8]?) throws(LinkError) {
        let length = head.byteCount + body.byteCount
        guard length <= limits.frameByteCount else {
            throw LinkError(
                code: .frameTooLarge, "a frame of \(length) bytes is to be sent; the limit is \(limits.frameByteCount)")
        }
        let failure = outgoing.withLock { outgoing -> LinkError? in
            guard !outgoing.isClosed else { return .closed }
            guard outgoing.waitingByteCount <= limits.waitingByteCount - length else {
                return LinkError(
                    code: .tooMuchWaiting,
                    "\(outgoing.waitingByteCount) bytes wait to be sent; the other side does not read")
            }
            var header = UInt64(length).littleEndian
            // SAFETY: the three buffers are valid during the calls below and nothing keeps a pointer to them.
            return unsafe withUnsafeBytes(of: &header) { header in
                unsafe head.withUnsafeBytes { head in
                    unsafe body.withUnsafeBytes { body in
                        unsafe send(header, head, body, of: owner, &outgoing)
                    }
                }
            }
        }
        if let failure { throw failure }
    }

    /// Ends the link; frames not yet taken by the socket are lost.
    public func close() {
        let wasOpen = outgoing.withLock { outgoing in
            defer { outgoing.isClosed = true }
            return !outgoing.isClosed
        }
        // The poller sees the end of the stream and finishes; the descriptor stays valid until then.
        if wasOpen { shutdown(socket, CInt(SHUT_RDWR)) }
    }

    // MARK: - Sending

    /// Gives the socket what it takes and keeps the rest; called with the lock held.
    private func send(
        _ header: UnsafeRawBufferPointer, _ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer,
        of owner: [UInt8]?, _ outgoing: inout Outgoing
    ) -> LinkError? {
        let length = header.count + head.count + body.count
        if outgoing.isGathering, length <= SocketLink.gatheredByteCount {
            unsafe outgoing.keep(header, head, body, from: 0)
            return nil
        }
        var sent = 0
        if outgoing.waiting.isEmpty || (outgoing.isGathering && flush(&outgoing)) {
            var pieces = unsafe (
                iovec(iov_base: UnsafeMutableRawPointer(mutating: header.baseAddress), iov_len: header.count),
                iovec(iov_base: UnsafeMutableRawPointer(mutating: head.baseAddress), iov_len: head.count),
                iovec(iov_base: UnsafeMutableRawPointer(mutating: body.baseAddress), iov_len: body.count)
            )
            // SAFETY: a tuple of three of a kind is laid out as an array of three.
            let count = unsafe withUnsafeMutableBytes(of: &pieces) { pieces in
                unsafe SocketLink.write(socket, pieces.assumingMemoryBound(to: iovec.self))
            }
            if count < 0, errno != EAGAIN {
                return LinkError(code: .closed, SystemError("send to the other side", errno: errno).description)
            }
            sent = max(count, 0)
        }
        if sent < length {
            if let owner {
                unsafe outgoing.keep(header, head, owner, from: sent)
            } else {
                unsafe outgoing.keep(header, head, body, from: sent)
            }
            if let token = outgoing.token { Poller.links.update(token, socket, for: [.readable, .writable]) }
        }
        return nil
    }

    /// One `sendmsg` that neither waits nor raises SIGPIPE; bytes taken, or -1 with errno.
    private static func write(_ socket: CInt, _ pieces: UnsafeMutableBufferPointer<iovec>) -> Int {
        var message = unsafe msghdr()
        unsafe message.msg_iov = pieces.baseAddress
        unsafe message.msg_iovlen = pieces.count
        let flags = CInt(MSG_NOSIGNAL) | CInt(MSG_DONTWAIT)
        while true {
            let count = unsafe sendmsg(socket, &message, flags)
            if count >= 0 || errno != EINTR { return count }
        }
    }

    private func flush() {
        outgoing.withLock { outgoing in
            if flush(&outgoing), let token = outgoing.token { Poller.links.update(token, socket, for: .readable) }
        }
    }

    /// Gives the socket what it takes of what waits; whether that was all.
    private func flush(_ outgoing: inout Outgoing) -> Bool {
        while let first = outgoing.waiting.first {
            let offset = outgoing.offset
            let count = unsafe first.withUnsafeBytes { bytes in
                let start = unsafe UnsafeMutableRawPointer(mutating: bytes.baseAddress! + offset)
                var piece = unsafe iovec(iov_base: start, iov_len: bytes.count - offset)
                return unsafe withUnsafeMutablePointer(to: &piece) { piece in
                    unsafe SocketLink.write(socket, UnsafeMutableBufferPointer(start: piece, count: 1))
                }
            }
            guard count > 0 else { return false }  // full, or broken: then reading tells
            outgoing.waitingByteCount -= count
            outgoing.offset += count
            if outgoing.offset == first.count {
                outgoing.waiting.removeFirst()
                outgoing.offset = 0
            }
        }
        return true
    }

    /// Small frames are kept from now on, or, at the end, sent.
    private func gather(_ isGathering: Bool) {
        outgoing.withLock { outgoing in
            outgoing.isGathering = isGathering
            guard !isGathering, !outgoing.waiting.isEmpty, !outgoing.isClosed, !flush(&outgoing) else { return }
            if let token = outgoing.token { Poller.links.update(token, socket, for: [.readable, .writable]) }
        }
    }

    // MARK: - Receiving

    private func handle(_ readiness: Poller.Readiness) {
        if readiness.contains(.writable) { flush() }
        guard !readiness.isDisjoint(with: [.readable, .ended]) else { return }
        var ending: LinkError??
        incoming.withLock { incoming in
            guard incoming != nil else { return }
            ending = receive(&incoming!)
        }
        if let ending { finish(ending) }
    }

    /// Reads what is there; returns how the link ended, or `nil` if it goes on.
    private func receive(_ incoming: inout Incoming) -> LinkError?? {
        // A few reads at a time, so that one busy link does not starve the others.
        for _ in 0..<16 {
            var space = 0
            let count = unsafe incoming.buffer.fill {
                space = $0.count
                return unsafe read(socket, $0.baseAddress, $0.count)
            }
            let code = errno
            if count == 0 { return .some(nil) }
            if count < 0 {
                if code == EAGAIN { return nil }
                if code == EINTR { continue }
                if code == ECONNRESET { return .some(nil) }
                return LinkError(code: .broken, SystemError("read from the other side", errno: code).description)
            }
            heard.store(monotonicSeconds().bitPattern, ordering: .relaxed)
            gather(true)
            defer { gather(false) }
            do {
                while try incoming.buffer.withNextFrame(incoming.onFrame) {}
            } catch {
                return error
            }
            // The socket had no more than that; if it has by now, the poller says so.
            if count < space { return nil }
        }
        return nil
    }

    private func finish(_ error: LinkError?) {
        let token = outgoing.withLock { outgoing in
            outgoing.isClosed = true
            outgoing.waiting = []
            outgoing.waitingByteCount = 0
            return outgoing.token.take()
        }
        if let token { Poller.links.remove(token, socket) }
        let onEnd = incoming.withLock { incoming in
            let onEnd = incoming?.onEnd
            incoming = nil
            return onEnd
        }
        onEnd?(error)
    }
}
