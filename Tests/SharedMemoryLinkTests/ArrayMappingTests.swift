import Glibc
import Synchronization
import Testing
import Wire

@testable import SharedMemoryLink

private let page = SharedMemory.pageByteCount

/// An array in an arena, as the message that another process would get.
private struct Sent<Element: Plain> {
    let arena: SegmentArena
    let peer: PeerArena
    /// The writer's.
    let segment: Segment
    let message: WireMessage

    /// - Parameter offset: Bytes of something else before the elements in the segment.
    init(_ elements: [Element], at offset: Int = 0, onRelease: @escaping @Sendable (SegmentName) -> Void = { _ in })
        throws
    {
        arena = try SegmentArena(limit: 64 << 20)
        peer = try PeerArena(arena.memory.readOnlyDescriptor(), limit: 128 << 20, onRelease: onRelease)
        let before = [UInt8](repeating: 0xEE, count: offset)
        segment = try unsafe before.withUnsafeBytes { [arena] before in
            try unsafe elements.withUnsafeBytes { try unsafe arena.allocate(copying: [before, $0]) }
        }
        message = try Sent.message(elements, in: peer.segment(segment.name), at: offset)
    }

    /// A message whose array lies in a segment.
    static func message(_ elements: [Element], in segment: Segment, at offset: Int) throws -> WireMessage {
        let block = try SharedArray<UInt8>(
            segment, byteOffset: offset, count: elements.count * MemoryLayout<Element>.stride)
        return try WireMessage(bytes: elements.wireMessage(blocksFrom: 1).bytes, blocks: [block])
    }
}

@Suite("Arrays in segments")
struct ArrayMappingTests {
    private let elements = (0..<10_000).map { Double($0) }

