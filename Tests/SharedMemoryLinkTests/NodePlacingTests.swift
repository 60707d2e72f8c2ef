import Glibc
import Synchronization
import Testing
import Wire

@testable import SharedMemoryLink

private let page = SharedMemory.pageByteCount

/// Every machine has node 0; whether memory can be placed there is the container's to say.
private let node = 0

/// Does what places memory; says so aloud where a container forbids it.
private func place(_ body: () throws -> Void) throws {
    do {
        try body()
    } catch let error as SharedMemoryError where error.code == .notPlaced {
        try #require(error.description.contains("container"), "\(error)")
        print("skipped: \(error)")
    }
}

private func bytes(_ count: Int) -> SharedArray<UInt8> {
    SharedArray((0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) })
}

@Suite("Segments on NUMA nodes")
struct NodePlacingTests {
    private let arena: SegmentArena

    init() throws {
        arena = try SegmentArena(limit: 64 * page, keptLimit: 64 * page)
    }

    private func offset(_ array: SharedArray<UInt8>) throws -> Int {
        try #require(array.segmentPlace).segment.name.offset
    }

    @Test("the pages of a segment come from its node, and only the next segment there gets them again")
    func placed() throws {
        try place {
            let source = bytes(20 * page)
            var placed: SharedArray<UInt8>? = try SharedArray(copying: source.span, in: arena, onNode: node)
            let segment = try #require(placed?.segmentPlace?.segment)
            let first = segment.name.offset
            #expect(arena.node(of: segment.name) == node && arena.memory.preferredNode(at: first) == node)
            #expect(arena.memory.preferredNode(at: first + 19 * page) == node)
            // nil where a container forbids to look.
            let nodes = segment.nodes(sampling: 1000)
            #expect(nodes == nil || nodes == Array(repeating: node, count: 20))
            let isSame = unsafe segment.bytes.elementsEqual((0..<20 * page).map { UInt8(truncatingIfNeeded: $0 &* 7) })
            #expect(isSame)

            let plain = try SharedArray(copying: source.span, in: arena)
            let name = try #require(plain.segmentPlace).segment.name
            #expect(arena.node(of: name) == nil && arena.memory.preferredNode(at: name.offset) == nil)
            #expect(arena.usedByteCount == 40 * page)
            withExtendedLifetime((segment, plain)) {}
            placed = nil
        }
        // Whatever was made is free now.
        #expect(arena.usedByteCount == 0)
    }

    @Test("what was freed on a node is used again there, and nowhere else")
    func recycled() throws {
        try place {
            let first = try offset(SharedArray(copying: bytes(20 * page).span, in: arena, onNode: node))
            let plain = try SharedArray(copying: bytes(20 * page).span, in: arena)
            #expect(try offset(plain) != first)
            let taken = arena.memory.allocatedByteCount
            let second = try SharedArray(copying: bytes(20 * page).span, in: arena, onNode: node)
            #expect(try offset(second) == first && arena.memory.allocatedByteCount == taken)
        }
    }

    @Test("pages that have memory from anywhere give it back before they belong to a node")
    func releasedBefore() throws {
        // All addresses, but for as many as the limit leaves free.
        let held = try arena.allocate(byteCount: page)
        do { _ = try arena.allocate(byteCount: 60 * page) }
        #expect(arena.keptByteCount == 60 * page)
        try place {
            // Behind those are 67 pages: the second of these two has to take some that are kept.
            let one = try arena.allocate(byteCount: 30 * page, on: node)
            let two = try arena.allocate(byteCount: 32 * page, on: node)
            for segment in [one, two] {
                #expect(arena.memory.preferredNode(at: segment.name.offset) == node)
                unsafe segment.bytes.initializeMemory(as: UInt8.self, repeating: 1)
            }
            #expect(arena.memory.allocatedByteCount <= 64 * page)
        }
        withExtendedLifetime(held) {}
    }

    @Test("addresses that no node needs any more serve others, without its policy")
    func withdrawn() throws {
        try place {
            do { _ = try arena.allocate(byteCount: 60 * page, on: node) }
            let first = try arena.allocate(byteCount: 4 * page)
            var hole: Segment? = try arena.allocate(byteCount: 20 * page)
            let last = try arena.allocate(byteCount: 4 * page)
            withExtendedLifetime(hole) {}
            hole = nil
            // 40 pages behind these, and 20 between them.
            let large = try arena.allocate(byteCount: 50 * page)
            #expect(large.name.offset == 0 && arena.node(of: large.name) == nil)
            #expect(arena.memory.preferredNode(at: 0) == nil && arena.memory.preferredNode(at: 49 * page) == nil)
            withExtendedLifetime((first, last)) {}
        }
    }

