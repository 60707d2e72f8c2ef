package import Remote
import Synchronization
import Transport
import Wire

/// The captures of a body, encoded once, and the workers that have them.
package final class CaptureSet: Sendable {
    private static let nextID = Atomic<UInt64>(1)

    package let id = CaptureSet.nextID.wrappingAdd(1, ordering: .relaxed).oldValue
    /// Mangled name of the worker's `Captures` type.
    let typeName: String
    /// The values. It keeps the memory of large arrays as it is, and where it is.
    let message: WireMessage
    /// Blocks where workers of one host, or of one of its NUMA nodes, share them. Held while they are copied.
    private let shared = Mutex<[CaptureCopy: [SharedArray<UInt8>]]>([:])
    /// How many copies were made where, for who must not wait for one.
    private let copies = Mutex<[CaptureCopy]>([])
    private let placement: CapturePlacement

    /// `nil` when they have been freed.
    private let holders = Mutex<[MemberReference]?>([])

    /// - Throws: ``BodyError`` for a private type.
    package init(_ encoded: EncodedCaptures, _ placement: CapturePlacement = .perHost) throws(BodyError) {
        typeName = try encoded.typeName()
        message = encoded.message
        self.placement = placement
    }

    /// Bytes that they take on the host where they take most: those of the blocks once for each copy.
    var byteCount: Int {
        let copies = copies.withLock { $0 }
        guard copies.count > 1 else { return message.byteCount }
        let most = Dictionary(grouping: copies, by: \.memory).values.map(\.count).max() ?? 1
        return message.byteCount + (most - 1) * blockByteCount
    }

    /// The NUMA nodes that have copies of their own.
    var nodes: [Int] { copies.withLock { $0.compactMap(\.node) } }

    /// Bytes of what ``blocks(for:workerOn:)`` gives.
    private var blockByteCount: Int {
        message.blocks.reduce(isApart ? message.bytes.count : 0) { $0 + $1.count }
    }

    /// Whether the message's bytes are a block themselves: the first, before those that it has.
    var isApart: Bool { message.bytes.count >= EncodedCaptures.blockByteCount }

    /// The blocks to send along; they are put into shared memory for the first worker of a host, or of a NUMA node.
    ///
    /// - Parameter numa: The nodes that the worker was placed on; none if it was not placed.
    func blocks(for link: any Link, workerOn numa: [Int] = []) throws(LinkError) -> [SharedArray<UInt8>] {
        var blocks = message.blocks
        if isApart {
            // The array as it is: a list of plain elements that is large enough is always kept.
            guard let bytes = (try? message.bytes.wireMessage())?.blocks.first else {
                throw LinkError(code: .broken, "captures could not be sent")
            }
            blocks.insert(bytes, at: 0)
        }
        guard !blocks.isEmpty, let memory = link.sharedMemory else { return blocks }
        return try shared.withLock { shared throws(LinkError) in
            if let node = placement.node(ofWorkerOn: numa, among: link.sharedMemoryNodes) {
                let copy = CaptureCopy(memory: memory, node: node)
                if let known = shared[copy] { return known }
                if let placed = try link.share(blocks, onNode: node) {
                    add(copy, placed, to: &shared)
                    return placed
                }
            }
            let copy = CaptureCopy(memory: memory, node: nil)
            if let known = shared[copy] { return known }
            let placed = try link.share(blocks)
            add(copy, placed, to: &shared)
            return placed
        }
    }

    private func add(
        _ copy: CaptureCopy, _ blocks: [SharedArray<UInt8>], to shared: inout [CaptureCopy: [SharedArray<UInt8>]]
    ) {
        shared[copy] = blocks
        copies.withLock { $0.append(copy) }
    }

    /// Notes that a worker was told of them; false if they have been freed already, by the end of a map that was still
    /// sending: then the worker has to be told that, too.
    func wasDefined(in member: Member) -> Bool {
        holders.withLock { holders in
            holders?.removeAll { $0.member == nil }
            holders?.append(member.reference)
            return holders != nil
        }
    }

    /// Frees them in all workers.
    package func forget() {
        let holders = holders.withLock { holders in
            defer { holders = nil }
            return holders ?? []
        }
        for holder in holders { holder.member?.forget(id) }
        let segments = shared.withLock { shared in
            defer { shared = [:] }
            return shared
        }
        // Freed outside the lock, as soon as the workers have let go of them.
        _ = consume segments
    }
}

