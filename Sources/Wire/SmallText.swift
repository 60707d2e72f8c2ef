// Most strings in records are short, and a short one (up to 15 bytes of UTF-8) lies in `String`'s own 16 bytes. The
// standard library has no way to make one that doesn't take ten times as long as reading all else of a record.

/// Whether a string of up to 15 ASCII characters lies in memory as ``WireReader/takeSmallText()`` builds one: the
/// characters, zeros, and 0xE0 plus the number of characters as the last byte.
///
/// That is how Swift has it on 64-bit machines since version 5 (`stdlib/public/core/SmallString.swift`), but documents it
/// nowhere; so it is looked at. Where it is otherwise, strings are made by the standard library.
@usableFromInline
internal let smallTextLiesInPlace: Bool = {
    guard MemoryLayout<String>.size == MemoryLayout<SIMD2<UInt64>>.size else { return false }
    return ["", "a", "seven b", "eight by", "nine byte", "fifteen bytes x"].allSatisfy { text in
        var expected = SIMD2<UInt64>(0, UInt64(0xE0 | text.utf8.count) << 56)
        for (index, byte) in text.utf8.enumerated() { expected[index / 8] |= UInt64(byte) << (8 * (index % 8)) }
        // Made at run time, as those in messages are: a literal could lie elsewhere.
        let made = String(decoding: Array(text.utf8), as: UTF8.self)
        // SAFETY: of the same size, by the guard; any bits are a vector.
        return unsafe unsafeBitCast(made, to: SIMD2<UInt64>.self) == expected
    }
}()

extension WireReader {
    /// Reads a text of up to 15 ASCII characters; nil if it is another, or at the message's end: nothing is read then.
    @inlinable
    @inline(__always)
    internal mutating func takeSmallText() -> String? {
        // The length and 16 bytes behind it are there, so that the text can be loaded as two words.
        guard remainingByteCount >= 17, smallTextLiesInPlace else { return nil }
        // SAFETY: in bounds, by the guard; initialised as part of a span; any bits are a number; unaligned loads.
        let count = Int(unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: position, as: UInt8.self))
        guard count <= 15 else { return nil }
        let low = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: position &+ 1, as: UInt64.self)
        let high = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: position &+ 9, as: UInt64.self)
        // Shifts by more than a word's width give 0, so these keep the low `count` bytes of both words.
        let text = (low & ~(~0 << (8 * count)), high & ~(~0 << (8 * max(count &- 8, 0))))
        guard (text.0 | text.1) & 0x8080_8080_8080_8080 == 0 else { return nil }
        position &+= count &+ 1
        let bits = SIMD2(text.0, text.1 | UInt64(truncatingIfNeeded: 0xE0 | count) &<< 56)
        // SAFETY: as the standard library would make a string of these characters, all ASCII: `smallTextLiesInPlace`.
        return unsafe unsafeBitCast(bits, to: String.self)
    }
}

extension RawSpan {
    /// Whether all bytes are ASCII.
    @inlinable
    @inline(__always)
    internal var isASCII: Bool {
        var all: UInt64 = 0
        var offset = 0
        // SAFETY: all offsets are below the number of bytes, by the conditions; unaligned loads of numbers.
        if byteCount >= 8 {
            while offset < byteCount &- 8 {
                unsafe all |= unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
                offset &+= 8
            }
            unsafe all |= unsafeLoadUnaligned(fromUncheckedByteOffset: byteCount &- 8, as: UInt64.self)
        } else {
            while offset < byteCount {
                all |= UInt64(unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt8.self))
                offset &+= 1
            }
        }
        return all & 0x8080_8080_8080_8080 == 0
    }
}