    @Test("a node that is not there is an error that says so, and takes nothing", arguments: [900, 1 << 20, .max])
    func noSuchNode(node: Int) throws {
        let error = #expect(throws: SharedMemoryError.self) { try arena.allocate(byteCount: 20 * page, on: node) }
        #expect(error?.code == .notPlaced && error?.description.contains("NUMA node \(node)") == true)
        #expect(arena.usedByteCount == 0 && arena.memory.allocatedByteCount == 0)
        let segment = try arena.allocate(byteCount: 60 * page)
        #expect(arena.memory.preferredNode(at: segment.name.offset) == nil)
    }

    @Test("why memory can't be placed, and what helps, depends on what the system said")
    func reasons() {
        let cures = [EPERM: "CAP_SYS_NICE", ENOSYS: "seccomp", EINVAL: "cpuset", ENOMEM: "max_map_count"]
        for (code, cure) in cures {
            let error = SharedMemoryError(node: 3, errno: code)
            #expect(error.code == .notPlaced && error.description.contains("node 3"))
            #expect(error.description.contains(cure))
        }
    }

    // MARK: - For links

    /// What users are told.
    private final class Said: Sendable {
        private let texts = Mutex<[String]>([])
        var all: [String] { texts.withLock { $0 } }
        func add(_ text: String) { texts.withLock { $0.append(text) } }
    }

    private func exchange(nodes: Set<Int>, _ said: Said) throws -> SegmentExchange {
        SegmentExchange(
            { [arena] () throws(SharedMemoryError) in arena }, peer: try arena.memory.readOnlyDescriptor(),
            placing: NodePlacing(nodes: { nodes }, warn: { said.add($0) }))
    }

    @Test("blocks are copied to a node once, whether they lie elsewhere or in a segment of no node")
    func shares() throws {
        let said = Said()
        let exchange = try exchange(nodes: [node, 900], said)
        #expect(exchange.nodes == [node, 900])
        let plain = try SharedArray(copying: bytes(3 * page).span, in: arena)
        guard let copies = try exchange.share([bytes(2 * page), plain], onNode: node) else {
            return print("skipped: \(said.all)")
        }
        #expect(copies.map(\.count) == [2 * page, 3 * page])
        for (copy, source) in zip(copies, [bytes(2 * page), bytes(3 * page)]) {
            #expect(Array(copy) == Array(source))
            #expect(try arena.node(of: #require(copy.segmentPlace).segment.name) == node)
        }
        #expect(try offset(copies[1]) != offset(plain))
        // What lies there already is not copied again, and what lies on a node is good enough for all.
        #expect(try exchange.share(copies, onNode: node)?.map(offset) == copies.map(offset))
        #expect(try exchange.share(copies).map(offset) == copies.map(offset))
        #expect(said.all == [])
    }

    @Test("where memory can't be placed that is said once, and from then on there are no nodes")
    func givesUp() throws {
        let said = Said()
        let exchange = try exchange(nodes: [node, 900], said)
        for _ in 0..<3 {
            #expect(try exchange.share([bytes(page)], onNode: 900) == nil)
            #expect(exchange.nodes == [])
        }
        #expect(try exchange.share([bytes(page)], onNode: node) == nil)
        #expect(said.all.count == 1)
        #expect(said.all.first?.contains("NUMA node 900") == true)
        #expect(said.all.first?.contains("one copy of captured data serves all nodes") == true)
        #expect(arena.usedByteCount == 0)
    }

    @Test("one node is none to tell apart, and a node that is not among them gets no copy")
    func few() throws {
        let said = Said()
        #expect(try exchange(nodes: [node], said).nodes == [])
        #expect(try exchange(nodes: [], said).nodes == [])
        #expect(try exchange(nodes: [node], said).share([bytes(page)], onNode: node) == nil)
        #expect(try exchange(nodes: [node, 900], said).share([bytes(page)], onNode: 7) == nil)
        #expect(said.all == [])
    }

    @Test("a full node is told of once, with what was found")
    func strayed() {
        let said = Said()
        let placing = NodePlacing(nodes: { [0, 1] }, warn: { said.add($0) })
        placing.strayed(3, of: 64, from: 1)
        placing.strayed(5, of: 64, from: 0)
        #expect(said.all.count == 1 && said.all[0].hasPrefix("NUMA node 1 is short of memory: of 64 pages"))
        #expect(placing.nodes == [0, 1])
    }
}
