import Synchronization
import Transport
import Wire

/// The driver's blocks that hosts keep for their workers: each crosses to a host once, and from host to host by a tree.
final class BlockDistribution: Sendable {
    /// Of this process. Hosts of several clusters may pass blocks on to each other: they have the same driver.
    static let shared = BlockDistribution()

    /// Bytes from which on a block goes from host to host: for fewer, what it takes to agree on that is not worth it.
    static let passedByteCount = 1 << 20

    private struct Key: Hashable {
        let start: UInt
        let count: Int
    }

    private struct Entry {
        let number: UInt64
        /// Kept, so that no other block can have its addresses.
        let original: SharedArray<UInt8>
        var tree = DistributionTree()
        /// Hosts that keep it, and for how many here.
        var holders: [Int: Int] = [:]
        /// Those that were sent it from here after all.
        var helped: Set<Int> = []
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        var keys: [UInt64: Key] = [:]
        var nextNumber: UInt64 = 1
        var hosts: [Int: HostConnection] = [:]
        var pairs: [Pair: UInt64] = [:]
        var nextPair: UInt64 = 1
        /// What the receiving hosts of pairs are told when the sending ones listen.
        var pending: [UInt64: (host: Int, secret: PairSecret)] = [:]
        /// Hosts from which others could not get what they should have.
        var unreachable: Set<Int> = []
    }

    private struct Pair: Hashable {
        let sender: Int
        let receiver: Int
    }

    private let state = Mutex(State())

    /// The same bytes, of which a host has a copy from now on, or is being sent one.
    func put(_ block: SharedArray<UInt8>, on host: HostConnection) throws(LinkError) -> SharedArray<UInt8> {
        let key = unsafe block.span.withUnsafeBytes { Key(start: UInt(bitPattern: $0.baseAddress), count: $0.count) }
        let number = try state.withLock { state throws(LinkError) -> UInt64 in
            var entry = state.entries[key] ?? Entry(number: state.nextNumber, original: block)
            if entry.holders[host.number] == nil {
                // A link that takes it has not ended: the host is forgotten later than this.
                try send(&entry, to: host, &state)
                state.hosts[host.number] = host
            }
            entry.holders[host.number, default: 0] += 1
            if state.entries[key] == nil {
                state.nextNumber += 1
                state.keys[entry.number] = key
            }
            state.entries[key] = entry
            return entry.number
        }
        let owner = HostBlock(number, host, block)
        // SAFETY: the bytes of a block that the owner keeps.
        return unsafe block.span.withUnsafeBufferPointer { unsafe SharedArray($0, owner: owner) }
    }

    /// Hosts that keep blocks, or have kept some.
    var hostCount: Int { state.withLock { $0.hosts.count } }

    /// Sends a block, or has another host pass it on. Under the lock: whoever is told to drop it must have been told this
    /// before.
    private func send(_ entry: inout Entry, to host: HostConnection, _ state: inout State) throws(LinkError) {
        guard entry.original.count >= BlockDistribution.passedByteCount else {
            return try host.link.tell(.keep(block: entry.number), RawSpan(), [entry.original])
        }
        let sender = entry.tree.sender(for: host.number) {
            [hosts = state.hosts, unreachable = state.unreachable] other in
            !unreachable.contains(other) && !unreachable.contains(host.number)
                && hosts[other].map { $0.canPassBlocks(to: host) } == true
        }
        guard let sender, let passing = state.hosts[sender] else {
            return try host.link.tell(.keep(block: entry.number), RawSpan(), [entry.original])
        }
        let pair = Pair(sender: sender, receiver: host.number)
        var number = state.pairs[pair]
        if number == nil {
            number = state.nextPair
            state.nextPair += 1
            state.pairs[pair] = number
            let secret = PairSecret.random()
            state.pending[number!] = (host.number, secret)
            // A host whose link has ended passes nothing on, and says so by that.
            try? passing.link.tell(.admit(pair: number!, secret))
        }
        try? passing.link.tell(.pass(block: entry.number, pair: number!))
        do {
            try host.link.tell(.expect(block: entry.number, pair: number!))
        } catch {
            (state.pairs[pair], state.pending[number!]) = (nil, nil)
            throw error
        }
    }

    /// Nobody here has the copy any more.
    func drop(_ number: UInt64, of host: HostConnection) {
        let original = state.withLock { state -> SharedArray<UInt8>? in
            guard let key = state.keys[number], let count = state.entries[key]?.holders[host.number] else { return nil }
            guard count == 1 else {
                state.entries[key]?.holders[host.number] = count - 1
                return nil
            }
            state.entries[key]?.holders[host.number] = nil
            state.entries[key]?.helped.remove(host.number)
            state.entries[key]?.tree.remove(host.number)
            // Where the link has ended, the host keeps nothing.
            try? host.link.tell(.drop(block: number))
            guard state.entries[key]?.holders.isEmpty == true else { return nil }
            state.keys[number] = nil
            return state.entries.removeValue(forKey: key)?.original
        }
        // Freed outside the lock.
        _ = consume original
    }

    // MARK: - What hosts say

    /// A host listens for the other of its pair.
    func listens(_ pair: UInt64, at port: Int, _ host: HostConnection) {
        state.withLock { state in
            guard let (receiver, secret) = state.pending.removeValue(forKey: pair), let address = host.address else {
                return
            }
            try? state.hosts[receiver]?.link.tell(.dial(pair: pair, address: address, port: port, secret))
        }
    }

    /// A host will not get a block from where it was to get it: then from here.
    func lacks(_ number: UInt64, _ host: HostConnection) {
        state.withLock { state in
            guard let key = state.keys[number], let entry = state.entries[key], entry.holders[host.number] != nil,
                state.entries[key]?.helped.insert(host.number).inserted == true
            else { return }
            // It may not be its fault, but it is the one that has to wait.
            state.unreachable.insert(host.number)
            do throws(LinkError) {
                try host.link.tell(.keep(block: number), RawSpan(), [entry.original])
            } catch {
                // Its workers would wait for ever.
                host.close()
            }
        }
    }

    /// A host is gone.
    func forget(_ host: HostConnection) {
        state.withLock { state in
            state.hosts[host.number] = nil
            state.unreachable.remove(host.number)
            for key in state.entries.keys { state.entries[key]?.tree.remove(host.number) }
            for (pair, number) in state.pairs where pair.sender == host.number || pair.receiver == host.number {
                if pair.sender == host.number { try? state.hosts[pair.receiver]?.link.tell(.forgo(pair: number)) }
                state.pairs[pair] = nil
                state.pending[number] = nil
            }
        }
    }
}

/// A block of the driver's of which a host keeps a copy, for as long as somebody here has this.
final class HostBlock {
    /// What the host knows it by.
    let number: UInt64
    let connection: HostConnection
    private let original: SharedArray<UInt8>

    fileprivate init(_ number: UInt64, _ connection: HostConnection, _ original: SharedArray<UInt8>) {
        self.number = number
        self.connection = connection
        self.original = original
    }

    deinit { BlockDistribution.shared.drop(number, of: connection) }
}
