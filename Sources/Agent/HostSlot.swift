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
        /// Captures that the worker could not be given, and why.
        var missing: [UInt64: String] = [:]
    }

    let number: UInt32
    let worker: any HostedWorker
    /// Answers the driver in the worker's place.
    private let answer: @Sendable (Message) -> Void
    private let state = Mutex(State())

    init(_ number: UInt32, _ worker: any HostedWorker, answer: @escaping @Sendable (Message) -> Void) {
        self.number = number
        self.worker = worker
        self.answer = answer
    }

    /// Whether the driver has told the worker to end.
    var isDismissed: Bool { state.withLock { $0.isDismissed } }

    /// The driver wants none in its place.
    func dismiss() { state.withLock { $0.isDismissed = true } }

    /// Tells the worker what the driver says, now or when it can be.
    func tell(_ frame: RawSpan, kept: [UInt64], _ blocks: [SharedArray<UInt8>], _ store: KeptBlocksOfHost) {
        state.withLock { state in
            guard !state.isGone else { return }
            if Message.isShutdown(frame) { state.isDismissed = true }
            if state.isAdopted, state.waiting.isEmpty, let all = store.blocks(kept) {
                return send(frame, all + blocks, &state)
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
            send(unsafe next.bytes.span.bytes, kept + next.blocks, &state)
        }
    }

    /// A worker that can't be told has ended, which is noticed elsewhere; or there is no memory for what it is told, and the
    /// driver is answered so.
    private func send(_ bytes: RawSpan, _ blocks: [SharedArray<UInt8>], _ state: inout State) {
        if !state.missing.isEmpty, let reason = HostSlot.lack(bytes, &state.missing) {
            return refuse(bytes, reason, &state)
        }
        do {
            try worker.link.send(bytes, blocks)
        } catch {
            switch error.code {
            case .closed: break
            case .outOfMemory: refuse(bytes, error.description, &state)
            default: worker.kill(because: .lost("it could not be told what to do: \(error)"))
            }
        }
    }

    /// Why a call can't be made: its captures are missing.
    private static func lack(_ bytes: RawSpan, _ missing: inout [UInt64: String]) -> String? {
        var reader = WireReader(bytes)
        switch try? reader.read() as Message {
        case .call(let call): return call.captures.flatMap { missing[$0] }
        case .forgetCaptures(let id): missing[id] = nil
        default: break
        }
        return nil
    }

    private func refuse(_ bytes: RawSpan, _ reason: String, _ state: inout State) {
        var reader = WireReader(bytes)
        switch try? reader.read() as Message {
        case .call(let call), .callOnce(let call): answer(.refusal(call: call.id, reason: reason))
        case .defineCaptures(let id, _, _): state.missing[id] = reason
        // What goes without blocks always finds room.
        default: worker.kill(because: .lost("it could not be told what to do: \(reason)"))
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
