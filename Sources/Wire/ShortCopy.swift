/// Copies bytes, those of a short text or list without a call.
///
/// - Parameters:
///   - source: `count` initialised bytes.
///   - target: Room for as many, in another memory.
@unsafe
@inlinable
@inline(__always)
internal func copyBytes(from source: UnsafeRawPointer, to target: UnsafeMutableRawPointer, count: Int) {
    switch count {
    case 33...: unsafe target.copyMemory(from: source, byteCount: count)
    case 16...: unsafe copyEnds(of: SIMD2<UInt64>.self, from: source, to: target, count: count)
    case 8...: unsafe copyEnds(of: UInt64.self, from: source, to: target, count: count)
    case 4...: unsafe copyEnds(of: UInt32.self, from: source, to: target, count: count)
    case 1...:
        // The first, the one in the middle and the last are all there are.
        let middle = count &>> 1
        let bytes = unsafe (
            source.load(as: UInt8.self), source.load(fromByteOffset: middle, as: UInt8.self),
            source.load(fromByteOffset: count &- 1, as: UInt8.self)
        )
        unsafe target.storeBytes(of: bytes.0, as: UInt8.self)
        unsafe target.storeBytes(of: bytes.1, toByteOffset: middle, as: UInt8.self)
        unsafe target.storeBytes(of: bytes.2, toByteOffset: count &- 1, as: UInt8.self)
    default: break
    }
}

/// Copies `count` bytes, of the size of one or two words, as the first word and the last, which may overlap.
@unsafe
@inlinable
@inline(__always)
internal func copyEnds<Word: BitwiseCopyable>(
    of type: Word.Type, from source: UnsafeRawPointer, to target: UnsafeMutableRawPointer, count: Int
) {
    let last = count &- MemoryLayout<Word>.size
    let words = unsafe (
        source.loadUnaligned(as: Word.self), source.loadUnaligned(fromByteOffset: last, as: Word.self)
    )
    unsafe target.storeBytes(of: words.0, as: Word.self)
    unsafe target.storeBytes(of: words.1, toByteOffset: last, as: Word.self)
}
