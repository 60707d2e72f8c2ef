internal import CNuma
internal import Glibc
internal import Placement

/// Where the kernel takes a thread's memory from, page by page as it is first touched.
///
/// Threads and processes started by a thread inherit its policy. Nodes are OS indices.
public enum MemoryPolicy: Hashable, Sendable {
    /// From the node of the CPU that touches the page first, or the nearest with free memory.
    case `default`
    /// Like `default`, also where the process has another policy.
    case local
    /// From these nodes only; allocation fails where they are full.
    case bind(Set<Int>)
    /// From this node while it has memory, then from the nearest.
    case preferred(Int)
    /// From the nearest of these nodes while one of them has memory, then from the nearest of all. Linux 5.15.
    case preferredMany(Set<Int>)
    /// From these nodes in turn: for data that all of them read.
    case interleave(Set<Int>)
    /// From these nodes in turn, from fast ones more pages in a row than from slow ones. Linux 6.9.
    ///
    /// How many is the kernel's to say, `/sys/kernel/mm/mempolicy/weighted_interleave/node0` and so on: by what it knows
    /// of the nodes' bandwidth (Linux 6.16), or as the administrator wrote there, or one page each.
    case weightedInterleave(Set<Int>)
    /// A policy that is none of these, as the kernel numbers it; can be read, not set.
    case other(mode: Int, nodes: Set<Int>)
}

/// Setting or reading a memory policy failed.
///
/// Not fatal in itself: containers often forbid the call, and workers run without it, only further from their memory.
public struct MemoryPolicyError: Error, Hashable {
    /// The `errno` value: `EPERM` where a container forbids the call, `ENOSYS` where the kernel lacks it, `EINVAL` for
    /// nodes that are not there or not allowed, and for a policy that the kernel does not know.
    public let errno: CInt
    /// The policy that was to be set; nil if one was read.
    public let policy: MemoryPolicy?
    /// The nodes from which this thread may have memory, where some of the policy's are not among them; else nil.
    public let allowed: Set<Int>?

    init(errno: CInt, policy: MemoryPolicy?, allowed: Set<Int>? = nil) {
        self.errno = errno
        self.policy = policy
        self.allowed = allowed
    }
}

extension MemoryPolicyError: CustomStringConvertible {
    /// What failed, why, and what it means, in one line.
    public var description: String {
        let call =
            policy.map { "the memory policy could not be set to '\($0)'" } ?? "the memory policy could not be read"
        let cure =
            switch errno {
            case EPERM, ENOSYS: "; memory stays where first touched (a container needs CAP_SYS_NICE for this)"
            case EINVAL:
                if let allowed {
                    "; use nodes that exist, have memory and are in this process's cpuset: \(MemoryPolicy.list(allowed))"
                } else {
                    "; use nodes that exist, have memory and are in this process's cpuset, and a policy that this kernel has"
                }
            default: ""
            }
        return "\(call): \(errorText(errno))\(cure)"
    }
}

extension MemoryPolicy: CustomStringConvertible {
    /// The policy in words, such as `bind to node 0,1`.
    public var description: String {
        switch self {
        case .default: "default"
        case .local: "local"
        case .bind(let nodes): "bind to node \(Self.list(nodes))"
        case .preferred(let node): "prefer node \(node)"
        case .preferredMany(let nodes): "prefer node \(Self.list(nodes)), the nearest first"
        case .interleave(let nodes): "interleave over node \(Self.list(nodes))"
        case .weightedInterleave(let nodes): "interleave by weight over node \(Self.list(nodes))"
        case .other(let mode, let nodes): "mode \(mode) on node \(Self.list(nodes))"
        }
    }

    fileprivate static func list(_ nodes: Set<Int>) -> String { nodes.sorted().map(String.init).joined(separator: ",") }
}

