/// Bytes of a stream on their way to being frames: an 8-byte little-endian length, then as many bytes.
///
/// A frame that fits is read in place; a larger one gets a buffer of its own size, whose pages the system hands out
/// only as the bytes arrive, so that a length alone costs nothing.
@safe
package struct FrameBuffer: ~Copyable {
    private static let headerByteCount = 8
    private static let usualCapacity = 1 << 17

    private var base: UnsafeMutableRawPointer
    private var capacity: Int
    private var start = 0
    private var end = 0
    private let frameLimit: Int

    package init(frameLimit: Int) {
        self.frameLimit = frameLimit
        capacity = FrameBuffer.usualCapacity
        unsafe base = .allocate(byteCount: capacity, alignment: 64)
    }

    deinit { unsafe base.deallocate() }

    /// Lets `read` fill free space; it returns how many bytes it wrote.
    package mutating func fill(_ read: (UnsafeMutableRawBufferPointer) -> Int) -> Int {
        // SAFETY: `end..<capacity` lies in the allocation that `self` owns.
        let space = unsafe UnsafeMutableRawBufferPointer(start: base + end, count: capacity - end)
        let count = unsafe read(space)
        if count > 0 {
            precondition(count <= space.count, "a read cannot be longer than its space")
            end += count
        }
        return count
    }

    /// Hands the next whole frame to `body`; false if more bytes are needed, for which there is space then.
    ///
    /// - Throws: ``LinkError/Code/frameTooLarge`` for a length over the limit.
    package mutating func withNextFrame(_ body: (RawSpan) -> Void) throws(LinkError) -> Bool {
        guard end - start >= FrameBuffer.headerByteCount else {
            makeSpace(for: FrameBuffer.headerByteCount)
            return false
        }
        // SAFETY: eight initialised bytes by the guard; unaligned load of an integer.
        let length = UInt64(littleEndian: unsafe base.loadUnaligned(fromByteOffset: start, as: UInt64.self))
        guard length <= UInt64(frameLimit) else {
            throw LinkError(
                code: .frameTooLarge, "a frame of \(length) bytes arrives; the limit is \(frameLimit)")
        }
        let total = FrameBuffer.headerByteCount + Int(length)
        guard end - start >= total else {
            makeSpace(for: total)
            return false
        }
        // SAFETY: the frame's bytes are initialised and stay in place during the call: `self` is borrowed for it.
        let bytes = unsafe UnsafeRawBufferPointer(
            start: base + start + FrameBuffer.headerByteCount, count: Int(length))
        unsafe body(RawSpan(_unsafeBytes: bytes))
        start += total
        if start == end { empty() }
        return true
    }

    private mutating func empty() {
        start = 0
        end = 0
        if capacity > FrameBuffer.usualCapacity { reallocate(FrameBuffer.usualCapacity) }
    }

    /// Moves what is there to the front if fewer than `count` bytes fit from `start` on, into a larger buffer if needed.
    private mutating func makeSpace(for count: Int) {
        guard capacity - start < count || end == capacity else { return }
        reallocate(max(count, FrameBuffer.usualCapacity))
    }

    private mutating func reallocate(_ newCapacity: Int) {
        let waiting = end - start
        if newCapacity == capacity {
            // SAFETY: both ranges lie in the allocation; memmove allows overlap.
            unsafe base.copyMemory(from: base + start, byteCount: waiting)
        } else {
            let larger = UnsafeMutableRawPointer.allocate(byteCount: newCapacity, alignment: 64)
            unsafe larger.copyMemory(from: base + start, byteCount: waiting)
            unsafe base.deallocate()
            unsafe base = larger
            capacity = newCapacity
        }
        start = 0
        end = waiting
    }
}
