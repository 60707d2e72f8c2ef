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
    }

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
                        unsafe send(header, head, body, &outgoing)
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

    /// Gives the socket what it takes and keeps a copy of the rest; called with the lock held.
    private func send(
        _ header: UnsafeRawBufferPointer, _ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer,
        _ outgoing: inout Outgoing
    ) -> LinkError? {
        var sent = 0
        if outgoing.waiting.isEmpty {
            var pieces = unsafe [
                iovec(iov_base: UnsafeMutableRawPointer(mutating: header.baseAddress), iov_len: header.count),
                iovec(iov_base: UnsafeMutableRawPointer(mutating: head.baseAddress), iov_len: head.count),
                iovec(iov_base: UnsafeMutableRawPointer(mutating: body.baseAddress), iov_len: body.count),
            ]
            let count = unsafe pieces.withUnsafeMutableBufferPointer { unsafe SocketLink.write(socket, $0) }
            if count < 0, errno != EAGAIN {
                return LinkError(code: .closed, SystemError("send to the other side", errno: errno).description)
            }
            sent = max(count, 0)
        }
        let pieces = unsafe [header, head, body]
        for index in unsafe pieces.indices {
            let piece = unsafe pieces[index]
            let skip = min(sent, piece.count)
            sent -= skip
            guard skip < piece.count else { continue }
            let rest = unsafe [UInt8](UnsafeRawBufferPointer(rebasing: piece[skip...]))
            outgoing.waitingByteCount += rest.count
            outgoing.waiting.append(rest)
        }
        if !outgoing.waiting.isEmpty, let token = outgoing.token {
            Poller.links.update(token, socket, for: [.readable, .writable])
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
            while let first = outgoing.waiting.first {
                let offset = outgoing.offset
                let count = unsafe first.withUnsafeBytes { bytes in
                    let start = unsafe UnsafeMutableRawPointer(mutating: bytes.baseAddress! + offset)
                    var piece = unsafe iovec(iov_base: start, iov_len: bytes.count - offset)
                    return unsafe withUnsafeMutablePointer(to: &piece) { piece in
                        unsafe SocketLink.write(socket, UnsafeMutableBufferPointer(start: piece, count: 1))
                    }
                }
                guard count > 0 else { return }  // full, or broken: then reading tells
                outgoing.waitingByteCount -= count
                outgoing.offset += count
                if outgoing.offset == first.count {
                    outgoing.waiting.removeFirst()
                    outgoing.offset = 0
                }
            }
            if let token = outgoing.token { Poller.links.update(token, socket, for: .readable) }
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
            let count = unsafe incoming.buffer.fill { unsafe read(socket, $0.baseAddress, $0.count) }
            let code = errno
            if count == 0 { return .some(nil) }
            if count < 0 {
                if code == EAGAIN { return nil }
                if code == EINTR { continue }
                if code == ECONNRESET { return .some(nil) }
                return LinkError(code: .broken, SystemError("read from the other side", errno: code).description)
            }
            heard.store(monotonicSeconds().bitPattern, ordering: .relaxed)
            do {
                while try incoming.buffer.withNextFrame(incoming.onFrame) {}
            } catch {
                return error
            }
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
