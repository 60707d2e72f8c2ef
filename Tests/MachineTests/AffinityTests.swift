import Placement
import Testing

@testable import Machine

@Suite("Affinity")
struct AffinityTests {
    @Test("what is bound is read back", .serialized, arguments: Array(inheritedAffinity))
    func readBack(cpu: Int) throws {
        let former = try affinity()
        defer { try? bindCurrentThread(to: former) }
        try bindCurrentThread(to: [cpu])
        #expect(try affinity() == [cpu])
    }

    @Test("a CPU that isn't there is an error that names it and the allowed set, and changes nothing")
    func absent() throws {
        let former = try affinity()
        let far = 100_000
        for cpus in [[far], [former.min ?? 0, far]] as [CPUSet] {
            let error = #expect(throws: AffinityError.self) { try bindCurrentThread(to: cpus) }
            #expect(error?.cpus == cpus && error?.allowed == inheritedAffinity)
            #expect(error?.description.contains("CPU \(far) is not among") == true)
            #expect(try affinity() == former)
        }
    }

    @Test("what can't be read is an error by itself, without asking for what else is allowed")
    func unreadable() {
        let error = #expect(throws: AffinityError.self) { _ = try affinity(of: .max) }
        #expect(error?.allowed == [])
        #expect(error?.description == "the CPU binding could not be read or set: No such process")
    }

    @Test("an empty set is refused by the kernel")
    func empty() {
        #expect(throws: AffinityError.self) { try bindCurrentThread(to: []) }
    }
}
