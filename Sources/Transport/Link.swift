/// A two-way stream of whole frames between two processes.
///
/// Frames arrive in the order they were sent, each once, or the link ends. What carries them (a pair of sockets, rings
/// in shared memory, TLS) is the conforming type's business.
public protocol Link: AnyObject, Sendable {
    /// Starts delivery; called once.
    ///
    /// - Parameters:
    ///   - onFrame: Called for each frame, one at a time, on a thread of the link's. The span is valid during the call.
    ///   - onEnd: Called once, after the last frame; `nil` if the other side closed in an orderly way.
    func start(
        onFrame: @escaping @Sendable (RawSpan) -> Void, onEnd: @escaping @Sendable (LinkError?) -> Void)

    /// Sends one frame whose bytes are those of `head` followed by those of `body`.
    ///
    /// Never waits: what the carrier does not take at once is copied and sent later. Frames sent from several threads
    /// keep some order, and each stays whole.
    ///
    /// - Throws: ``LinkError`` if the link has ended, the frame is over the limit, or too much waits to be sent.
    func send(_ head: RawSpan, _ body: RawSpan) throws(LinkError)

    /// The same with an array, which may be kept instead of copied: large ones go to many workers.
    func send(_ head: RawSpan, keeping body: [UInt8]) throws(LinkError)

    /// Ends the link; frames not yet taken by the carrier are lost. Calling it again does nothing.
    func close()

    /// Handles frames on this thread until `isDone`, for a bounded time in which one may well come; for a thread that
    /// has to wait for a frame anyway. It may do nothing.
    func look(until isDone: () -> Bool)

    /// When the other side was last heard, in seconds of ``monotonicSeconds()``.
    var lastHeard: Double { get }
}

extension Link {
    /// Leaves it to the link's own thread.
    public func look(until isDone: () -> Bool) {}

    /// Sends the array's bytes like any others.
    public func send(_ head: RawSpan, keeping body: [UInt8]) throws(LinkError) {
        // SAFETY: every byte of a span of `UInt8` is initialised.
        try send(head, unsafe body.span.bytes)
    }
}

/// How much a link carries.
public struct LinkLimits: Hashable, Sendable {
    /// Largest frame in bytes; 64 GiB unless told. The memory is taken as the bytes arrive, not when the length does.
    public var frameByteCount: Int
    /// Most bytes that may wait to be sent; 64 GiB unless told.
    public var waitingByteCount: Int

    /// Sets the limits.
    public init(frameByteCount: Int = 1 << 36, waitingByteCount: Int = 1 << 36) {
        self.frameByteCount = frameByteCount
        self.waitingByteCount = waitingByteCount
    }
}

/// Why a link ended or refused a frame.
public struct LinkError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind of failure; compare it with the static members. New kinds may be added.
    public struct Code: Hashable, Sendable {
        private enum Kind { case closed, frameTooLarge, tooMuchWaiting, broken }
        private let kind: Kind
        /// The link has ended.
        public static let closed = Code(kind: .closed)
        /// A frame is over the limit.
        public static let frameTooLarge = Code(kind: .frameTooLarge)
        /// The other side does not read, and too much waits to be sent.
        public static let tooMuchWaiting = Code(kind: .tooMuchWaiting)
        /// The carrier failed, or what arrived is not a frame.
        public static let broken = Code(kind: .broken)
    }

    /// The kind of failure.
    public let code: Code
    /// What happened, with the numbers.
    public let description: String

    /// Names a failure.
    public init(code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    /// The link has ended.
    public static let closed = LinkError(code: .closed, "the link is closed")
}
