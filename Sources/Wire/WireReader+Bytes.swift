// The primitives that everything else is read with.
extension WireReader {
    /// Checks that `byteCount` bytes remain.
    @inlinable
    @inline(__always)
    package func need(_ byteCount: Int) throws(WireError) {
        guard byteCount <= remainingByteCount else { throw truncated(byteCount) }
    }

    /// The error for a value of `byteCount` bytes that remain not.
    @usableFromInline
    @inline(never)
    internal func truncated(_ byteCount: Int) -> WireError {
        WireError(code: .truncated, offset: position, needed: byteCount, available: remainingByteCount)
    }

    /// Reads a value from its bytes as they lay in memory.
    @inlinable
    @inline(__always)
    package mutating func readPlain<T: Plain>(_ type: T.Type) throws(WireError) -> T {
        try need(MemoryLayout<T>.size)
        // SAFETY: in bounds by `need`; initialised as part of a span; `Plain` accepts any bits; unaligned load.
        let value = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: position, as: T.self)
        position &+= MemoryLayout<T>.size
        return value
    }

    /// Reads a length in its shortest form, see `WireWriter.append(length:)`.
    ///
    /// - Returns: A length of at least 0, which nothing has compared with what remains.
    /// - Throws: ``WireError/Code/invalidLength`` unless it is in its shortest form and fits in `Int`.
    @inlinable
    @inline(__always)
    package mutating func readLength() throws(WireError) -> Int {
        let first = try readPlain(UInt8.self)
        return first < 253 ? Int(first) : try readLongLength(first)
    }

    /// Reads what follows the first byte of a length of more than one byte.
    @usableFromInline
    @inline(never)
    internal mutating func readLongLength(_ first: UInt8) throws(WireError) -> Int {
        let start = position &- 1
        let (length, shortest): (UInt64, UInt64) =
            switch first {
            case 253: (UInt64(try readPlain(UInt16.self)), 253)
            case 254: (UInt64(try readPlain(UInt32.self)), 0x1_0000)
            default: (try readPlain(UInt64.self), 0x1_0000_0000)
            }
        guard length >= shortest, let result = Int(exactly: length) else {
            throw WireError(code: .invalidLength, offset: start, detail: "length \(length)")
        }
        return result
    }

    /// Reads `byteCount` bytes as they are, and gives them to `body`.
    @inlinable
    package mutating func readBytes<R>(
        _ byteCount: Int, _ body: (UnsafeRawBufferPointer) -> R
    ) throws(WireError) -> R {
        try need(byteCount)
        // SAFETY: in bounds by `need`; `body` uses the pointer during the call only.
        let result = unsafe bytes.withUnsafeBytes { all in
            unsafe body(UnsafeRawBufferPointer(rebasing: all[position..<position &+ byteCount]))
        }
        position &+= byteCount
        return result
    }

    /// Reads a plain array's block, see `WireWriter.append(block:)`.
    @inlinable
    package mutating func readBlock<T: Plain>(of type: T.Type, count: Int) throws(WireError) -> [T] {
        let stride = MemoryLayout<T>.stride
        guard MemoryLayout<T>.size == stride else {
            return try readUnpaddedElements(of: T.self, count: count)
        }
        let (size, overflow) = count.multipliedReportingOverflow(by: stride)
        guard !overflow else { throw error(.invalidLength, "\(count) elements of \(stride) bytes") }
        if MemoryLayout<T>.alignment > 1 && size >= WireFormat.alignedBlock { try skipPadding() }
        return try copyElements(of: T.self, count: count)
    }

    /// Copies the next bytes into an array of `count` plain elements that have no padding between them.
    @inlinable
    internal mutating func copyElements<T: Plain>(of type: T.Type, count: Int) throws(WireError) -> [T] {
        let size = count &* MemoryLayout<T>.stride
        return try unsafe readBytes(size) { source in
            // SAFETY: source holds `count` elements of `stride` bytes, and is used during the call only.
            guard let start = source.baseAddress, count > 0 else { return [] }
            return unsafe [T](UnalignedElements(start, count: count))
        }
    }

    /// Reads plain elements that have padding between them in memory, which does not travel.
    @usableFromInline
    internal mutating func readUnpaddedElements<T: Plain>(
        of type: T.Type, count: Int
    ) throws(WireError) -> [T] {
        let (size, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<T>.size)
        guard !overflow else { throw error(.invalidLength, "\(count) elements") }
        try need(size)
        if size == 0 { try spendFree(MemoryLayout<T>.stride, times: count) }
        var elements: [T] = []
        elements.reserveCapacity(count)
        for _ in 0..<count { elements.append(try readPlain(T.self)) }
        return elements
    }

    /// Skips the padding before an aligned block.
    @usableFromInline
    internal mutating func skipPadding() throws(WireError) {
        let padding = try readPlain(UInt8.self)
        guard padding < 16 else { throw error(.invalidLength, "\(padding) bytes of padding") }
        try need(Int(padding))
        for _ in 0..<padding {
            guard try readPlain(UInt8.self) == 0 else { throw error(.invalidValue, "padding is not zero") }
        }
    }

    /// How many elements to reserve room for: at most `claimed`, and at most four times the bytes that remain.
    @inlinable
    package func plausibleCount<T>(of type: T.Type, claimed: Int) -> Int {
        min(claimed, (remainingByteCount &* 4) / max(1, MemoryLayout<T>.stride))
    }

    /// Takes `byteCount` bytes, `times` times, from what elements without bytes may use, see
    /// ``WireLimits/freeByteCount``.
    @usableFromInline
    internal mutating func spendFree(_ byteCount: Int, times: Int = 1) throws(WireError) {
        let (total, overflow) = byteCount.multipliedReportingOverflow(by: times)
        guard !overflow, total <= freeBytes else {
            throw error(.freeLimit, "elements without bytes take more than \(limits.freeByteCount) bytes")
        }
        freeBytes &-= total
    }
}