/// Captures kept in the workers from one call to the next.
///
/// Captures are the same if their types are, their bytes are equal, and their large arrays are the same memory: that can't
/// change while it is kept here, since a change of the array copies it. The least recently used go first when there are
/// more bytes than the limit; those of a running call stay.
package final class CaptureCache: Sendable {
    private struct Entry {
        let captures: CaptureSet
        var users = 0
        var byteCount: Int { captures.byteCount }
    }

    private struct State {
        /// The most recently used is last.
        var entries: [Entry] = []
        var statistics = CaptureStatistics()
    }

    /// Most bytes that unused captures may take, in the driver and in each worker.
    package let limit: Int
    /// Where what it keeps lies.
    package let placement: CapturePlacement
    private let state = Mutex(State())

    package init(limit: Int = 1 << 29, placement: CapturePlacement = .perHost) {
        precondition(limit >= 0, "a limit is not negative")
        self.limit = limit
        self.placement = placement
    }

    /// What it has done so far.
    package var statistics: CaptureStatistics {
        state.withLock { state in
            var statistics = state.statistics
            statistics.count = state.entries.count
            statistics.byteCount = state.entries.reduce(0) { $0 + $1.byteCount }
            for node in state.entries.flatMap(\.captures.nodes) { statistics.copiesOnNodes[node, default: 0] += 1 }
            return statistics
        }
    }

    /// The captures to use for a call, which ends with ``release(_:)``.
    ///
    /// - Throws: ``BodyError`` for a private type.
    package func take(_ encoded: EncodedCaptures) throws(BodyError) -> CaptureSet {
        let typeName = try encoded.typeName()
        let (captures, evicted) = try state.withLock { state throws(BodyError) -> (CaptureSet, [Entry]) in
            let index = state.entries.lastIndex { entry in
                entry.captures.typeName == typeName && entry.captures.message.isSame(as: encoded.message)
            }
            var entry: Entry
            if let index {
                entry = state.entries.remove(at: index)
                state.statistics.hits += 1
            } else {
                entry = Entry(captures: try CaptureSet(encoded, placement))
                state.statistics.misses += 1
            }
            entry.users += 1
            state.entries.append(entry)
            return (entry.captures, evict(&state))
        }
        for entry in evicted { entry.captures.forget() }
        return captures
    }

    /// Ends the use that ``take(_:)`` began.
    package func release(_ captures: CaptureSet) {
        let evicted = state.withLock { state -> [Entry] in
            guard let index = state.entries.firstIndex(where: { $0.captures === captures }) else { return [] }
            state.entries[index].users -= 1
            // What others have is not held for a map that may never come.
            if state.entries[index].users == 0, !captures.message.attachments.isEmpty {
                return [state.entries.remove(at: index)] + evict(&state)
            }
            return evict(&state)
        }
        for entry in evicted { entry.captures.forget() }
    }

    /// Frees all that no running call uses, in the workers too.
    package func clear() {
        let unused = state.withLock { state in
            defer { state.entries.removeAll { $0.users == 0 } }
            return state.entries.filter { $0.users == 0 }
        }
        for entry in unused { entry.captures.forget() }
    }

    private func evict(_ state: inout State) -> [Entry] {
        var excess = state.entries.reduce(0) { $0 + $1.byteCount } - limit
        var evicted: [Entry] = []
        for entry in state.entries where excess > 0 && entry.users == 0 {
            excess -= entry.byteCount
            evicted.append(entry)
        }
        state.entries.removeAll { entry in evicted.contains { $0.captures === entry.captures } }
        state.statistics.evictions += evicted.count
        return evicted
    }
}

/// What a pool that keeps captures has done so far.
public struct CaptureStatistics: Hashable, Sendable {
    /// Sets of captures that are kept now.
    public internal(set) var count = 0
    /// Bytes that they have, encoded: in shared memory once on each host, for arrays of numbers; else in each worker. Where
    /// NUMA nodes have copies of their own, all copies on the host that has most.
    public internal(set) var byteCount = 0
    /// How many of those sets have a copy of their own on a NUMA node, by its OS index; see
    /// ``CapturePlacement/perNUMANode``.
    public internal(set) var copiesOnNodes: [Int: Int] = [:]
    /// Maps whose captures were kept from before: nothing was sent.
    public internal(set) var hits = 0
    /// Maps whose captures were not.
    public internal(set) var misses = 0
    /// Sets that were dropped because others needed the room.
    public internal(set) var evictions = 0
}

/// A worker for as long as it takes calls.
///
/// No weak reference: an object that has one counts its references the slow way, all of them.
final class MemberReference: Sendable {
    private struct State {
        var member: Member?
    }

    private let state = Mutex(State())
    var member: Member? { state.withLock { $0.member } }

    func set(_ member: Member?) { state.withLock { $0.member = member } }
}
