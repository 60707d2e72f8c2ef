// The primitives that everything else is read with.
extension WireReader {
    /// Checks that `byteCount` bytes remain.
    @inlinable
    @inline(__always)
    package mutating func need(_ byteCount: Int) throws(WireError) {
        guard byteCount <= remainingByteCount else { throw truncated(byteCount) }
    }

    /// The error for a value of `byteCount` bytes that remain not.
    ///
    /// This and the other errors are made in place (`mutating`): a reader is copied as a whole for a call that isn't, and
    /// that before it is known whether there is an error.
    @usableFromInline
    @inline(never)
    internal mutating func truncated(_ byteCount: Int) -> WireError {
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

    /// The same, but nil where that throws; the reader keeps the error.
    @inlinable
    @inline(__always)
    internal mutating func takePlain<T: Plain>(_ type: T.Type) -> T? {
        guard MemoryLayout<T>.size <= remainingByteCount else { return fail(truncated(MemoryLayout<T>.size)) }
        // SAFETY: as in `readPlain`.
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

    /// Reads a plain array's elements if they are few; nil if they are many or not all there: nothing is read then.
    @inlinable
    @inline(__always)
    internal mutating func takeSmallBlock<T: Plain>(of type: T.Type, count: Int) -> [T]? {
        let stride = MemoryLayout<T>.stride
        guard MemoryLayout<T>.size == stride, count > 0, count < WireFormat.alignedBlock / stride,
            count &* stride <= remainingByteCount
        else { return nil }
        let start = position
        position &+= count &* stride
        return unsafe bytes.withUnsafeBytes { bytes in
            // SAFETY: in bounds by the guard; elements without gaps; used during the call only.
            unsafe [T](UnalignedElements(bytes.baseAddress.unsafelyUnwrapped + start, count: count))
        }
    }

    /// Reads a plain array's elements, see `WireWriter.append(block:)`; nil if that failed.
    @inlinable
    @inline(never)
    internal mutating func takeBlock<T: Plain>(of type: T.Type, count: Int) -> [T]? {
        if unsafe adopting != nil { return takeBlockInPlace(of: T.self, count: count) }
        do {
            return try readElements(of: T.self, count: count).copyElements()
        } catch {
            return fail(error)
        }
    }

    /// The same, in the memory of the block if it can stay there.
    @usableFromInline
    @inline(never)
    internal mutating func takeBlockInPlace<T: Plain>(of type: T.Type, count: Int) -> [T]? {
        do {
            let block = nextBlock
            let view = try readElements(of: T.self, count: count)
            guard nextBlock > block, let arrays = unsafe adopting else { return view.copyElements() }
            // SAFETY: the reader was made with a lifetime that depends on it.
            return unsafe arrays.takeUnretainedValue().adopt(blocks[block], as: T.self) ?? view.copyElements()
        } catch {
            return fail(error)
        }
    }

    /// Takes the elements of a plain array as they lie in the message or in its next block.
    @usableFromInline
    @_lifetime(copy self)
    internal mutating func readElements<T: Plain>(of type: T.Type, count: Int) throws(WireError) -> PlainView<T> {
        let (size, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<T>.size)
        guard !overflow else { throw error(.invalidLength, "\(count) elements of \(MemoryLayout<T>.size) bytes") }
        if MemoryLayout<T>.size == 0 { try spendFree(MemoryLayout<T>.stride, times: count) }
        // Elements with a gap behind them travel without it, one by one.
        guard MemoryLayout<T>.size == MemoryLayout<T>.stride else { return PlainView(try borrow(size), count: count) }
        let bytes = try readElementBytes(
            count: count, size: MemoryLayout<T>.size, alignment: MemoryLayout<T>.alignment)
        return PlainView(bytes, count: count)
    }

    /// Takes the bytes of `count` elements without gaps as they lie in the message or in its next block.
    @_lifetime(copy self)
    internal mutating func readElementBytes(count: Int, size: Int, alignment: Int) throws(WireError) -> RawSpan {
        let (byteCount, overflow) = count.multipliedReportingOverflow(by: size)
        guard !overflow else { throw error(.invalidLength, "\(count) elements of \(size) bytes") }
        guard byteCount >= WireFormat.alignedBlock else { return try borrow(byteCount) }
        let padding = try readPlain(UInt8.self)
        if padding == WireFormat.blockFollows { return try readBlock(byteCount: byteCount, alignment: alignment) }
        guard padding < 16 else { throw error(.invalidLength, "\(padding) bytes of padding") }
        try need(Int(padding))
        for _ in 0..<padding {
            guard try readPlain(UInt8.self) == 0 else { throw error(.invalidValue, "padding is not zero") }
        }
        return try borrow(byteCount)
    }

    /// Takes the next block.
    ///
    /// Nothing in it is looked at, here or by whoever reads it: any bits are plain elements, and how many there are is
    /// said in the message. So a sender that writes to a block while it is read changes numbers, and nothing else.
    ///
    /// - Throws: ``WireError/Code/invalidBlock`` if there is none, or if it isn't `byteCount` bytes long;
    ///   ``WireError/Code/misaligned``.
    @_lifetime(copy self)
    private mutating func readBlock(byteCount: Int, alignment: Int) throws(WireError) -> RawSpan {
        guard nextBlock < blocks.count else {
            throw error(.invalidBlock, "\(byteCount) bytes in block \(nextBlock), and there are \(blocks.count) blocks")
        }
        let block = blocks[nextBlock]
        guard block.count == byteCount else {
            throw error(.invalidBlock, "block \(nextBlock) has \(block.count) bytes, and \(byteCount) are needed")
        }
        guard block.addresses.start & (UInt(min(alignment, 16)) - 1) == 0 else {
            throw misaligned(position, alignment)
        }
        nextBlock += 1
        // SAFETY: the block's bytes, which `blocks` keeps in place for as long as the reader's own bytes.
        let bytes = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(block.base.unsafelyUnwrapped), byteCount: byteCount)
        return unsafe _overrideLifetime(bytes, copying: self)
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
