import Machine
import Placement
import Remote
import Synchronization
import Testing
import Transport
import Wire

@testable import ClusterRuntime

/// The shared memory of a host with NUMA nodes that are not there, and what was put into it.
private final class Host: Sendable {
    let nodes: Set<Int>
    /// Nodes that memory can't be placed on, though the host has them.
    let refused: Set<Int>
    private let made = Mutex<[Int?]>([])

    init(nodes: Set<Int>, refused: Set<Int> = []) {
        self.nodes = nodes
        self.refused = refused
    }

    /// The node of each copy that was made; nil for one anywhere.
    var copies: [Int?] { made.withLock { $0 } }

    func copy(_ blocks: [SharedArray<UInt8>], on node: Int?) -> [SharedArray<UInt8>] {
        made.withLock { $0.append(node) }
        return blocks.map { SharedArray(Array($0)) }
    }
}

/// A worker somewhere on such a host, which notes what it is sent.
private final class PlacedWorker: LaunchedWorker, Link {
    let on: Host
    let host = "here"
    let process = 1
    let placement: PlacementPlan.Worker?
    let warnings: [String] = []
    let lastHeard = 0.0
    var link: any Link { self }
    private let sent = Mutex<[SharedArray<UInt8>]>([])

    /// The blocks that it was sent.
    var blocks: [SharedArray<UInt8>] { sent.withLock { $0 } }

    /// - Parameter nodes: Those that its CPUs belong to; nil if it is not placed.
    init(_ host: Host, nodes: [Int]?) throws {
        on = host
        placement = try nodes.map { nodes in
            // Three nodes of two CPUs; a worker of two is on one of them, one of three on two.
            let topology = try Topology(synthetic: "numa:3 core:2 pu:1")
            let cpus = nodes.count == 1 ? [2 * nodes[0], 2 * nodes[0] + 1] : [1, 2, 3]
            let plan = try PlacementPlan(PlacementRequest(cpus: cpus, threads: cpus.count), on: topology)
            #expect(plan.workers[0].numa == nodes)
            return plan.workers[0]
        }
    }

    var sharedMemory: ObjectIdentifier? { ObjectIdentifier(on) }
    var sharedMemoryNodes: Set<Int> { on.nodes }
    func share(_ blocks: [SharedArray<UInt8>]) throws(LinkError) -> [SharedArray<UInt8>] { on.copy(blocks, on: nil) }
    func share(_ blocks: [SharedArray<UInt8>], onNode node: Int) throws(LinkError) -> [SharedArray<UInt8>]? {
        on.refused.contains(node) ? nil : on.copy(blocks, on: node)
    }

    func send(_ bytes: RawSpan, _ blocks: [SharedArray<UInt8>]) throws(LinkError) { sent.withLock { $0 += blocks } }
    func start(
        onFrame: @escaping @Sendable (inout WireReader) -> Void, onEnd: @escaping @Sendable (LinkError?) -> Void
    ) {}
    func close() {}
    func adopt(
        as id: WorkerID, heartbeatLimit: Duration, onFrame: @escaping @Sendable (inout WireReader) -> Void,
        onEnd: @escaping @Sendable (LinkError?) -> Void
    ) async {}
    func end() async -> WorkerEnd { WorkerEnd(cause: .removed) }
    func kill() {}
}

/// Waits for nothing.
private final class Deaf: CallReceiver {
    func receive(_ reply: inout WireReader, for batch: Range<Int>, from member: Member) {}
    func fail(_ error: any Error, for batch: Range<Int>, of member: Member) {}
}

/// An array that is large enough for a block of its own.
private let table = (0..<10_000).map { Double($0) }
private let tableByteCount = 80_000

/// Whether two arrays are the same memory.
private func isSame(_ one: SharedArray<UInt8>?, _ other: SharedArray<UInt8>?) -> Bool {
    func start(_ array: SharedArray<UInt8>?) -> UInt? {
        unsafe array?.span.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
    }
    return start(one) == start(other)
}

@Suite("Where captures are placed")
struct CapturePlacementTests {
    private let function: FunctionReference

    init() throws {
        function = try RemoteFunction { (x: Int, table: [Double]) in x + table.count }.reference
    }

