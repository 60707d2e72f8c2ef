internal import CNuma
internal import Glibc

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
    /// From these nodes in turn: for data that all of them read.
    case interleave(Set<Int>)
    /// A policy that is none of these, as the kernel numbers it; can be read, not set.
    case other(mode: Int, nodes: Set<Int>)
}

/// Setting or reading a memory policy failed.
///
/// Not fatal in itself: containers often forbid the call, and workers run without it, only further from their memory.
public struct MemoryPolicyError: Error, Hashable {
    /// The `errno` value: `EPERM` where a container forbids the call, `ENOSYS` where the kernel lacks it, `EINVAL` for
    /// nodes that are not there or not allowed.
    public let errno: CInt
    /// The policy that was to be set; nil if one was read.
    public let policy: MemoryPolicy?
}

extension MemoryPolicyError: CustomStringConvertible {
    /// What failed, why, and what it means, in one line.
    public var description: String {
        let call = policy.map { "the memory policy could not be set to \($0)" } ?? "the memory policy could not be read"
        let cure =
            switch errno {
            case EPERM, ENOSYS: "; memory stays where first touched (a container needs CAP_SYS_NICE for this)"
            case EINVAL: "; use nodes that exist, have memory and are in this process's cpuset"
            default: ""
            }
        return "\(call): \(errorText(errno))\(cure)"
    }
}

extension MemoryPolicy: CustomStringConvertible {
    /// The policy in words, such as `bind to node 0,1`.
    public var description: String {
        func list(_ nodes: Set<Int>) -> String { nodes.sorted().map(String.init).joined(separator: ",") }
        return switch self {
        case .default: "default"
        case .local: "local"
        case .bind(let nodes): "bind to node \(list(nodes))"
        case .preferred(let node): "prefer node \(node)"
        case .interleave(let nodes): "interleave over node \(list(nodes))"
        case .other(let mode, let nodes): "mode \(mode) on node \(list(nodes))"
        }
    }
}

extension MemoryPolicy {
    /// The largest node number asked of the kernel; it knows at most 1024 nodes.
    private static let largestNode = (1 << 16) - 1

    /// Makes this the policy of the calling thread.
    ///
    /// - Throws: ``MemoryPolicyError`` with the reason, so that the caller can warn and go on; `EINVAL` also for
    ///   ``other(mode:nodes:)`` and for no nodes.
    public func setForCurrentThread() throws(MemoryPolicyError) {
        let (mode, nodes): (CInt, Set<Int>) =
            switch self {
            case .default: (MPOL_DEFAULT, [])
            case .local: (MPOL_LOCAL, [])
            case .bind(let nodes): (MPOL_BIND, nodes)
            case .preferred(let node): (MPOL_PREFERRED, [node])
            case .interleave(let nodes): (MPOL_INTERLEAVE, nodes)
            case .other: (-1, [])
            }
        guard mode >= 0, nodes.allSatisfy({ $0 >= 0 && $0 <= Self.largestNode }) else {
            throw MemoryPolicyError(errno: EINVAL, policy: self)
        }
        var mask = [UInt](repeating: 0, count: nodes.max().map { $0 / UInt.bitWidth + 1 } ?? 0)
        for node in nodes { mask[node / UInt.bitWidth] |= 1 << UInt(node % UInt.bitWidth) }
        // SAFETY: the kernel reads the mask's bits during the call and keeps no pointer. It takes the count for one
        // more than the bits it may read, and 0 for a huge count.
        let code = unsafe mask.withUnsafeBufferPointer {
            unsafe set_mempolicy(mode, $0.baseAddress, UInt($0.count * UInt.bitWidth + 1))
        }
        guard code == 0 else { throw MemoryPolicyError(errno: errno, policy: self) }
    }

    /// The policy of the calling thread, as the kernel has it.
    ///
    /// - Throws: ``MemoryPolicyError`` with the reason.
    public static func ofCurrentThread() throws(MemoryPolicyError) -> MemoryPolicy {
        var mode: CInt = 0
        var mask = [UInt](repeating: 0, count: 1024 / UInt.bitWidth)
        while true {
            // SAFETY: the kernel writes an integer and at most the mask's bits, and keeps no pointer.
            let code = unsafe mask.withUnsafeMutableBufferPointer {
                unsafe get_mempolicy(&mode, $0.baseAddress, UInt($0.count * UInt.bitWidth), nil, 0)
            }
            if code == 0 { break }
            // EINVAL: the kernel's masks are larger than ours.
            guard errno == EINVAL, mask.count * UInt.bitWidth <= largestNode else {
                throw MemoryPolicyError(errno: errno, policy: nil)
            }
            mask = [UInt](repeating: 0, count: mask.count * 2)
        }
        let nodes = Set(
            (0..<(mask.count * UInt.bitWidth)).filter { mask[$0 / UInt.bitWidth] >> UInt($0 % UInt.bitWidth) & 1 != 0 })
        // The kernel adds flags from bit 13 up, which say how it follows changes of the cpuset.
        switch mode & 0x1fff {
        case MPOL_DEFAULT: return .default
        case MPOL_LOCAL: return .local
        case MPOL_BIND: return .bind(nodes)
        case MPOL_INTERLEAVE: return .interleave(nodes)
        case MPOL_PREFERRED:
            guard let node = nodes.first else { return .local }
            return .preferred(node)
        case let mode: return .other(mode: Int(mode), nodes: nodes)
        }
    }
}