    @Test(
        "an array is read from the pages of its segment, wherever in them it starts",
        arguments: [0, 16, 32, 48, 64, page - 16, page, page + 16, 3 * page + 2000])
    func reads(offset: Int) throws {
        let sent = try Sent(elements, at: offset)
        let before = unsafe Array(sent.segment.bytes)
        let taken = sent.arena.memory.allocatedByteCount
        let arrays = AdoptedArrays(minimumByteCount: 1)
        let array = try [Double](wireMessage: sent.message, adopting: arrays)
        withExtendedLifetime(array) { #expect(arrays.count == 1 && arrays.isInUse) }
        #expect(array == elements)
        var copy = array
        copy[0] = -1
        copy.append(3)
        #expect(array == elements && copy.count == 10_001)
        // Neither the head nor the counts are to be seen by anyone else.
        let after = unsafe Array(sent.segment.bytes)
        #expect(after == before && sent.arena.memory.allocatedByteCount == taken)

        // These are the pages that the writer sees.
        if offset + 8 * elements.count > 2 * page + offset {
            unsafe sent.segment.bytes.storeBytes(of: 77, toByteOffset: offset + 2 * page, as: Double.self)
            #expect(array[2 * page / 8] == 77)
        }
    }

    @Test("each reader has a head of its own")
    func readers() throws {
        let sent = try Sent(elements, at: 64)
        let other = try PeerArena(sent.arena.memory.readOnlyDescriptor(), limit: 128 << 20)
        let message = try Sent.message(elements, in: other.segment(sent.segment.name), at: 64)
        let (mine, others) = (AdoptedArrays(minimumByteCount: 1), AdoptedArrays(minimumByteCount: 1))
        let array = try [Double](wireMessage: sent.message, adopting: mine)
        do {
            let copies = Array(repeating: try [Double](wireMessage: message, adopting: others), count: 1000)
            withExtendedLifetime(copies) { #expect(mine.isInUse && others.isInUse) }
            #expect(copies.allSatisfy { $0 == elements })
        }
        withExtendedLifetime(array) { #expect(mine.isInUse && !others.isInUse) }
        #expect(array == elements)
    }

    @Test("a segment is released when nobody has the array, and not before, whatever became of its keeper")
    func release() async throws {
        let released = Mutex<[SegmentName]>([])
        func read(_ arrays: AdoptedArrays) throws -> ([Double], SegmentName) {
            let sent = try Sent(elements) { name in released.withLock { $0.append(name) } }
            return (try [Double](wireMessage: sent.message, adopting: arrays), sent.segment.name)
        }
        var arrays: AdoptedArrays? = AdoptedArrays(minimumByteCount: 1)
        var (array, name) = try read(#require(arrays))
        withExtendedLifetime(array) { arrays?.dropUnused() }
        #expect(released.withLock { $0 } == [] && array == elements)
        array = []
        #expect(arrays?.isInUse == false)
        arrays?.dropUnused()
        #expect(released.withLock { $0 } == [name] && arrays?.count == 0)

        (array, name) = try read(#require(arrays))
        var slice = array[100...]
        array = []
        arrays = nil
        withExtendedLifetime(slice) { AdoptedArrays.dropUnusedLeftovers() }
        #expect(released.withLock { $0.count } == 1 && slice.elementsEqual(elements[100...]))
        slice = []
        // Another test's thread may be about to release it, if it has come first.
        let isReleased = await eventually {
            AdoptedArrays.dropUnusedLeftovers()
            return released.withLock { $0.last } == name
        }
        #expect(isReleased && released.withLock { $0.count } == 2)
    }

    @Test("bytes that are not aligned to 16, or not in the segment, get no room")
    func refusals() throws {
        let sent = try Sent(elements)
        let segment = try sent.peer.segment(sent.segment.name)
        func hasRoom(_ offset: Int, _ count: Int) -> Bool {
            let part = unsafe segment.bytes.baseAddress.map { unsafe UnsafeRawPointer($0) + offset }
            return unsafe segment.makeRoom(before: UnsafeRawBufferPointer(start: part, count: count)) != nil
        }
        #expect(hasRoom(0, 80_000) && hasRoom(16, 1))
        for (offset, count) in [(8, 8), (1, 1), (0, 0), (-16, 16), (0, 80_001), (16, 80_000), (80_000, 16)] {
            #expect(!hasRoom(offset, count), "\(offset) \(count)")
        }
        let arrays = AdoptedArrays(minimumByteCount: 1)
        let odd = try Sent(elements, at: 8)
        #expect(try [Double](wireMessage: odd.message, adopting: arrays) == elements && arrays.count == 0)
    }

    @Test("elements can't be written to, not even by who does not ask")
    func protection() async {
        await #expect(processExitsWith: .signal(SIGSEGV)) {
            let sent = try Sent((0..<10_000).map { Double($0) })
            let arrays = AdoptedArrays(minimumByteCount: 1)
            let array = try [Double](wireMessage: sent.message, adopting: arrays)
            unsafe array.withUnsafeBufferPointer { elements in
                unsafe UnsafeMutablePointer(mutating: elements.baseAddress)?.pointee = 1
            }
        }
    }

    @Test("a process that is killed with an array leaves nothing")
    func killed() async throws {
        let arena = try SegmentArena(limit: 16 << 20)
        var segment: Segment? = try unsafe elements.withUnsafeBytes { try unsafe arena.allocate(copying: [$0]) }
        let name = try #require(segment?.name)
        let held = try arena.memory.readOnlyDescriptor()
        let path = "/proc/\(getpid())/fd/\(held.number)"
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, offset = name.offset as Int] in
            let elements = (0..<10_000).map { Double($0) }
            let descriptor = Descriptor(owning: unsafe open(path, O_RDONLY | O_CLOEXEC))
            let peer = try PeerArena(descriptor, limit: 32 << 20)
            let name = SegmentName(arena: peer.identity, offset: offset, byteCount: 80_000)
            let arrays = AdoptedArrays(minimumByteCount: 1)
            let array = try [Double](
                wireMessage: Sent.message(elements, in: peer.segment(name), at: 0), adopting: arrays)
            guard array == elements, arrays.count == 1 else { exit(1) }
            withExtendedLifetime(array) { _ = kill(getpid(), SIGKILL) }
        }
        segment = nil
        arena.releaseUnused()
        #expect(arena.memory.allocatedByteCount == 0)
    }
}
