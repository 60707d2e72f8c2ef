import Glibc
import Machine
import Testing

/// Pages of this process, given back at the end.
@safe
private final class Mapping {
    static let pageByteCount = Int(sysconf(CInt(_SC_PAGESIZE)))
    let bytes: UnsafeMutableRawBufferPointer

    /// Nobody has touched them; huge pages are kept away, so that one page is one page.
    init(pages: Int, shared: Bool = false) throws {
        let count = pages * Mapping.pageByteCount
        let flags = (shared ? MAP_SHARED : MAP_PRIVATE) | MAP_ANONYMOUS
        let base = unsafe mmap(nil, count, PROT_READ | PROT_WRITE, flags, -1, 0)
        try #require(unsafe base != MAP_FAILED)
        unsafe bytes = UnsafeMutableRawBufferPointer(start: base, count: count)
        unsafe madvise(base, count, MADV_NOHUGEPAGE)
    }

    deinit { unsafe munmap(bytes.baseAddress, bytes.count) }

    func write(to pages: Range<Int>) {
        for page in pages { unsafe bytes.storeBytes(of: 1, toByteOffset: page * Mapping.pageByteCount, as: UInt8.self) }
    }

    subscript(range: Range<Int>) -> UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(rebasing: bytes[range])
    }
}

/// Where pages lie; nil, aloud, where a container forbids to ask.
private func look(_ body: () throws -> PageNodes) throws -> PageNodes? {
    do {
        return try body()
    } catch let error as PageNodesError {
        try #require([EPERM, ENOSYS].contains(error.errno), "\(error)")
        print("skipped: \(error)")
        return nil
    }
}

/// The nodes that pages of this process may be on.
private let nodes = (try? MemoryPolicy.allowedNodes()) ?? [0]

@Suite("Nodes of pages")
struct PageNodesTests {
    @Test("pages that were written to are on a node, others are absent", arguments: [false, true])
    func touched(shared: Bool) throws {
        let memory = try Mapping(pages: 3000, shared: shared)
        memory.write(to: 0..<1100)
        guard let found = try look({ try unsafe PageNodes(of: memory[0..<memory.bytes.count]) }) else { return }
        #expect(found.nodes.isSubset(of: nodes))
        #expect(found.pageCounts.values.reduce(0, +) == 1100 && found.absentCount == 1900 && found.count == 3000)
        #expect(found.pageByteCount == Mapping.pageByteCount)
    }

    @Test("memory on one node is on that node")
    func bound() throws {
        guard let node = nodes.max(), let former = try? MemoryPolicy.ofCurrentThread(),
            (try? MemoryPolicy.bind([node]).setForCurrentThread()) != nil
        else { return print("skipped: memory policies can't be set here") }
        let memory = try Mapping(pages: 100)
        memory.write(to: 0..<100)
        try former.setForCurrentThread()
        guard let found = try look({ try unsafe PageNodes(of: memory[0..<memory.bytes.count]) }) else { return }
        #expect(found.pageCounts == [node: 100])
    }

    @Test("a sample is as many pages, spread over all", arguments: [1, 2, 10, 100, 1000])
    func sampled(limit: Int) throws {
        let memory = try Mapping(pages: 100)
        memory.write(to: 0..<50)
        guard let found = try look({ try unsafe PageNodes(of: memory[0..<memory.bytes.count], sampling: limit) })
        else { return }
        let count = min(limit, 100)
        #expect(found.count == count && found.absentCount == count / 2)
    }

    @Test("a page counts if one byte of it is asked for, and no other does")
    func unaligned() throws {
        let page = Mapping.pageByteCount
        let memory = try Mapping(pages: 4)
        memory.write(to: 1..<3)
        let expected: [(Range<Int>, present: Int, absent: Int)] = [
            (0..<0, 0, 0), (page..<page, 0, 0), (page - 1..<page, 0, 1), (page - 1..<page + 1, 1, 1),
            (page..<2 * page, 1, 0), (2 * page - 1..<2 * page + 1, 2, 0), (page + 7..<2 * page + 6, 2, 0),
            (1..<4 * page - 1, 2, 2),
        ]
        for (range, present, absent) in expected {
            guard let found = try look({ try unsafe PageNodes(of: memory[range]) }) else { return }
            #expect(found.pageCounts.values.reduce(0, +) == present && found.absentCount == absent, "\(range)")
        }
    }

    @Test("addresses of nothing are absent: unmapped, the kernel's, up to the last there is")
    func hostile() throws {
        let page = UInt(Mapping.pageByteCount)
        for start in [page, UInt(1) << 47, 0 &- 3 * page] {
            let bytes = unsafe UnsafeRawBufferPointer(start: UnsafeRawPointer(bitPattern: start), count: Int(3 * page))
            guard let found = try look({ try unsafe PageNodes(of: bytes) }) else { return }
            #expect(found.pageCounts.isEmpty && found.absentCount == 3, "\(start)")
        }
        let all = unsafe UnsafeRawBufferPointer(start: UnsafeRawPointer(bitPattern: page), count: .max)
        guard let found = try look({ try unsafe PageNodes(of: all, sampling: 2) }) else { return }
        #expect(found.count == 2)
        #expect(try unsafe PageNodes(of: UnsafeRawBufferPointer(start: nil, count: 0)).count == 0)
    }

    @Test("an array's pages are read before they are looked at, so that none is absent")
    func array() throws {
        let array = [UInt64](repeating: 7, count: 1 << 17)
        guard let whole = try look({ try PageNodes(of: array) }) else { return }
        #expect(whole.absentCount == 0 && whole.nodes.isSubset(of: nodes))
        // 1 MiB, and a page more where it does not begin with one.
        let pages = (1 << 20) / Mapping.pageByteCount
        #expect([pages, pages + 1].contains(whole.count))
        #expect(try PageNodes(of: array.span, sampling: 5).count == 5)
        #expect(try PageNodes(of: [Double]().span).count == 0)
    }

    @Test("what was found is a line to print")
    func description() throws {
        let memory = try Mapping(pages: 3)
        guard let found = try look({ try unsafe PageNodes(of: memory[0..<memory.bytes.count]) }) else { return }
        #expect("\(found)" == "3 pages of \(Mapping.pageByteCount) bytes: 3 absent")
    }

    @Test("huge pages are counted by the usual pages that they are made of")
    func huge() throws {
        let size = 8 << 20
        let base = unsafe mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        try #require(unsafe base != MAP_FAILED)
        defer { unsafe munmap(base, size) }
        unsafe madvise(base, size, MADV_HUGEPAGE)
        let bytes = unsafe UnsafeMutableRawBufferPointer(start: base, count: size)
        unsafe bytes.initializeMemory(as: UInt8.self, repeating: 1)
        guard let found = try look({ try unsafe PageNodes(of: UnsafeRawBufferPointer(bytes)) }) else { return }
        #expect(found.count == size / Mapping.pageByteCount && found.absentCount == 0)
    }
}
