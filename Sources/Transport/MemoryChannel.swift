import Dispatch
import Synchronization
import Wire

/// One direction of a ``MemoryLink``: a queue of frames, and who takes them.
final class MemoryChannel: Sendable {
    struct Frame: Sendable {
        let bytes: [UInt8]
        let blocks: [SharedArray<UInt8>]

        var byteCount: Int { blocks.reduce(bytes.count) { $0 + $1.count } }
    }

    fileprivate struct Taker {
        let onFrame: @Sendable (inout WireReader) -> Void
        let onEnd: @Sendable (LinkError?) -> Void
        let onLoss: @Sendable (LinkError) -> Void
    }

    fileprivate struct State {
        /// Frames and when they arrive, in monotonic seconds; those before `first` have.
        var frames: [(frame: Frame?, due: Double)] = []
        var first = 0
        /// Of frames that were not taken to the end.
        var byteCount = 0
        var takenCount = 0
        var taker: Taker?
        var isPaused = false
        /// Set when nothing more is sent, with the reason if there is one.
        var end: LinkError??
        var hasEnded = false
        var lastTaken: Double
    }

    fileprivate enum Step {
        case take(Frame, Taker)
        /// The rest of it comes after so many seconds.
        case wait(Double)
        case end(Taker, LinkError?)
        case lose(Taker, LinkError)
        case rest
    }

    private let conditions: MemoryLink.Conditions
    private let queue = DispatchQueue(label: "muster-memory-link")
    private let state: Mutex<State>

    init(_ conditions: MemoryLink.Conditions) {
        self.conditions = conditions
        state = Mutex(State(lastTaken: monotonicSeconds()))
    }

    var lastTaken: Double { state.withLock { $0.lastTaken } }

    /// - Parameter onLoss: Told when it is a frame of this direction with which the connection is lost.
    func start(
        onFrame: @escaping @Sendable (inout WireReader) -> Void, onEnd: @escaping @Sendable (LinkError?) -> Void,
        onLoss: @escaping @Sendable (LinkError) -> Void
    ) {
        state.withLock { state in
            precondition(state.taker == nil && !state.hasEnded, "a link is started once")
            state.taker = Taker(onFrame: onFrame, onEnd: onEnd, onLoss: onLoss)
        }
        proceed()
    }

    func send(_ frame: Frame) throws(LinkError) {
        let byteCount = frame.byteCount
        guard byteCount <= conditions.capacity else {
            throw LinkError(
                code: .frameTooLarge, "a frame of \(byteCount) bytes is over the link's \(conditions.capacity)")
        }
        try state.withLock { state throws(LinkError) in
            guard state.end == nil else { throw .closed }
            guard byteCount <= conditions.capacity - state.byteCount else {
                throw LinkError(
                    code: .tooMuchWaiting,
                    "\(state.byteCount) bytes wait to be taken, of \(conditions.capacity) that may; no room for \(byteCount)"
                )
            }
            state.byteCount += byteCount
            state.frames.append((frame, monotonicSeconds() + conditions.delay.seconds))
        }
        proceed()
    }

    func setPaused(_ isPaused: Bool) {
        state.withLock { $0.isPaused = isPaused }
        if !isPaused { proceed() }
    }

    /// Nothing more is sent; only the first reason counts.
    func end(_ reason: LinkError?) {
        state.withLock { if $0.end == nil { $0.end = .some(reason) } }
        proceed()
    }

    /// Who takes wants nothing more: what is on its way is dropped, and the end comes at once.
    func abandon() {
        state.withLock { state in
            if state.end == nil { state.end = .some(nil) }
            state.drop()
            state.isPaused = false
        }
        proceed()
    }

    /// Goes on, on the queue: never on the stack of who sends, nor under its locks.
    private func proceed() {
        queue.async { [self] in run() }
    }

    private func run() {
        while true {
            switch state.withLock({ $0.next(lossAfter: conditions.lossAfter, now: monotonicSeconds()) }) {
            case .take(let frame, let taker):
                MemoryChannel.give(frame, to: taker)
                state.withLock { $0.byteCount = max(0, $0.byteCount - frame.byteCount) }
            case .wait(let seconds):
                queue.asyncAfter(deadline: .now() + seconds) { [self] in run() }
                return
            case .lose(let taker, let error):
                taker.onLoss(error)
                taker.onEnd(error)
            case .end(let taker, let error):
                taker.onEnd(error)
            case .rest:
                return
            }
        }
    }

    /// Not inlined: see what `WholeValues.swift` says.
    @inline(never)
    private static func give(_ frame: Frame, to taker: Taker) {
        // SAFETY: every byte of an array is initialised.
        var reader = WireReader(unsafe frame.bytes.span.bytes, from: 0, blocks: frame.blocks.span)
        taker.onFrame(&reader)
    }
}

extension MemoryChannel.State {
    /// What comes next, and takes it off.
    fileprivate mutating func next(lossAfter: Int?, now: Double) -> MemoryChannel.Step {
        guard let taker, !isPaused, !hasEnded else { return .rest }
        guard first < frames.count else {
            guard let end else { return .rest }
            finish()
            return .end(taker, end)
        }
        let (frame, due) = frames[first]
        guard due <= now else { return .wait(due - now) }
        if let lossAfter, takenCount >= lossAfter {
            let error = LinkError(code: .broken, "the connection was lost after \(takenCount) frames")
            end = .some(error)
            drop()
            finish()
            return .lose(taker, error)
        }
        frames[first].frame = nil
        first += 1
        if first * 2 >= frames.count {
            frames.removeFirst(first)
            first = 0
        }
        takenCount += 1
        lastTaken = now
        guard let frame else { return .rest }
        return .take(frame, taker)
    }

    private mutating func finish() {
        hasEnded = true
        taker = nil
    }

    fileprivate mutating func drop() {
        (frames, first, byteCount) = ([], 0, 0)
    }
}
