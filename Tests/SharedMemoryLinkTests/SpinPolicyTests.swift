import SharedMemoryLink
import Testing

@Suite("SpinPolicy")
struct SpinPolicyTests {
    private let limit = 50e-6

    /// What a policy costs where looking never helps: the looks, in units of the limit.
    private func looks(_ policy: inout SpinPolicy, waits: Int, seconds: Double) -> Double {
        (0..<waits).reduce(0) { sum, _ in
            let patience = policy.patience
            policy.slept(seconds: seconds)
            return sum + patience / limit
        }
    }

    @Test("it looks for as long as allowed while news come meanwhile")
    func succeeds() {
        var policy = SpinPolicy(limit: limit)
        for _ in 0..<1000 { policy.found() }
        #expect(policy == SpinPolicy(limit: limit))
        #expect(policy.patience == limit)
    }

    @Test("sides that share a CPU stop looking, and all their later tries cost next to nothing")
    func shared() {
        var policy = SpinPolicy(limit: limit)
        #expect(looks(&policy, waits: 10, seconds: 10e-6) < 4)
        #expect(looks(&policy, waits: 1_000_000, seconds: 10e-6) < 1100)
    }

    @Test("long waits are not looked at any more, nor tried again")
    func long() {
        var policy = SpinPolicy(limit: limit)
        #expect(looks(&policy, waits: 6, seconds: 10e-3) < 2)
        #expect(policy.patience == 0)
        #expect(looks(&policy, waits: 10_000, seconds: 10e-3) == 0)
    }

    @Test("when long waits become short ones, it looks again after the first")
    func recovers() {
        var policy = SpinPolicy(limit: limit)
        _ = looks(&policy, waits: 100, seconds: 10e-3)
        policy.slept(seconds: 60e-6)
        #expect(policy.patience == limit)
        policy.found()
        for _ in 0..<100 { policy.found() }
        #expect(policy.patience == limit)
        policy.slept(seconds: 1)  // one long wait among short ones
        #expect(policy.patience == limit / 2)
        policy.found()
        #expect(policy.patience == limit)
    }

    @Test("a core that becomes free is noticed, however long it was shared")
    func freed() {
        var policy = SpinPolicy(limit: limit)
        _ = looks(&policy, waits: 1_000_000, seconds: 10e-6)
        var waits = 0
        while policy.patience == 0, waits < 10_000 {
            policy.slept(seconds: 60e-6)
            waits += 1
        }
        #expect(waits <= 1024)
        policy.found()
        #expect(policy.patience == limit)
    }

    @Test("who may not look never does")
    func never() {
        var policy = SpinPolicy.never
        #expect(looks(&policy, waits: 1000, seconds: 1e-6) == 0)
        #expect(policy.patience == 0)
    }
}
