import CPlatform
import Glibc

/// Memory that this process shares with others: a file that is nowhere but in memory (memfd), and its mapping here.
///
/// Its size is sealed when it is made, so that nobody who holds it can take mapped pages away from under another
/// (SIGBUS). It has no name in the file system: it is gone when the last process that holds its descriptor or maps it
/// has ended, in whatever way, also by SIGKILL. The kernel limits it as it limits all memory; the size of /dev/shm does
/// not count.
///
/// What another process can write to may change at any moment: copy it before it is validated.
///
/// `@unchecked`: the address and the size never change while the object lives, and the descriptor only as
/// ``takeDescriptor()`` says. What the memory holds
/// is for its users to agree on.
@safe
package final class SharedMemory: @unchecked Sendable {
    /// What the mapping allows.
    package enum Access: Sendable {
        case reading
        case readingAndWriting
    }

    /// When its pages are taken from the system.
    package enum Allocation: Sendable {
        /// All of them when it is made: what is written later can't fail.
        case whole
        /// None: ranges are allocated with ``SharedMemory/create(_:)`` before they are touched.
        case sparse
    }

    /// Size in bytes, fixed for good.
    package let byteCount: Int
    /// What the mapping allows.
    package let access: Access
    private let base: UnsafeMutableRawPointer
    /// Nil once it is taken.
    private var descriptor: Descriptor?
    internal var number: CInt {
        guard let number = descriptor?.number else { preconditionFailure("the descriptor of this memory was taken") }
        return number
    }

    /// Makes new memory, all zeros, mapped for reading and writing.
    ///
    /// - Parameters:
    ///   - byteCount: Size, at least 1; need not be whole pages.
    ///   - name: What /proc/self/maps shows it as (`/memfd:name`).
    ///   - allocation: When pages are taken from the system; all at once unless told.
    ///   - available: Bytes that the system has left: more is refused, because the kernel would rather end processes.
    /// - Throws: ``SharedMemoryError`` when memory, address space or descriptors run out.
    /// - Complexity: Five system calls, and with ``Allocation/whole`` about 0.25 s per GB.
    package convenience init(
        byteCount: Int, named name: String = "muster", allocation: Allocation = .whole,
        available: @autoclosure () -> Int? = SystemMemory.available
    ) throws(SharedMemoryError) {
        precondition(byteCount > 0, "shared memory has at least one byte")
        let action = "make \(byteCount) bytes of shared memory (\(name))"
        var limit = rlimit()
        // Beyond this limit the kernel sends SIGXFSZ.
        if unsafe getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0, limit.rlim_cur < byteCount {
            throw SharedMemoryError(
                .outOfMemory,
                "cannot \(action): the limit on the size of files is \(limit.rlim_cur) bytes; raise it (ulimit -f)")
        }
        var number: CInt = -1
        let code = unsafe platform_make_memory(name, byteCount, &number)
        guard code == 0 else { throw SharedMemoryError(action, errno: code) }
        // Mapped before anything is taken: what does not even fit the address space takes nothing.
        try self.init(Descriptor(owning: number), byteCount: byteCount, access: .readingAndWriting)
        let sealed = platform_seal_memory(number)
        guard sealed == 0 else { throw SharedMemoryError(action, errno: sealed) }
        if allocation == .whole {
            if let left = available(), left < byteCount {
                throw SharedMemoryError(action, left: left)
            }
            let code = platform_allocate_memory(number, 0, byteCount)
            guard code == 0 else { throw SharedMemoryError(action, errno: code) }
        }
    }

    /// Maps memory that another process has made and handed over.
    ///
    /// - Parameters:
    ///   - descriptor: What was inherited or received.
    ///   - access: For ``Access/reading`` a descriptor that allows no more is enough.
    ///   - byteCounts: Sizes that were agreed on; anything else is refused.
    /// - Throws: ``SharedMemoryError/Code/untrusted`` when its size is another or not sealed, before it is mapped.
    package convenience init(
        mapping descriptor: consuming Descriptor, access: Access, byteCounts: ClosedRange<Int>
    ) throws(SharedMemoryError) {
        var (size, isFixed) = (0, CInt(0))
        let code = unsafe platform_inspect_memory(descriptor.number, &size, &isFixed)
        guard code == 0 else {
            throw SharedMemoryError(
                .untrusted, SystemError("read the seals of shared memory that was handed over", errno: code).description
            )
        }
        guard isFixed != 0 else {
            throw SharedMemoryError(
                .untrusted,
                "shared memory that was handed over could be cut off while it is mapped: its size is not sealed")
        }
        guard size > 0, byteCounts.contains(size) else {
            throw SharedMemoryError(
                .untrusted,
                "shared memory that was handed over has \(size) bytes, not \(byteCounts.lowerBound) to \(byteCounts.upperBound)"
            )
        }
        try self.init(descriptor, byteCount: size, access: access)
    }

    private init(_ descriptor: consuming Descriptor, byteCount: Int, access: Access) throws(SharedMemoryError) {
        let protection = access == .reading ? PROT_READ : PROT_READ | PROT_WRITE
        let base = unsafe mmap(nil, byteCount, protection, MAP_SHARED | MAP_NORESERVE, descriptor.number, 0)
        guard let base = unsafe base, unsafe base != MAP_FAILED else {
            throw SharedMemoryError("map \(byteCount) bytes of shared memory", errno: errno)
        }
        // A core dump would allocate every hole.
        unsafe madvise(base, byteCount, MADV_DONTDUMP)
        unsafe self.base = base
        self.byteCount = byteCount
        self.access = access
        self.descriptor = .some(consume descriptor)
    }

    deinit {
        // SAFETY: mapped by `init`, unmapped nowhere else; whoever took an address from `bytes` kept `self`.
        unsafe munmap(base, byteCount)
    }

    /// The memory as it is mapped: aligned to a page, valid while `self` lives.
    ///
    /// Writing to it ends the process (SIGSEGV) where ``access`` is for reading only. Other processes may read and write it at any moment:
    /// what is used to agree on order is accessed with atomics.
    @unsafe
    package var bytes: UnsafeMutableRawBufferPointer {
        unsafe UnsafeMutableRawBufferPointer(start: base, count: byteCount)
    }

    /// A descriptor for a process that shall map the memory for reading and writing; close-on-exec.
    package func writableDescriptor() throws(SharedMemoryError) -> Descriptor {
        precondition(access == .readingAndWriting, "mapped for reading only")
        let number = fcntl(number, F_DUPFD_CLOEXEC, 0)
        guard number >= 0 else { throw SharedMemoryError("duplicate a descriptor of shared memory", errno: errno) }
        return Descriptor(owning: number)
    }

    /// Gives away the descriptor; the mapping stays. For memory that is handed to one process and then only used: each
    /// descriptor counts.
    ///
    /// Called by who made the memory, before anyone else has it.
    package func takeDescriptor() -> Descriptor {
        guard let descriptor = descriptor.take() else { preconditionFailure("a descriptor is taken once") }
        return descriptor
    }

    /// A descriptor that can be mapped for reading only; close-on-exec.
    ///
    /// It guards against mistakes. A process of the same user that wants to can open the same memory for writing
    /// through /proc.
    ///
    /// - Throws: ``SharedMemoryError`` also where /proc is not mounted: no other way leads to such a descriptor, and
    ///   without /proc no worker could be started anyway.
    package func readOnlyDescriptor() throws(SharedMemoryError) -> Descriptor {
        let path = "/proc/self/fd/\(number)"
        let number = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard number >= 0 else {
            let code = errno
            let error = SharedMemoryError("open shared memory for reading at \(path)", errno: code)
            throw code == ENOENT ? SharedMemoryError(.system, "\(error); mount /proc") : error
        }
        return Descriptor(owning: number)
    }

    /// A number that no other memory of this host has while it lives, the same in every process that maps it.
    package var identity: UInt64 { UInt64(status.st_ino) }

    /// Bytes of memory that its pages take now, in all processes together.
    package var allocatedByteCount: Int { Int(status.st_blocks) * 512 }

    private var status: stat {
        var status = stat()
        let code = unsafe fstat(number, &status)
        precondition(code == 0, "a descriptor that is open has a status")
        return status
    }
}
