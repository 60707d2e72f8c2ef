import SharedMemoryLink
import Synchronization
import Transport
import Wire

/// One worker of an agent, and what its driver has said to it that it could not be told yet.
final class HostSlot: Sendable {
    /// Something that the driver said to the worker.
    struct Told: Sendable {
        let bytes: [UInt8]
        /// Blocks that the host keeps, which are the first.
        let kept: [UInt64]
        let blocks: [SharedArray<UInt8>]
    }

    private struct State {
        /// Whether the worker knows its number: before, it is told nothing.
        var isAdopted = false
        /// In their order; once one waits, so do those after it.
        var waiting = Queue<Told>()
        var isGone = false
        var isDismissed = false
    }

    let number: UInt32
    let worker: any HostedWorker
    private let state = Mutex(State())

    init(_ number: UInt32, _ worker: any HostedWorker) {
        self.number = number
        self.worker = worker
    }

    /// Whether the driver has told the worker to end.
    var isDismissed: Bool { state.withLock { $0.isDismissed } }

    /// Tells the worker what the driver says, now or when it can be.
    func tell(_ frame: RawSpan, kept: [UInt64], _ blocks: [SharedArray<UInt8>], _ store: KeptBlocksOfHost) {
        state.withLock { state in
            guard !state.isGone else { return }
            if Message.isShutdown(frame) { state.isDismissed = true }
            if state.isAdopted, state.waiting.isEmpty, let all = store.blocks(kept) {
                return send(frame, all + blocks)
            }
            state.waiting.append(Told(bytes: frame.copyBytes(), kept: kept, blocks: blocks))
        }
    }

    /// The worker has its number.
    func becameAdopted(_ store: KeptBlocksOfHost) {
        state.withLock { state in
            state.isAdopted = true
            flush(&state, store)
        }
    }

    /// More blocks are there.
    func blocksCame(_ store: KeptBlocksOfHost) {
        state.withLock { state in if state.isAdopted { flush(&state, store) } }
    }

    /// The worker has ended.
    func becameGone() {
        state.withLock { state in
            state.isGone = true
            state.waiting = Queue()
        }
    }

    private func flush(_ state: inout State, _ store: KeptBlocksOfHost) {
        while let next = state.waiting.first, let kept = store.blocks(next.kept) {
            _ = state.waiting.takeFirst()
            // SAFETY: every byte of a span of `UInt8` is initialised.
            send(unsafe next.bytes.span.bytes, kept + next.blocks)
        }
    }

    /// A worker that can't be told has ended, which is noticed elsewhere; or its host has no memory, and then it can't go on.
    private func send(_ bytes: RawSpan, _ blocks: [SharedArray<UInt8>]) {
        do {
            try worker.link.send(bytes, blocks)
        } catch {
            if error.code != .closed { worker.kill() }
        }
    }
}

/// The blocks that a host keeps for its workers, by the driver's numbers.
final class KeptBlocksOfHost: Sendable {
    private let state = Mutex<[UInt64: SharedArray<UInt8>]>([:])

    /// The blocks with these numbers; `nil` while one of them is not there.
    func blocks(_ numbers: [UInt64]) -> [SharedArray<UInt8>]? {
        if numbers.isEmpty { return [] }
        return state.withLock { state in
            var blocks: [SharedArray<UInt8>] = []
            for number in numbers {
                guard let block = state[number] else { return nil }
                blocks.append(block)
            }
            return blocks
        }
    }

    func keep(_ block: SharedArray<UInt8>, as number: UInt64) { state.withLock { $0[number] = block } }

    func drop(_ number: UInt64) {
        let block = state.withLock { $0.removeValue(forKey: number) }
        // Freed outside the lock.
        _ = consume block
    }
}