extension MemoryPolicy {
    /// What comes nearest to this policy in a kernel that does not know it; nil for policies that every kernel knows.
    public var fallback: MemoryPolicy? {
        switch self {
        case .weightedInterleave(let nodes): .interleave(nodes)
        // The first: from where the thread runs would be from none of them, where they are nodes without CPUs.
        case .preferredMany(let nodes): nodes.min().map { .preferred($0) }
        case .default, .local, .bind, .preferred, .interleave, .other: nil
        }
    }

    /// The nodes that it names.
    public var nodes: Set<Int> {
        switch self {
        case .default, .local: []
        case .preferred(let node): [node]
        case .bind(let nodes), .preferredMany(let nodes), .interleave(let nodes), .weightedInterleave(let nodes),
            .other(_, let nodes):
            nodes
        }
    }
}

extension MemoryPolicy {
    /// The largest node number asked of the kernel; it knows at most 1024 nodes.
    private static let largestNode = (1 << 16) - 1
    // Newer than the headers of some systems that this is built on.
    private static let preferredManyMode: CInt = 5
    private static let weightedInterleaveMode: CInt = 6

    /// The kernel's number for it; nil for a policy that can't be set.
    private var mode: CInt? {
        switch self {
        case .default: MPOL_DEFAULT
        case .local: MPOL_LOCAL
        case .bind: MPOL_BIND
        case .preferred: MPOL_PREFERRED
        case .preferredMany: Self.preferredManyMode
        case .interleave: MPOL_INTERLEAVE
        case .weightedInterleave: Self.weightedInterleaveMode
        case .other: nil
        }
    }

    /// A policy that the kernel told of.
    ///
    /// - Parameter mode: Its number, with the flags from bit 13 up, which say how it follows changes of the cpuset.
    static func read(mode: CInt, nodes: Set<Int>) -> MemoryPolicy {
        switch mode & 0x1fff {
        case MPOL_DEFAULT: .default
        case MPOL_LOCAL: .local
        case MPOL_BIND: .bind(nodes)
        case MPOL_PREFERRED: nodes.min().map { .preferred($0) } ?? .local
        case preferredManyMode: .preferredMany(nodes)
        case MPOL_INTERLEAVE: .interleave(nodes)
        case weightedInterleaveMode: .weightedInterleave(nodes)
        case let mode: .other(mode: Int(mode), nodes: nodes)
        }
    }

    /// Nodes as the kernel reads them, bit n for node n; nil if one has a number that no node has.
    static func mask(of nodes: Set<Int>) -> [UInt]? {
        guard nodes.allSatisfy({ $0 >= 0 && $0 <= largestNode }) else { return nil }
        var mask = [UInt](repeating: 0, count: nodes.max().map { $0 / UInt.bitWidth + 1 } ?? 0)
        for node in nodes { mask[node / UInt.bitWidth] |= 1 << UInt(node % UInt.bitWidth) }
        return mask
    }

    /// The nodes in a mask of the kernel's.
    static func nodes(in mask: [UInt]) -> Set<Int> {
        Set((0..<mask.count * UInt.bitWidth).filter { mask[$0 / UInt.bitWidth] >> UInt($0 % UInt.bitWidth) & 1 != 0 })
    }

    /// Makes this the policy of the calling thread.
    ///
    /// - Throws: ``MemoryPolicyError`` with the reason, so that the caller can warn and go on; `EINVAL` also for
    ///   ``other(mode:nodes:)``, for no nodes, and if this thread may not have memory from one of them, which the kernel
    ///   would drop without a word.
    public func setForCurrentThread() throws(MemoryPolicyError) {
        guard let mode, let mask = Self.mask(of: nodes) else { throw MemoryPolicyError(errno: EINVAL, policy: self) }
        if !nodes.isEmpty, let allowed = try? Self.allowedNodes(), !nodes.isSubset(of: allowed) {
            throw MemoryPolicyError(errno: EINVAL, policy: self, allowed: allowed)
        }
        // SAFETY: the kernel reads the mask's bits during the call and keeps no pointer. It takes the count for one
        // more than the bits it may read, and 0 for a huge count.
        let code = unsafe mask.withUnsafeBufferPointer {
            unsafe set_mempolicy(mode, $0.baseAddress, UInt($0.count * UInt.bitWidth + 1))
        }
        guard code == 0 else { throw MemoryPolicyError(errno: errno, policy: self) }
    }

