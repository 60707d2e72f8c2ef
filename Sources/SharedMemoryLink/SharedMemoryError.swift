import Glibc

/// Why shared memory could not be had, or is not trusted.
public struct SharedMemoryError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind of failure; compare it with the static members. New kinds may be added.
    public struct Code: Hashable, Sendable {
        private enum Kind { case outOfMemory, limitReached, untrusted, outOfBounds, notPlaced, system }
        private let kind: Kind
        /// The machine, or a limit that the system sets, has no more memory to give.
        public static let outOfMemory = Code(kind: .outOfMemory)
        /// The arena's own cap has no room for the segment.
        public static let limitReached = Code(kind: .limitReached)
        /// What a peer handed over is not memory of a fixed size, or not of the size that was agreed on.
        public static let untrusted = Code(kind: .untrusted)
        /// A peer named bytes that are not in its arena, or that it never allocated.
        public static let outOfBounds = Code(kind: .outOfBounds)
        /// Memory could not be placed on the NUMA node that was asked for; without a node it can be had.
        public static let notPlaced = Code(kind: .notPlaced)
        /// Another call to the operating system failed.
        public static let system = Code(kind: .system)
    }

    /// The kind of failure.
    public let code: Code
    /// What was tried, where, and what helps.
    public let description: String

    internal init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    /// Names what was not tried, because the system has only `left` bytes.
    internal init(_ action: String, left: Int) {
        self.init(
            .outOfMemory,
            "cannot \(action): the machine and its limits have \(left) bytes left; \(SharedMemoryError.cure)")
    }

    /// Names a node that memory can't be placed on.
    internal init(node: Int, errno: Int32) {
        let cure =
            switch errno {
            case EPERM: "; a container needs CAP_SYS_NICE for this, or a seccomp profile that allows mbind"
            case ENOSYS: "; this kernel was built without NUMA, or the container's seccomp profile hides mbind"
            case EINVAL: "; use a node that exists, has memory and is in this process's cpuset"
            case ENOMEM: "; raise the limit on mappings (vm.max_map_count)"
            default: ""
            }
        self.init(.notPlaced, SystemError("place shared memory on NUMA node \(node)", errno: errno).description + cure)
    }

    private static let cure =
        "free memory, or raise the limit on it (the cgroup's memory.max, ulimit -v, vm.overcommit_memory)"

    /// Names a failed call: "cannot `action`: reason; cure".
    internal init(_ action: String, errno: Int32) {
        let reason = SystemError(action, errno: errno).description
        switch errno {
        // EFAULT is what populating says where touching the page would have been SIGBUS.
        case ENOMEM, ENOSPC, EFAULT:
            self.init(.outOfMemory, "\(reason); \(SharedMemoryError.cure)")
        default: self.init(.system, reason)
        }
    }
}
