import CPlatform
import Glibc

// What is done to ranges of whole pages. Page faults, one by one, cost more than all the rest (DESIGN D4).
extension SharedMemory {
    /// Bytes of a page.
    package static let pageByteCount = Int(sysconf(CInt(_SC_PAGESIZE)))

    /// Takes pages that are not there yet from the system; they are zero, and can be written to at the speed of memory.
    ///
    /// - Throws: ``SharedMemoryError/Code/outOfMemory``; some of the range may be allocated then.
    /// - Complexity: O(bytes), about 0.45 s per GB.
    package func create(_ range: Range<Int>) throws(SharedMemoryError) {
        check(range)
        // In this order it takes 38 ms for 80 MB, populating alone 44 ms. But huge pages come only from populating.
        if !SharedMemory.hasHugePages { try allocate(range) }
        // SAFETY: a range of the mapping.
        let code = unsafe platform_populate(bytes.baseAddress.unsafelyUnwrapped + range.lowerBound, range.count, 1)
        switch code {
        case 0: return
        case EINVAL:  // before Linux 5.14
            try allocate(range)
            for offset in stride(from: range.lowerBound, to: range.upperBound, by: SharedMemory.pageByteCount) {
                // SAFETY: in the mapping, and the page is allocated; nobody has it yet, and it is zero.
                unsafe bytes.storeBytes(of: 0, toByteOffset: offset, as: UInt8.self)
            }
        default: throw SharedMemoryError("allocate \(range.count) bytes of shared memory", errno: code)
        }
    }

    /// Allocates the pages of a range that hold nothing yet, without mapping them.
    private func allocate(_ range: Range<Int>) throws(SharedMemoryError) {
        let code = platform_allocate_memory(number, range.lowerBound, range.count)
        guard code == 0 else { throw SharedMemoryError("allocate \(range.count) bytes of shared memory", errno: code) }
    }

    /// Writes to pages that may not be there yet, past the mapping: no page fault, and no page is made zero in vain.
    ///
    /// - Throws: ``SharedMemoryError/Code/outOfMemory``; some of the bytes may be written then.
    /// - Complexity: O(bytes): 80 MB into new pages in 29 ms, where ``create(_:)`` and a copy take 42 ms.
    @unsafe
    package func write(_ source: UnsafeRawBufferPointer, at offset: Int) throws(SharedMemoryError) {
        check(offset..<offset + source.count)
        var written = 0
        while written < source.count {
            // SAFETY: the rest of `source`.
            let rest = unsafe UnsafeRawBufferPointer(rebasing: source[written...])
            let count = unsafe pwrite(number, rest.baseAddress, rest.count, offset + written)
            if count > 0 {
                written += count
            } else if errno != EINTR {
                throw SharedMemoryError("write \(source.count) bytes to shared memory", errno: errno)
            }
        }
    }

    /// Enters pages that are allocated into this process's page tables, a batch at a time, for what access there is.
    ///
    /// Only saves time: what can't be entered now is entered when it is touched.
    ///
    /// - Complexity: O(bytes), about 75 ms per GB; where pages are missing they are allocated.
    package func enter(_ range: Range<Int>) {
        check(range)
        // For reading, because the kernel then enters the neighbours of a page with it, writable where the mapping is:
        // 6 ms for 80 MB in place of 20.
        // SAFETY: a range of the mapping.
        _ = unsafe platform_populate(bytes.baseAddress.unsafelyUnwrapped + range.lowerBound, range.count, 0)
    }

    /// Gives whole pages of a range back to the system; they read as zeros from then on.
    package func release(_ range: Range<Int>) throws(SharedMemoryError) {
        check(range)
        let code = platform_release_memory(number, range.lowerBound, range.count)
        guard code == 0 else { throw SharedMemoryError("release \(range.count) bytes of shared memory", errno: code) }
    }

    /// Whether all pages of a range hold something: pages that were written to, or populated.
    ///
    /// Reading a page that is not there allocates it, for good and at the expense of the reader.
    ///
    /// - Complexity: O(bytes), about 12 ms per GB.
    package func isPresent(_ range: Range<Int>) -> Bool {
        check(range)
        return platform_holds_all(number, range.lowerBound, range.count) != 0
    }

    /// Asks for huge pages where the kernel gives them.
    package func adviseHugePages() {
        // SAFETY: the mapping.
        if SharedMemory.hasHugePages { unsafe madvise(bytes.baseAddress, byteCount, MADV_HUGEPAGE) }
    }

    /// Whether this host's kernel gives shared memory huge pages.
    internal static let hasHugePages = grantsHugePages(
        setting: kernelFile("/sys/kernel/mm/transparent_hugepage/shmem_enabled"))

    /// - Parameter setting: What the file says: all the words there are, the chosen one in brackets.
    internal static func grantsHugePages(setting: String) -> Bool {
        ["[always]", "[within_size]", "[advise]", "[force]"].contains { setting.contains($0) }
    }

    internal func check(_ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= byteCount, "a range inside the shared memory")
    }
}
