internal import CPlatform
internal import Glibc

/// On which NUMA nodes the pages of some memory really lie, as the kernel has it.
///
/// A policy says where pages shall come from; a node that is full, or pages that were there before, may have made it
/// otherwise. In a body:
///
/// ```swift
/// let sums = try await cluster.pmap(1...8, capturing: table) { i, table in
///     print(try PageNodes(of: table, sampling: 1000))   // 1000 pages of 4096 bytes: 1000 on node 1
///     return table.reduce(0, +)
/// }
/// ```
///
/// A huge page counts as the pages of the usual size that it is made of.
public struct PageNodes: Hashable, Sendable {
    /// Pages by the node they are on; those that were looked at.
    public let pageCounts: [Int: Int]
    /// Pages that are on no node: never written to, or swapped out; or, in memory that processes share, not yet touched
    /// by this one. Addresses of nothing count as well.
    public let absentCount: Int
    /// Bytes of a page.
    public let pageByteCount: Int

    /// The nodes that have any of the pages.
    public var nodes: Set<Int> { Set(pageCounts.keys) }

    /// Number of pages that were looked at.
    public var count: Int { pageCounts.values.reduce(absentCount, +) }

    /// Looks where the pages of an array are.
    ///
    /// Each page that is looked at is read first: memory that another process has filled shows in this one's page tables
    /// only then.
    ///
    /// - Parameters:
    ///   - array: What the pages hold; they need not begin or end with it.
    ///   - limit: Most pages to look at, spread evenly; all unless told.
    /// - Throws: ``PageNodesError`` with the reason, where a container forbids the call, say.
    /// - Complexity: O(pages looked at), about 0.3 µs each, and their page faults.
    public init<Element: BitwiseCopyable>(of array: [Element], sampling limit: Int = .max) throws(PageNodesError) {
        try self.init(of: array.span, sampling: limit)
    }

    /// The same for elements that lie somewhere, one behind the other.
    public init<Element: BitwiseCopyable>(
        of elements: Span<Element>, sampling limit: Int = .max
    ) throws(PageNodesError) {
        self = try unsafe elements.withUnsafeBytes { bytes throws(PageNodesError) in
            try unsafe PageNodes(of: bytes, sampling: limit, isReadable: true)
        }
    }

    /// The same for bytes.
    public init(of bytes: RawSpan, sampling limit: Int = .max) throws(PageNodesError) {
        self = try unsafe bytes.withUnsafeBytes { bytes throws(PageNodesError) in
            try unsafe PageNodes(of: bytes, sampling: limit, isReadable: true)
        }
    }

    /// Looks where the pages at some addresses are, and touches none of them: there need be nothing.
    ///
    /// - Parameter limit: Most pages to look at, spread evenly; all unless told.
    /// - Throws: ``PageNodesError`` with the reason.
    /// - Complexity: O(pages looked at), about 0.2 µs each.
    public init(of addresses: UnsafeRawBufferPointer, sampling limit: Int = .max) throws(PageNodesError) {
        try unsafe self.init(of: addresses, sampling: limit, isReadable: false)
    }

    /// As many pages as are asked about in one call.
    private static let batch = 1024

    private init(
        of bytes: UnsafeRawBufferPointer, sampling limit: Int, isReadable: Bool
    ) throws(PageNodesError) {
        precondition(limit > 0, "at least one page is looked at")
        let size = UInt(sysconf(CInt(_SC_PAGESIZE)))
        pageByteCount = Int(size)
        let start = UInt(bitPattern: bytes.baseAddress)
        let total = bytes.count == 0 ? 0 : Int((start % size + UInt(bytes.count) - 1) / size + 1)
        let count = min(total, limit)
        var found: [Int: Int] = [:]
        var absent = 0
        var done = 0
        while done < count {
            var addresses: [UnsafeRawPointer?] = unsafe []
            for index in done..<min(done + Self.batch, count) {
                // The first of as many equal parts; in two words, since the product may not fit into one.
                let part = index.multipliedFullWidth(by: total)
                let page = UInt(count.dividingFullWidth(part).quotient)
                // What is asked for is on the page: the first page's own start may be nobody's.
                let address = page == 0 ? start : (start & ~(size - 1)) &+ page &* size
                unsafe addresses.append(UnsafeRawPointer(bitPattern: address))
                if isReadable {
                    // SAFETY: one of the bytes that the caller lent for reading.
                    unsafe Self.touch(bytes, Int(address &- start))
                }
            }
            let asked = unsafe addresses.count
            var places = [CInt](repeating: -1, count: asked)
            // SAFETY: the kernel reads as many addresses and writes as many integers during the call; what is at the
            // addresses it does not touch.
            let code = unsafe platform_page_nodes(addresses, asked, &places)
            guard code == 0 else { throw PageNodesError(errno: code) }
            for place in places {
                if place >= 0 { found[Int(place), default: 0] += 1 } else { absent += 1 }
            }
            done += asked
        }
        pageCounts = found
        absentCount = absent
    }

    @inline(never)
    private static func touch(_ bytes: UnsafeRawBufferPointer, _ offset: Int) {
        var byte: UInt8 = 0
        // SAFETY: in bounds, as the caller says. Copied in a way that is not optimised out.
        unsafe platform_copy_shared(&byte, bytes.baseAddress.unsafelyUnwrapped + offset, 1)
    }
}

extension PageNodes: CustomStringConvertible {
    /// The counts in a line, such as `512 pages of 4096 bytes: 500 on node 0, 10 on node 1, 2 absent`.
    public var description: String {
        var parts = pageCounts.sorted { $0.key < $1.key }.map { "\($0.value) on node \($0.key)" }
        if absentCount > 0 { parts.append("\(absentCount) absent") }
        let pages = "\(count) pages of \(pageByteCount) bytes"
        return parts.isEmpty ? pages : "\(pages): \(parts.joined(separator: ", "))"
    }
}

/// Where pages lie could not be found out.
public struct PageNodesError: Error, Hashable {
    /// The `errno` value: `EPERM` where a container forbids the call, `ENOSYS` where the kernel has no NUMA.
    public let errno: CInt
}

extension PageNodesError: CustomStringConvertible {
    /// What failed, why, and the cure, in one line.
    public var description: String {
        let cure =
            switch errno {
            case EPERM: "; give the container CAP_SYS_NICE, or a seccomp profile that allows move_pages"
            case ENOSYS: "; this kernel was built without NUMA, or the container's seccomp profile hides move_pages"
            default: ""
            }
        return "where pages of memory lie could not be read: \(errorText(errno))\(cure)"
    }
}
