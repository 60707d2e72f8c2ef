public import Placement

/// What a thread is bound to, as the kernel has it: what a worker reports after it was placed.
///
/// A mask and a policy that were set are a wish until they have been read back: a cpuset may have changed since the
/// plan was made, and a container may refuse policies.
public struct Binding: Hashable, Sendable {
    /// The CPUs that the thread may run on.
    public var cpus: CPUSet
    /// Where its memory comes from; nil where that can't be read.
    public var memory: MemoryPolicy?

    /// Creates a binding, as one that came from another process.
    public init(cpus: CPUSet, memory: MemoryPolicy?) {
        self.cpus = cpus
        self.memory = memory
    }

    /// A binding as the kernel gives it.
    ///
    /// - Parameters:
    ///   - mask: Bit `n % 64` of word `n / 64` is CPU `n`.
    ///   - memory: The policy's number and its nodes, bit for bit; nil if unknown.
    package init(mask: [UInt64], memory: (mode: CInt, nodes: [UInt])?) {
        cpus = CPUSet(words: mask)
        self.memory = memory.map { MemoryPolicy.read(mode: $0.mode, nodes: MemoryPolicy.nodes(in: $0.nodes)) }
    }

    /// The binding of the calling thread.
    ///
    /// - Throws: ``AffinityError`` if the CPUs can't be read; a memory policy that can't be read is nil.
    public static func ofCurrentThread() throws(AffinityError) -> Binding {
        Binding(cpus: try affinity(), memory: try? MemoryPolicy.ofCurrentThread())
    }

    /// How the binding differs from the plan, in one sentence; nil if it is as planned.
    ///
    /// - Parameter memory: The policy that was asked for; nil if none was.
    public func difference(from plan: PlacementPlan.Worker, memory policy: MemoryPolicy? = nil) -> String? {
        if cpus != plan.cpus {
            return "worker \(plan.worker) is bound to CPU \(cpus), not to \(plan.cpus) as planned"
        }
        if let policy, let memory, memory != policy {
            return "worker \(plan.worker) has the memory policy '\(memory)', not '\(policy)' as planned"
        }
        return nil
    }
}
