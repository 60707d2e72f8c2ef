import Dispatch
import Synchronization
import Transport
import Wire

/// One end of a link in memory, whose frames arrive in order, on a queue of its own.
final class LinkPair: Link {
    private struct State {
        var other: LinkPair?
        var onFrame: (@Sendable (inout WireReader) -> Void)?
        var onEnd: (@Sendable (LinkError?) -> Void)?
        var early: [([UInt8], [SharedArray<UInt8>])] = []
        var isClosed = false
        var sentByteCount = 0
    }

    private let queue = DispatchQueue(label: "link")
    private let state = Mutex(State())

    private init() {}

    static func make() -> (LinkPair, LinkPair) {
        let (one, other) = (LinkPair(), LinkPair())
        one.state.withLock { $0.other = other }
        other.state.withLock { $0.other = one }
        return (one, other)
    }

    var lastHeard: Double { monotonicSeconds() }
    /// Bytes sent so far, with blocks.
    var sentByteCount: Int { state.withLock { $0.sentByteCount } }

    func start(
        onFrame: @escaping @Sendable (inout WireReader) -> Void, onEnd: @escaping @Sendable (LinkError?) -> Void
    ) {
        let (early, isClosed) = state.withLock { state in
            state.onFrame = onFrame
            state.onEnd = onEnd
            defer { state.early = [] }
            return (state.early, state.isClosed)
        }
        for (bytes, blocks) in early { deliver(bytes, blocks) }
        if isClosed { queue.async { onEnd(nil) } }
    }

    func send(_ bytes: RawSpan, _ blocks: [SharedArray<UInt8>]) throws(LinkError) {
        let other = state.withLock { state in
            state.sentByteCount += bytes.byteCount + blocks.reduce(0) { $0 + $1.count }
            return state.isClosed ? nil : state.other
        }
        guard let other else { throw .closed }
        other.arrive(unsafe bytes.withUnsafeBytes { unsafe Array($0) }, blocks)
    }

    private func arrive(_ bytes: [UInt8], _ blocks: [SharedArray<UInt8>]) {
        let isStarted = state.withLock { state in
            if state.onFrame == nil { state.early.append((bytes, blocks)) }
            return state.onFrame != nil
        }
        if isStarted { deliver(bytes, blocks) }
    }

    private func deliver(_ bytes: [UInt8], _ blocks: [SharedArray<UInt8>]) {
        queue.async { [self] in
            guard let onFrame = state.withLock({ $0.isClosed ? nil : $0.onFrame }) else { return }
            var reader = WireReader(unsafe bytes.span.bytes, from: 0, blocks: blocks.span)
            onFrame(&reader)
        }
    }

    func close() {
        for end in [self, state.withLock { $0.other }] {
            guard let end else { continue }
            let onEnd = end.state.withLock { state -> (@Sendable (LinkError?) -> Void)? in
                defer { state.isClosed = true }
                return state.isClosed ? nil : state.onEnd
            }
            if let onEnd { end.queue.async { onEnd(nil) } }
        }
    }
}
