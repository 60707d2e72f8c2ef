// The primitives that everything else is written with.
extension WireWriter {
    /// Appends the bytes of `value` as they lie in memory.
    @inlinable
    @inline(__always)
    package mutating func append<T: BitwiseCopyable>(plain value: T) {
        reserve(MemoryLayout<T>.size)
        // SAFETY: room was made for the value; the buffer is `self`'s alone; storing bytes needs no alignment.
        unsafe cursor.storeBytes(of: value, as: T.self)
        unsafe cursor += MemoryLayout<T>.size
    }

    /// Appends `bytes` as they are, without a length.
    @inlinable
    package mutating func append(bytes: RawSpan) {
        let size = bytes.byteCount
        reserve(size)
        // SAFETY: room was made for all of `bytes`, which are initialised and can't overlap a buffer that is
        // `self`'s alone.
        unsafe bytes.withUnsafeBytes { source in
            guard let start = source.baseAddress else { return }
            unsafe cursor.copyMemory(from: start, byteCount: size)
        }
        unsafe cursor += size
    }

    /// Appends `bytes` as they are, without a length.
    @inlinable
    package mutating func append(bytes: Span<UInt8>) {
        // SAFETY: every byte of a span of `UInt8` is initialised.
        append(bytes: unsafe bytes.bytes)
    }

    /// Appends a length, then as many bytes as `size` says from `bytes` on; room for both is made once.
    ///
    /// - Parameter bytes: Initialised, and another memory than the writer's.
    @unsafe
    @inlinable
    @inline(__always)
    internal mutating func append(length: Int, bytes: UnsafeRawPointer, size: Int) {
        reserve(size &+ 9)
        if length < 253 {
            // SAFETY: room was made for the longest length, and for `size` bytes behind it.
            unsafe cursor.storeBytes(of: UInt8(truncatingIfNeeded: length), as: UInt8.self)
            unsafe cursor += 1
        } else {
            append(longLength: length)
        }
        unsafe copyBytes(from: bytes, to: cursor, count: size)
        unsafe cursor += size
    }

    /// Appends a length in its shortest form: one byte up to 252, else a byte 253, 254 or 255 and then 2, 4 or 8
    /// bytes.
    @inlinable
    @inline(__always)
    package mutating func append(length: Int) {
        if length < 253 {
            append(plain: UInt8(truncatingIfNeeded: length))
        } else {
            append(longLength: length)
        }
    }

    /// Bytes that a length takes.
    internal static func byteCount(ofLength length: Int) -> Int {
        if length < 253 { return 1 }
        return length <= 0xFFFF ? 3 : length <= 0xFFFF_FFFF ? 5 : 9
    }

    /// Appends a length of more than one byte.
    @usableFromInline
    @inline(never)
    internal mutating func append(longLength length: Int) {
        if length <= 0xFFFF {
            append(plain: 253 as UInt8)
            append(plain: UInt16(truncatingIfNeeded: length))
        } else if length <= 0xFFFF_FFFF {
            append(plain: 254 as UInt8)
            append(plain: UInt32(truncatingIfNeeded: length))
        } else {
            append(plain: 255 as UInt8)
            append(plain: UInt64(truncatingIfNeeded: length))
        }
    }

    /// Appends the elements of a plain array as one block, aligned for views of it.
    ///
    /// A block of at least 64 bytes has a byte before it that says how many zero bytes (0 to 15) follow it, chosen so
    /// that the elements are aligned relative to the message's start. A reader need not rely on that, so a message may
    /// be embedded at any offset of another.
    @inlinable
    @inline(__always)
    package mutating func append<T: Plain>(block elements: Span<T>) {
        guard MemoryLayout<T>.size == MemoryLayout<T>.stride else {
            for index in elements.indices { append(plain: elements[index]) }
            return
        }
        let size = elements.count &* MemoryLayout<T>.stride
        if size >= WireFormat.alignedBlock { appendPadding(toAlignment: MemoryLayout<T>.alignment, blockSize: size) }
        // SAFETY: `T: Plain` has no padding inside and, by the guard, none at its end, so all bytes are initialised.
        append(bytes: unsafe elements.bytes)
    }

    /// Appends the number of padding bytes and the padding, so that what follows is aligned, and makes room for it.
    @usableFromInline
    package mutating func appendPadding(toAlignment alignment: Int, blockSize: Int) {
        reserve(16 + blockSize)
        let padding = (0 &- (byteCount &+ kept.addedByteCount &+ 1)) & (min(alignment, 16) &- 1)
        append(plain: UInt8(truncatingIfNeeded: padding))
        for _ in 0..<padding { append(plain: 0 as UInt8) }
    }

    /// Reserves room for an integer that is not known yet; ``fill(_:with:)`` stores it.
    ///
    /// - Returns: The slot's offset.
    package mutating func reserveSlot<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type) -> Int {
        let offset = byteCount
        append(plain: 0 as T)
        return offset
    }

    /// Stores `value`, little endian, in the slot at `offset`.
    package mutating func fill<T: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, with value: T) {
        precondition(offset >= 0 && MemoryLayout<T>.size <= byteCount - offset, "a slot lies in what was written")
        // SAFETY: in bounds of the initialised bytes by the precondition; storing bytes needs no alignment.
        unsafe (base + offset).storeBytes(of: value, as: T.self)
    }
}

/// Constants of the format.
@usableFromInline
package enum WireFormat {
    /// Plain arrays of at least this many bytes are aligned.
    @usableFromInline
    package static var alignedBlock: Int {
        @inlinable get { 64 }
    }

    /// What stands in place of the number of padding bytes if the elements are in the message's next block.
    @usableFromInline
    package static var blockFollows: UInt8 {
        @inlinable get { 16 }
    }
}
