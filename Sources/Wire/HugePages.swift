#if canImport(Glibc)
    import Glibc
#endif

/// Asks for huge pages behind a large block that is about to be written for the first time, where the kernel gives them to
/// who asks: a page fault for every 4 KiB costs several times what the copy does.
///
/// - Complexity: Nothing below 4 MiB; else one system call, about a microsecond.
@unsafe
@usableFromInline
@inline(never)
package func expectLargeWrite(to start: UnsafeMutableRawPointer, byteCount: Int) {
    #if canImport(Glibc)
        let huge = 1 << 21
        guard byteCount >= 2 * huge else { return }
        let first = (UInt(bitPattern: start) + UInt(huge) - 1) / UInt(huge) * UInt(huge)
        let end = (UInt(bitPattern: start) + UInt(byteCount)) / UInt(huge) * UInt(huge)
        guard first < end, let base = unsafe UnsafeMutableRawPointer(bitPattern: first) else { return }
        // SAFETY: whole huge pages inside the block; the advice changes nothing that it holds.
        unsafe madvise(base, Int(end - first), MADV_HUGEPAGE)
    #endif
}
