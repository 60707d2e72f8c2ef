import SharedMemoryLink
import Synchronization
import Transport
import Wire

/// An agent's links to others, over which blocks go from host to host.
///
/// A block goes one way over such a link: from the host that listened to the one that dialled.
final class HostPeers: Sendable {
    /// Seconds that the other host of a pair has to come.
    private static let patience = 10.0

    private struct Sending {
        var link: (any Link)?
        /// Blocks that are to be passed on when the link is there.
        var waiting: [(UInt64, SharedArray<UInt8>)] = []
        var isOver = false
    }

    private struct State {
        /// Pairs in which this host sends.
        var sending: [UInt64: Sending] = [:]
        /// Blocks that are to be passed on when they are here, and over which pairs.
        var passes: [UInt64: [UInt64]] = [:]
        /// Blocks that are to come, and over which pair.
        var expected: [UInt64: UInt64] = [:]
        /// Expected ones that nobody needs any more.
        var dropped: Set<UInt64> = []
        /// Links of pairs in which this host receives.
        var receiving: [UInt64: any Link] = [:]
        /// Pairs over which nothing comes.
        var failed: Set<UInt64> = []
        var isEnded = false
    }

    private let network: (any PeerNetwork)?
    private let kept: KeptBlocksOfHost
    private let state = Mutex(State())
    /// A block has come.
    private let onBlock: @Sendable () -> Void
    /// A block does not come.
    private let onLack: @Sendable (UInt64) -> Void

    init(
        _ network: (any PeerNetwork)?, _ kept: KeptBlocksOfHost, onBlock: @escaping @Sendable () -> Void,
        onLack: @escaping @Sendable (UInt64) -> Void
    ) {
        self.network = network
        self.kept = kept
        self.onBlock = onBlock
        self.onLack = onLack
    }

    // MARK: - Sending

    /// Listens for the other host of a pair.
    func admit(_ pair: UInt64, _ secret: PairSecret, listening: @escaping @Sendable (Int) -> Void) {
        state.withLock { $0.sending[pair] = Sending() }
        guard let network else { return }
        Task {
            // Where that fails, the other host gives up waiting, and says so.
            let port = try? await network.admit(secret) { [self] link in came(link, pair) }
            if let port { listening(port) }
        }
    }

    private func came(_ link: any Link, _ pair: UInt64) {
        link.start { _ in
            // Nothing is said this way.
        } onEnd: { [self] _ in
            state.withLock { $0.sending[pair] = Sending(isOver: true) }
        }
        state.withLock { state in
            guard !state.isEnded, state.sending[pair]?.isOver == false, let waiting = state.sending[pair]?.waiting
            else { return link.close() }
            state.sending[pair]?.link = link
            state.sending[pair]?.waiting = []
            for (number, block) in waiting { HostPeers.send(block, as: number, over: link) }
        }
    }

    /// Passes a block on, now or when it is here.
    func pass(_ number: UInt64, over pair: UInt64) {
        state.withLock { state in
            if let block = kept.blocks([number])?.first {
                HostPeers.pass(block, number, over: pair, &state)
            } else {
                state.passes[number, default: []].append(pair)
            }
        }
    }

    private static func pass(_ block: SharedArray<UInt8>, _ number: UInt64, over pair: UInt64, _ state: inout State) {
        guard let sending = state.sending[pair], !sending.isOver else { return }
        if let link = sending.link {
            send(block, as: number, over: link)
        } else {
            state.sending[pair]?.waiting.append((number, block))
        }
    }

    private static func send(_ block: SharedArray<UInt8>, as number: UInt64, over link: any Link) {
        // Where it has ended, the other side knows.
        try? link.tell(.keep(block: number), RawSpan(), [block])
    }

    // MARK: - Receiving

    /// A block comes over a pair.
    func expect(_ number: UInt64, over pair: UInt64) {
        let isFailed = state.withLock { state in
            if !state.failed.contains(pair) { state.expected[number] = pair }
            return state.failed.contains(pair)
        }
        if isFailed { return onLack(number) }
        Poller.links.after(seconds: HostPeers.patience) { [self] in
            let isMissing = state.withLock { $0.receiving[pair] == nil && $0.expected[number] == pair }
            if isMissing { fail(pair) }
        }
    }

    /// Reaches the host that sends.
    func dial(_ pair: UInt64, _ address: String, port: Int, _ secret: PairSecret) {
        guard let network else { return fail(pair) }
        Task {
            do {
                let link = try await network.dial(address, port: port, secret)
                let isEnded = state.withLock { state in
                    let isEnded = state.isEnded || state.failed.contains(pair)
                    if !isEnded { state.receiving[pair] = link }
                    return isEnded
                }
                link.start { [self] frame in
                    receive(&frame, over: pair, link)
                } onEnd: { [self] _ in
                    fail(pair)
                }
                if isEnded { link.close() }
            } catch {
                fail(pair)
            }
        }
    }

    private func receive(_ frame: inout WireReader, over pair: UInt64, _ link: any Link) {
        guard case .keep(let number)? = try? frame.read() as HostMessage, frame.restOfBlocks.count == 1 else {
            return link.close()
        }
        let isWanted = state.withLock { $0.expected[number] == pair }
        if isWanted { have(frame.restOfBlocks[0], as: number) }
    }

    /// A block is here, from wherever it came.
    func have(_ block: SharedArray<UInt8>, as number: UInt64) {
        state.withLock { state in
            state.expected[number] = nil
            for pair in state.passes.removeValue(forKey: number) ?? [] {
                HostPeers.pass(block, number, over: pair, &state)
            }
            if state.dropped.remove(number) == nil { kept.keep(block, as: number) }
        }
        onBlock()
    }

    /// A block that nobody needs any more.
    func drop(_ number: UInt64) {
        state.withLock { state in
            if state.expected[number] != nil { state.dropped.insert(number) }
        }
        kept.drop(number)
    }

    /// The host that sends over a pair is gone. Where it was stopped, or lost its power, its link does not say so.
    func forgo(_ pair: UInt64) {
        let link = state.withLock { $0.receiving[pair] }
        fail(pair)
        link?.close()
    }

    /// Nothing comes over a pair any more.
    private func fail(_ pair: UInt64) {
        let (missing, stranded) = state.withLock { state -> ([UInt64], [any Link]) in
            state.failed.insert(pair)
            state.receiving[pair] = nil
            let missing = state.expected.filter { $0.value == pair }.map(\.key)
            for number in missing { state.expected[number] = nil }
            // Nobody needs those here, and nobody is asked for them.
            let dropped = missing.filter { state.dropped.remove($0) != nil }
            // But others may wait for them, and have to ask themselves.
            let pairs = Set(dropped.flatMap { state.passes.removeValue(forKey: $0) ?? [] })
            let links = pairs.compactMap { state.sending[$0]?.link }
            for pair in pairs { state.sending[pair] = Sending(isOver: true) }
            return (missing.filter { !dropped.contains($0) }, links)
        }
        for number in missing { onLack(number) }
        for link in stranded { link.close() }
    }

    // MARK: - The end

    func end() {
        let links = state.withLock { state -> [any Link] in
            state.isEnded = true
            defer {
                state.sending = [:]
                state.receiving = [:]
            }
            return state.sending.values.compactMap(\.link) + state.receiving.values
        }
        for link in links { link.close() }
    }
}
