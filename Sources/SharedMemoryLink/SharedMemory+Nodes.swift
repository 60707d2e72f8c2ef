import CPlatform

// On which NUMA nodes pages lie.
extension SharedMemory {
    /// Has pages of a range that are allocated from now on come from a node while that has memory, whoever allocates them;
    /// without a node, from where the thread runs that does.
    ///
    /// The kernel keeps this with the memory, not with the mapping. Preferred and not bound: where a node that memory is
    /// bound to is full, the kernel ends processes.
    ///
    /// - Throws: ``SharedMemoryError/Code/notPlaced`` where the node is none, or the system forbids it.
    /// - Complexity: One system call, 5 µs; the range becomes a mapping of its own for the kernel.
    package func prefer(_ node: Int?, for range: Range<Int>) throws(SharedMemoryError) {
        check(range)
        precondition(node ?? 0 >= 0, "a node's number is not negative")
        // SAFETY: a range of the mapping; what it holds stays.
        let code = unsafe platform_prefer_node(
            bytes.baseAddress.unsafelyUnwrapped + range.lowerBound, range.count, CInt(clamping: node ?? -1))
        guard code == 0 else { throw SharedMemoryError(node: node ?? -1, errno: code) }
    }

    /// The node that ``prefer(_:for:)`` was last told for the page at an offset; nil if none, or the system does not say.
    package func preferredNode(at offset: Int) -> Int? {
        check(offset..<offset + 1)
        var node: CInt = -1
        // SAFETY: an address in the mapping, which the kernel only looks up.
        let code = unsafe platform_preferred_node(bytes.baseAddress.unsafelyUnwrapped + offset, &node)
        return code == 0 && node >= 0 ? Int(node) : nil
    }

    /// The nodes of pages that hold something, at most `limit` of a range, spread evenly; nil where the system does not say.
    ///
    /// - Complexity: O(`limit`), about 1 µs for each: it reads the pages, since only those that this process has touched
    ///   can be asked about. Pages that are missing are allocated.
    package func nodes(of range: Range<Int>, sampling limit: Int) -> [Int]? {
        check(range)
        let size = SharedMemory.pageByteCount
        let pages = range.lowerBound / size..<(range.upperBound + size - 1) / size
        let count = min(pages.count, limit)
        var addresses: [UnsafeRawPointer?] = unsafe []
        for index in 0..<count {
            // SAFETY: in the mapping; what others may be writing there is not used.
            let address = unsafe UnsafeRawPointer(
                bytes.baseAddress.unsafelyUnwrapped + (pages.lowerBound + index * pages.count / count) * size)
            var byte: UInt8 = 0
            unsafe platform_copy_shared(&byte, address, 1)
            unsafe addresses.append(address)
        }
        var nodes = [CInt](repeating: -1, count: count)
        // SAFETY: the kernel reads as many addresses, and writes as many integers, during the call.
        guard unsafe platform_page_nodes(addresses, count, &nodes) == 0 else { return nil }
        return nodes.filter { $0 >= 0 }.map { Int($0) }
    }
}
