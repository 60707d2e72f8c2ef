import Testing

@testable import Machine

@Suite("Memory policy")
struct MemoryPolicyTests {
    @Test(
        "a policy that is set is read back, or refused with a reason",
        arguments: [MemoryPolicy.bind([0]), .preferred(0), .interleave([0]), .local, .default])
    func readBack(policy: MemoryPolicy) throws {
        // A container may forbid the calls; then the error must say so.
        do throws(MemoryPolicyError) {
            let former = try MemoryPolicy.ofCurrentThread()
            try policy.setForCurrentThread()
            let current = try MemoryPolicy.ofCurrentThread()
            try former.setForCurrentThread()
            #expect(current == policy)
        } catch {
            #expect([1, 38].contains(error.errno) && error.description.contains("memory stays where first touched"))
        }
    }

    @Test(
        "nodes that are not there are an error that names the policy",
        arguments: [
            MemoryPolicy.bind([900]), .bind([1 << 40]), .preferred(-1), .interleave([]), .other(mode: 6, nodes: [0]),
        ])
    func absent(policy: MemoryPolicy) throws {
        let error = #expect(throws: MemoryPolicyError.self) { try policy.setForCurrentThread() }
        #expect(error?.policy == policy && error?.description.contains(policy.description) == true)
    }
}