    /// Makes this, or its ``fallback`` in a kernel that does not know it, the policy of the calling thread.
    ///
    /// ```swift
    /// let policy = MemoryPolicy.weightedInterleave([0, 1])
    /// let set = try policy.setBestForCurrentThread()
    /// if set != policy { print("this kernel has no '\(policy)'; it is '\(set)'") }
    /// ```
    ///
    /// - Returns: The policy that was set.
    /// - Throws: ``MemoryPolicyError`` as ``setForCurrentThread()`` does, about this policy, when the fallback can't be
    ///   set either.
    public func setBestForCurrentThread() throws(MemoryPolicyError) -> MemoryPolicy {
        do throws(MemoryPolicyError) {
            try setForCurrentThread()
            return self
        } catch {
            // A kernel says the same of a policy that it does not know and of nodes that can't be had; those were looked at.
            guard error.errno == EINVAL, error.allowed == nil, let fallback else { throw error }
            do throws(MemoryPolicyError) {
                try fallback.setForCurrentThread()
            } catch _ {
                throw error
            }
            return fallback
        }
    }

    /// The policy of the calling thread, as the kernel has it.
    ///
    /// - Throws: ``MemoryPolicyError`` with the reason.
    public static func ofCurrentThread() throws(MemoryPolicyError) -> MemoryPolicy {
        let (mode, nodes) = try ask(flags: 0)
        return read(mode: mode, nodes: nodes)
    }

    /// The nodes from which the calling thread may have memory: those of its cpuset that have any.
    ///
    /// - Throws: ``MemoryPolicyError`` with the reason.
    public static func allowedNodes() throws(MemoryPolicyError) -> Set<Int> {
        do throws(MemoryPolicyError) {
            return try ask(flags: UInt32(MPOL_F_MEMS_ALLOWED)).nodes
        } catch {
            // Where a container forbids the call, the file tells the same.
            guard let status = try? readFile("/proc/thread-self/status", limit: 1 << 20),
                let nodes = allowedNodes(status: String(decoding: status, as: UTF8.self))
            else { throw error }
            return nodes
        }
    }

    /// - Parameter status: /proc/thread-self/status: lines of a name, a colon, a tab and a value.
    static func allowedNodes(status: String) -> Set<Int>? {
        let name = "Mems_allowed_list:"
        guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix(name) }),
            let nodes = try? CPUSet.list(parsing: line.dropFirst(name.count)), !nodes.isEmpty
        else { return nil }
        return Set(nodes)
    }

    private static func ask(flags: UInt32) throws(MemoryPolicyError) -> (mode: CInt, nodes: Set<Int>) {
        var mode: CInt = 0
        var mask = [UInt](repeating: 0, count: 1024 / UInt.bitWidth)
        while true {
            // SAFETY: the kernel writes an integer and at most the mask's bits, and keeps no pointer.
            let code = unsafe mask.withUnsafeMutableBufferPointer {
                unsafe get_mempolicy(&mode, $0.baseAddress, UInt($0.count * UInt.bitWidth), nil, flags)
            }
            if code == 0 { return (mode, nodes(in: mask)) }
            // EINVAL: the kernel's masks are larger than ours.
            guard errno == EINVAL, mask.count * UInt.bitWidth <= largestNode else {
                throw MemoryPolicyError(errno: errno, policy: nil)
            }
            mask = [UInt](repeating: 0, count: mask.count * 2)
        }
    }
}
