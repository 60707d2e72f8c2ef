public import Wire

/// A two-way stream of whole frames between two processes.
///
/// Frames arrive in the order they were sent, each once, or the link ends. What carries them (a pair of sockets, rings
/// in shared memory, TLS) is the conforming type's business.
public protocol Link: AnyObject, Sendable {
    /// Starts delivery; called once.
    ///
    /// - Parameters:
    ///   - onFrame: Called for each frame, one at a time, on a thread of the link's. The reader is valid during the call.
    ///   - onEnd: Called once, after the last frame; `nil` if the other side closed in an orderly way.
    func start(
        onFrame: @escaping @Sendable (inout WireReader) -> Void, onEnd: @escaping @Sendable (LinkError?) -> Void)

    /// Sends one frame: bytes, and large arrays beside them, which the other side's reader finds as the blocks of a
    /// `WireMessage`.
    ///
    /// Never waits: what the carrier does not take at once is copied and sent later. Frames sent from several threads
    /// keep some order, and each stays whole.
    ///
    /// - Throws: ``LinkError`` if the link has ended, the frame is over the limit, or too much waits to be sent; then
    ///   nothing of it is sent.
    func send(_ bytes: RawSpan, _ blocks: [SharedArray<UInt8>]) throws(LinkError)

    /// Where blocks lie that this link sends without a copy: links that share such memory name the same.
    var sharedMemory: ObjectIdentifier? { get }

    /// Puts blocks where this link, and others with the same ``sharedMemory``, send them from without a copy.
    ///
    /// - Returns: Arrays with the same bytes, in the same order; those that lie there already as they are.
    /// - Throws: ``LinkError/Code/outOfMemory``.
    func share(_ blocks: [SharedArray<UInt8>]) throws(LinkError) -> [SharedArray<UInt8>]

    /// The NUMA nodes of the other side's host, by their OS indices, on which ``share(_:onNode:)`` can place blocks; none
    /// where it can't, or there is only one.
    var sharedMemoryNodes: Set<Int> { get }

    /// Puts blocks where ``share(_:)`` does, in memory of one of the ``sharedMemoryNodes``.
    ///
    /// - Returns: As ``share(_:)``; nil if they can't be placed there after all.
    /// - Throws: ``LinkError/Code/outOfMemory``.
    func share(_ blocks: [SharedArray<UInt8>], onNode node: Int) throws(LinkError) -> [SharedArray<UInt8>]?

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

    /// None.
    public var sharedMemory: ObjectIdentifier? { nil }

    /// Nothing can be gained.
    public func share(_ blocks: [SharedArray<UInt8>]) throws(LinkError) -> [SharedArray<UInt8>] { blocks }

    /// None.
    public var sharedMemoryNodes: Set<Int> { [] }

    /// There are no nodes to tell apart.
    public func share(_ blocks: [SharedArray<UInt8>], onNode node: Int) throws(LinkError) -> [SharedArray<UInt8>]? {
        nil
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
        private enum Kind { case closed, frameTooLarge, tooMuchWaiting, outOfMemory, broken }
        private let kind: Kind
        /// The link has ended.
        public static let closed = Code(kind: .closed)
        /// A frame is over the limit.
        public static let frameTooLarge = Code(kind: .frameTooLarge)
        /// The other side does not read, and too much waits to be sent.
        public static let tooMuchWaiting = Code(kind: .tooMuchWaiting)
        /// There is no shared memory for the large arrays of a frame.
        public static let outOfMemory = Code(kind: .outOfMemory)
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
