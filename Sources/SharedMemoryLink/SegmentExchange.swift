import Synchronization
package import Transport
package import Wire

/// The large arrays that cross one link: put into segments of this side's arena, found in those of the other's.
///
/// A segment that was named to the other side is kept until that says that it has done with it, or the link ends.
package final class SegmentExchange: Sendable {
    private struct State {
        /// This side's segments that the other has, by offset, and how often it was given each.
        var lent: [Int: (segment: Segment, count: Int)] = [:]
        var isEnded = false

        /// The other side has done with a segment once; nil if it was not given it.
        mutating func takeBack(_ offset: Int) -> Segment? {
            guard let known = lent[offset] else { return nil }
            lent[offset] = known.count > 1 ? (known.segment, known.count - 1) : nil
            return known.segment
        }
    }

    /// The other side's arena, mapped when the first segment of it is named: most workers never send one.
    private struct Peer: ~Copyable {
        var descriptor: Descriptor?
        var arena: PeerArena?
        /// Let go of when the other side's memory is not read any more.
        var hold: (any AnyObject & Sendable)?
    }

    private let arena: @Sendable () throws(SharedMemoryError) -> SegmentArena
    private let peer: Mutex<Peer>
    private let isTrusted: Bool
    private let placing: NodePlacing?
    private let state = Mutex(State())
    private let returns = Returns()

    /// What the peer's arena tells when a segment is done with; it is made before the exchange.
    private final class Returns: Sendable {
        private struct State {
            var offsets: [Int] = []
            var isWanted = false
            /// Told of the first since they were taken.
            var onNews: (@Sendable () -> Void)?
        }
        private let state = Mutex(State())

        func add(_ offset: Int) {
            let onNews = state.withLock { state in
                defer { state.isWanted = true }
                state.offsets.append(offset)
                return state.isWanted ? nil : state.onNews
            }
            guard let onNews else { return }
            // Not here: whoever lets go of the last reference may hold the locks that sending takes.
            Poller.links.perform(onNews)
        }

        func take() -> [Int] {
            state.withLock { state in
                defer {
                    state.offsets = []
                    state.isWanted = false
                }
                return state.offsets
            }
        }

        func notify(_ action: (@Sendable () -> Void)?) { state.withLock { $0.onNews = action } }
    }

    /// - Parameters:
    ///   - arena: Where this side's segments lie; asked for when the first is sent.
    ///   - peer: Descriptor of the other side's arena.
    ///   - isTrusted: Whether the other side is this process's driver.
    ///   - placing: The NUMA nodes of this host; without, segments are placed on none.
    package init(
        _ arena: @escaping @Sendable () throws(SharedMemoryError) -> SegmentArena, peer: consuming Descriptor,
        isTrusted: Bool = false, placing: NodePlacing? = nil
    ) {
        self.arena = arena
        self.placing = placing
        self.isTrusted = isTrusted
        self.peer = Mutex(Peer(descriptor: .some(peer)))
    }

    private func own() throws(LinkError) -> SegmentArena {
        do { return try arena() } catch { throw LinkError(code: .outOfMemory, "\(error)") }
    }

    /// The other side's arena, if a segment of it was ever named.
    private var knownPeer: PeerArena? { peer.withLock { $0.arena } }

    private func mappedPeer() throws(SharedMemoryError) -> PeerArena {
        try peer.withLock { peer throws(SharedMemoryError) in
            if let arena = peer.arena { return arena }
            guard let descriptor = peer.descriptor.take() else {
                throw SharedMemoryError(.untrusted, "the other side's memory could not be mapped before")
            }
            let limit = SegmentExchange.peerLimit
            let arena = try PeerArena(descriptor, limit: limit, isTrusted: isTrusted, keeping: peer.hold) { [returns] in
                returns.add($0.offset)
            }
            peer.arena = arena
            return arena
        }
    }

    /// Largest arena of a peer, in bytes of addresses.
    private static let peerLimit = 1 << 46

    /// Calls `action` on the poller's thread when there are ``takeReleases()`` to send, until the exchange ends.
    package func whenReleased(_ action: @escaping @Sendable () -> Void) { returns.notify(action) }

    /// Offsets to tell the other side in a frame of ``FrameKind/releases``.
    package func takeReleases() -> [UInt8] {
        let words = returns.take().map { UInt64($0) }
        // SAFETY: integers are initialised bytes.
        return unsafe words.withUnsafeBytes { unsafe [UInt8]($0) }
    }

    /// Keeps `hold` until the link has ended and no segment of the other side's is referenced here; once, before any is.
    package func keep(_ hold: any AnyObject & Sendable) { peer.withLock { $0.hold = hold } }

    /// The link has ended, but the other side goes on and may read what it was lent: that stays until ``end()``.
    package func leave() {
        returns.notify(nil)
        state.withLock { $0.isEnded = true }
        // Segments that are referenced keep the arena, and what that keeps. Else both are freed here, outside the lock.
        var left = Peer()
        peer.withLock { swap(&$0, &left) }
    }

    /// The link has ended, and the other side does not read any more: nothing is kept for it.
    package func end() {
        returns.notify(nil)
        let lent = state.withLock { state in
            state.isEnded = true
            defer { state.lent = [:] }
            return state.lent
        }
        // Freed here, outside the lock.
        _ = consume lent
    }

    // MARK: - Sending

    /// What the links of one host have in common.
    package var memory: ObjectIdentifier? { (try? arena()).map { ObjectIdentifier($0) } }

    /// Arrays with the same bytes that lie in this side's arena.
    package func share(_ blocks: [SharedArray<UInt8>]) throws(LinkError) -> [SharedArray<UInt8>] {
        let own = try own()
        var shared: [SharedArray<UInt8>] = []
        for block in blocks {
            if let place = block.segmentPlace, place.segment.name.arena == own.identity {
                shared.append(block)
            } else {
                shared.append(try copy(block, to: own))
            }
        }
        return shared
    }

    /// The NUMA nodes that ``share(_:onNode:)`` tells apart.
    package var nodes: Set<Int> { placing?.nodes ?? [] }

    /// How many pages of a segment are looked at whether they lie where they should.
    private static let checkedPages = 64

    /// Arrays with the same bytes that lie in this side's arena, in pages of a NUMA node.
    ///
    /// - Returns: nil if they can't be placed there, after that was told.
    package func share(_ blocks: [SharedArray<UInt8>], onNode node: Int) throws(LinkError) -> [SharedArray<UInt8>]? {
        guard let placing, placing.nodes.contains(node) else { return nil }
        let own = try own()
        var shared: [SharedArray<UInt8>] = []
        var (strayed, looked) = (0, 0)
        for block in blocks {
            if let place = block.segmentPlace, own.node(of: place.segment.name) == node {
                shared.append(block)
                continue
            }
            do throws(SharedMemoryError) {
                let copy = try SharedArray(copying: block.span, in: own, onNode: node)
                shared.append(copy)
                if let places = copy.segmentPlace?.segment.nodes(sampling: SegmentExchange.checkedPages) {
                    looked += places.count
                    strayed += places.count { $0 != node }
                }
            } catch {
                guard error.code == .notPlaced else { throw LinkError(code: .outOfMemory, "\(error)") }
                placing.giveUp(error)
                return nil
            }
        }
        if strayed > 0 { placing.strayed(strayed, of: looked, from: node) }
        return shared
    }

    private func copy(
        _ block: SharedArray<UInt8>, to own: SegmentArena
    ) throws(LinkError) -> SharedArray<UInt8> {
        do {
            return try SharedArray(copying: block.span, in: own)
        } catch {
            throw LinkError(code: .outOfMemory, "\(error)")
        }
    }

    /// Takes back what ``name(_:)`` counted, because the table was not sent.
    package func takeBack(_ table: [UInt8]) {
        // SAFETY: every byte of a span of `UInt8` is initialised.
        guard let (table, _) = BlockTable.read(unsafe table.span.bytes) else { return }
        var freed: [Segment] = []
        state.withLock { state in
            for entry in table.entries where !entry.isReceivers {
                if let segment = state.takeBack(entry.segment.offset) { freed.append(segment) }
            }
        }
    }

    /// The table that names blocks to the other side; until it is sent, the caller keeps them.
    package func name(_ blocks: [SharedArray<UInt8>]) throws(LinkError) -> [UInt8] {
        let own = try own()
        let peer = knownPeer?.identity
        var entries: [BlockTable.Entry] = []
        var lent: [Segment] = []
        for block in blocks {
            // An array that a body was given, and gives back as it is, lies in a segment already.
            var place = unsafe block.segmentPlace ?? block.span.withUnsafeBytes { unsafe ArrayMapping.place(of: $0) }
            if place == nil || place?.segment.name.arena != own.identity && place?.segment.name.arena != peer {
                place = try copy(block, to: own).segmentPlace
            }
            guard let (segment, byteOffset) = place else {
                throw LinkError(code: .broken, "an empty array can't be a block of a message")
            }
            let isReceivers = segment.name.arena == peer
            if !isReceivers { lent.append(segment) }
            entries.append(
                BlockTable.Entry(
                    isReceivers: isReceivers, segment: segment.name, byteOffset: byteOffset, byteCount: block.count))
        }
        state.withLock { state in
            guard !state.isEnded else { return }
            for segment in lent { state.lent[segment.name.offset, default: (segment, 0)].count += 1 }
        }
        return BlockTable(entries).bytes
    }

    // MARK: - Receiving

    /// Hands on the message in a frame, with its blocks; or handles what else it is.
    ///
    /// - Throws: ``LinkError/Code/broken`` for what is no such frame.
    package func open(
        _ frame: RawSpan, _ kind: FrameKind, _ body: (RawSpan, [SharedArray<UInt8>]) -> Void
    ) throws(LinkError) {
        switch kind {
        case .message: body(frame, [])
        case .messageWithBlocks:
            guard let (table, tableByteCount) = BlockTable.read(frame) else {
                throw LinkError(code: .broken, "the other side named blocks in a form of its own")
            }
            var blocks: [SharedArray<UInt8>] = []
            var taken: [(start: UInt, end: UInt)] = []
            for entry in table.entries {
                let block = try find(entry)
                let start = unsafe block.span.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
                taken.append((start, start + UInt(block.count)))
                blocks.append(block)
            }
            // No message has the same memory twice; else a few bytes could stand for more than there is.
            taken.sort { $0.start < $1.start }
            guard zip(taken, taken.dropFirst()).allSatisfy({ $0.end <= $1.start }) else {
                throw LinkError(code: .broken, "the other side named the same memory twice in a message")
            }
            body(frame.extracting(droppingFirst: tableByteCount), blocks)
        case .releases: try takeBack(frame)
        }
    }

    private func find(_ entry: BlockTable.Entry) throws(LinkError) -> SharedArray<UInt8> {
        do {
            let segment =
                try entry.isReceivers ? arena().segment(entry.segment) : mappedPeer().segment(entry.segment)
            return try SharedArray(segment, byteOffset: entry.byteOffset, count: entry.byteCount)
        } catch {
            throw LinkError(code: .broken, "\(error)")
        }
    }

    private func takeBack(_ frame: RawSpan) throws(LinkError) {
        var freed: [Segment] = []
        let isGood = state.withLock { state in
            guard frame.byteCount % 8 == 0 else { return false }
            for index in 0..<frame.byteCount / 8 {
                // SAFETY: in bounds; any 64 bits are an integer.
                let word = unsafe frame.unsafeLoadUnaligned(fromUncheckedByteOffset: index * 8, as: UInt64.self)
                guard let offset = Int(exactly: word), let segment = state.takeBack(offset) else { return false }
                freed.append(segment)
            }
            return true
        }
        guard isGood || state.withLock({ $0.isEnded }) else {
            throw LinkError(code: .broken, "the other side gave back a segment that it was not given")
        }
    }
}
