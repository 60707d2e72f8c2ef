import Glibc
import Testing

@testable import Machine

@Suite("Memory policy")
struct MemoryPolicyTests {
    /// Sets a policy as `set` does, and reads it back; then this thread has its former one again.
    private func readBack(
        _ set: () throws(MemoryPolicyError) -> Void
    ) throws(MemoryPolicyError) -> MemoryPolicy {
        let former = try MemoryPolicy.ofCurrentThread()
        try set()
        let current = try MemoryPolicy.ofCurrentThread()
        try former.setForCurrentThread()
        return current
    }

    @Test(
        "a policy that is set is read back, or refused with a reason",
        arguments: [MemoryPolicy.bind([0]), .preferred(0), .interleave([0]), .local, .default])
    func usual(policy: MemoryPolicy) throws {
        // A container may forbid the calls; then the error must say so.
        do throws(MemoryPolicyError) {
            let current = try readBack { () throws(MemoryPolicyError) in try policy.setForCurrentThread() }
            #expect(current == policy)
        } catch {
            #expect([EPERM, ENOSYS].contains(error.errno))
            #expect(error.description.contains("memory stays where first touched"))
        }
    }

    @Test(
        "a policy of newer kernels is read back, or what stands in for it",
        arguments: [MemoryPolicy.preferredMany([0]), .weightedInterleave([0])])
    func newer(policy: MemoryPolicy) throws {
        do throws(MemoryPolicyError) {
            var chosen: MemoryPolicy?
            let current = try readBack { () throws(MemoryPolicyError) in chosen = try policy.setBestForCurrentThread() }
            #expect(current == chosen)
            if chosen != policy {
                print("skipped: this kernel has no memory policy '\(policy)'")
                #expect(chosen == policy.fallback)
            }
        } catch {
            print("skipped: \(error)")
            #expect([EPERM, ENOSYS].contains(error.errno))
        }
    }

    @Test("what stands in for a policy keeps its nodes, as far as it can name them")
    func fallback() {
        #expect(MemoryPolicy.weightedInterleave([3, 1]).fallback == .interleave([3, 1]))
        #expect(MemoryPolicy.preferredMany([3, 1]).fallback == .preferred(1))
        #expect(MemoryPolicy.preferredMany([]).fallback == nil)
        let others: [MemoryPolicy] = [
            .default, .local, .bind([0]), .preferred(0), .interleave([0]), .other(mode: 9, nodes: []),
        ]
        for policy in others { #expect(policy.fallback == nil) }
    }

    @Test("a node is a bit of the mask, counted from the lowest of the first word")
    func mask() {
        #expect(MemoryPolicy.mask(of: []) == [])
        #expect(MemoryPolicy.mask(of: [0]) == [1])
        #expect(MemoryPolicy.mask(of: [1, 63]) == [0x8000_0000_0000_0002])
        #expect(MemoryPolicy.mask(of: [0, 64, 130]) == [1, 1, 4])
        #expect(MemoryPolicy.mask(of: [-1]) == nil && MemoryPolicy.mask(of: [1 << 40]) == nil)
        for nodes: Set<Int> in [[], [0], [5, 64, 1023]] {
            #expect(MemoryPolicy.mask(of: nodes).map { MemoryPolicy.nodes(in: $0) } == nodes)
        }
    }

    @Test("the kernel's numbers are its policies, whatever flags are added; one that is not known is told as it is")
    func numbers() {
        let expected: [(CInt, MemoryPolicy)] = [
            (0, .default), (1, .preferred(2)), (2, .bind([2, 4])), (3, .interleave([2, 4])), (4, .local),
            (5, .preferredMany([2, 4])), (6, .weightedInterleave([2, 4])), (7, .other(mode: 7, nodes: [2, 4])),
        ]
        for (mode, policy) in expected {
            #expect(MemoryPolicy.read(mode: mode, nodes: [2, 4]) == policy)
            #expect(MemoryPolicy.read(mode: mode | 1 << 15, nodes: [2, 4]) == policy)
        }
        #expect(MemoryPolicy.read(mode: 1, nodes: []) == .local)
    }

    @Test(
        "nodes that are not there are an error that names the policy",
        arguments: [
            MemoryPolicy.bind([900]), .bind([1 << 40]), .preferred(-1), .interleave([]), .other(mode: 6, nodes: [0]),
            .weightedInterleave([900]), .preferredMany([900]), .preferredMany([]),
        ])
    func absent(policy: MemoryPolicy) throws {
        for set in [{ try policy.setForCurrentThread() }, { _ = try policy.setBestForCurrentThread() }] {
            let error = #expect(throws: MemoryPolicyError.self) { try set() }
            #expect(error?.policy == policy && error?.description.contains(policy.description) == true)
        }
    }

    @Test("a node that the kernel would drop beside one that is there is an error that says which there are")
    func partly() throws {
        guard let allowed = try? MemoryPolicy.allowedNodes(), let first = allowed.min() else {
            return print("skipped: the nodes that this process may have memory from can't be read here")
        }
        // The largest number that the kernel may know a node by; it has no memory here.
        let error = #expect(throws: MemoryPolicyError.self) {
            try MemoryPolicy.interleave([first, 1023]).setForCurrentThread()
        }
        #expect(error?.errno == EINVAL && error?.allowed == allowed)
        let list = allowed.sorted().map(String.init).joined(separator: ",")
        #expect(error?.description.hasSuffix("cpuset: \(list)") == true)
    }

    @Test("where the call for them is forbidden, the nodes are read from the thread's status")
    func status() throws {
        let text = "Name:\tx\nMems_allowed:\t00000000,00000013\nMems_allowed_list:\t0-1,4\nthreads:\t1\n"
        #expect(MemoryPolicy.allowedNodes(status: text) == [0, 1, 4])
        for bad in ["", "Mems_allowed_list:\t\n", "Mems_allowed_list:\tx\n", "Mems_allowed:\t1\n"] {
            #expect(MemoryPolicy.allowedNodes(status: bad) == nil, "\(bad)")
        }
        // The two ways say the same, here too.
        let file = try String(decoding: readFile("/proc/thread-self/status", limit: 1 << 20), as: UTF8.self)
        #expect(try MemoryPolicy.allowedNodes(status: file) == MemoryPolicy.allowedNodes())
    }
}