    /// Calls with the captures on each worker, and again; returns what each was sent.
    private func call(_ workers: [PlacedWorker], _ captures: CaptureSet) throws -> [SharedArray<UInt8>] {
        let members = workers.enumerated().map { Member(id: WorkerID($0.offset + 2), launched: $0.element) }
        for member in members + members { try member.call(function, captures, for: 0..<1, of: Deaf()) { _ in } }
        for worker in workers { try #require(worker.blocks.count == 1) }
        return workers.map { $0.blocks[0] }
    }

    private func captures(_ placement: CapturePlacement) throws -> CaptureSet {
        try CaptureSet(EncodedCaptures(table, file: #fileID, line: #line), placement)
    }

    @Test("a worker on one node gets that node's copy, if its host has several that memory can be placed on")
    func choice() {
        let expected: [(numa: [Int], nodes: Set<Int>, Int?)] = [
            ([0], [0, 1], 0), ([1], [0, 1], 1), ([5], [1, 5, 7], 5),
            // Spread over nodes, or placed nowhere.
            ([0, 1], [0, 1], nil), ([], [0, 1], nil),
            // A node without memory, or outside the cpuset; one node only; none can be told.
            ([2], [0, 1], nil), ([0], [0], nil), ([0], [], nil),
        ]
        for (numa, nodes, node) in expected {
            #expect(CapturePlacement.perNUMANode.node(ofWorkerOn: numa, among: nodes) == node, "\(numa) of \(nodes)")
            #expect(CapturePlacement.perHost.node(ofWorkerOn: numa, among: nodes) == nil)
        }
    }

    @Test("one copy is made for all workers of a node, and one for all that are on none")
    func perNode() throws {
        let host = Host(nodes: [0, 1])
        let workers = try [[1], [0], [1], nil, [0], [0, 1], [1]].map { try PlacedWorker(host, nodes: $0) }
        let captures = try captures(.perNUMANode)
        let blocks = try call(workers, captures)
        #expect(host.copies == [1, 0, nil])
        for (indices, others) in [([0, 2, 6], [1, 3]), ([1, 4], [0, 3]), ([3, 5], [0, 1])] {
            #expect(indices.allSatisfy { isSame(blocks[$0], blocks[indices[0]]) })
            #expect(others.allSatisfy { !isSame(blocks[$0], blocks[indices[0]]) })
        }
        #expect(blocks.allSatisfy { $0.count == tableByteCount })
        #expect(captures.byteCount >= 3 * tableByteCount && captures.byteCount < 3 * tableByteCount + 1000)
        #expect(captures.nodes.sorted() == [0, 1])
    }

    @Test("unless asked for, and on a host with one node, there is one copy for all", arguments: [1, 2])
    func perHost(count: Int) throws {
        let host = Host(nodes: Set(0..<count))
        let workers = try [[0], nil, [0]].map { try PlacedWorker(host, nodes: $0) }
        let captures = try captures(count == 1 ? .perNUMANode : .perHost)
        let blocks = try call(workers, captures)
        #expect(host.copies == [nil] && blocks.allSatisfy { isSame($0, blocks[0]) })
        #expect(captures.byteCount < tableByteCount + 1000 && captures.nodes.isEmpty)
    }

    @Test("workers of a node that memory can't be placed on have the copy that all have in common")
    func refused() throws {
        let host = Host(nodes: [0, 1], refused: [0, 1])
        let workers = try [[0], [1], nil].map { try PlacedWorker(host, nodes: $0) }
        let blocks = try call(workers, captures(.perNUMANode))
        #expect(host.copies == [nil] && blocks.allSatisfy { isSame($0, blocks[0]) })
    }

    @Test("hosts have copies of their own, and the bytes of a set are those of the host that has most")
    func hosts() throws {
        let (one, other) = (Host(nodes: [0, 1]), Host(nodes: [0, 1, 2]))
        let captures = try captures(.perNUMANode)
        _ = try call([PlacedWorker(one, nodes: [0]), PlacedWorker(one, nodes: [1])], captures)
        _ = try call([0, 1, 2].map { try PlacedWorker(other, nodes: [$0]) }, captures)
        #expect(one.copies == [0, 1] && other.copies == [0, 1, 2])
        #expect(captures.byteCount >= 3 * tableByteCount && captures.byteCount < 3 * tableByteCount + 1000)
    }

    @Test("the same array is the same captures whatever copies there are, and all copies count against the limit")
    func cache() throws {
        let host = Host(nodes: [0, 1])
        let workers = try [[0], [1]].map { try PlacedWorker(host, nodes: $0) }
        let cache = CaptureCache(limit: 2 * tableByteCount + 10_000, placement: .perNUMANode)
        let encoded = try EncodedCaptures(table, file: #fileID, line: #line)
        let first = try cache.take(encoded)
        _ = try call(workers, first)
        cache.release(first)
        let again = try cache.take(EncodedCaptures(table, file: #fileID, line: #line))
        #expect(again === first && cache.statistics.copiesOnNodes == [0: 1, 1: 1])
        cache.release(again)
        #expect(cache.statistics.count == 1 && cache.statistics.byteCount >= 2 * tableByteCount)

        // Once more as large: with two copies each there is room for one of the two.
        let other = try cache.take(EncodedCaptures(table.map { $0 + 1 }, file: #fileID, line: #line))
        _ = try call([[0], [1]].map { try PlacedWorker(host, nodes: $0) }, other)
        cache.release(other)
        #expect(cache.statistics.count == 1 && cache.statistics.evictions == 1)
        #expect(host.copies == [0, 1, 0, 1])
    }
}
