import CPlatform
import Glibc
import Synchronization
import Testing
import Transport

@testable import SharedMemoryLink

/// What two threads of a race tell each other.
private final class Race: Sendable {
    /// The round that has begun (-1: no more), and the last one in which the mover is done.
    let begun = Atomic(0)
    let done = Atomic(0)
}

@Suite("RingCount")
struct RingCountTests {
    /// Both sides store and then look at what the other has stored, at once: without a total order over the four, each
    /// may look before its store leaves its CPU, and neither sees the other. With release and acquire alone this test fails
    /// on a PC in most runs.
    @Test("whoever falls asleep while the count moves sees that, or is woken")
    func race() async throws {
        let deadline = monotonicSeconds() + (unsafe getenv("MUSTER_TEST_FULL") != nil ? 10 : 0.1)
        let memory = try SharedMemory(byteCount: 4096)
        // SAFETY: two places inside the memory, which is kept until both threads are through.
        let count = unsafe RingCount(value: memory.bytes.baseAddress!, isAwaited: memory.bytes.baseAddress! + 128)
        count.reset()
        let race = Race()
        SystemThread.start(named: "test-mover") {
            var last = 0
            while true {
                let round = race.begun.load(ordering: .acquiring)
                if round == last {
                    platform_relax()
                } else if round < 0 {
                    sleep(1000)
                } else {
                    count.advance(to: UInt64(round), waking: .futex)
                    race.done.store(round, ordering: .releasing)
                    last = round
                }
            }
        }
        let outcome = Eventual<(rounds: Int, lost: Int)>()
        SystemThread.start(named: "test-sleeper") {
            var (round, lost) = (0, 0)
            while monotonicSeconds() < deadline {
                round += 1
                race.begun.store(round, ordering: .releasing)
                // The other hears of it a little later; how much differs.
                for _ in 0..<round % 64 { _ = race.done.load(ordering: .relaxed) }
                let maySleep = count.announceSleep(seen: UInt64(round - 1))
                while race.done.load(ordering: .acquiring) != round { platform_relax() }
                let sleepsOn = unsafe memory.bytes.load(fromByteOffset: 128, as: UInt32.self) == 1
                if maySleep, sleepsOn { lost += 1 }
                count.announceWaking()
            }
            race.begun.store(-1, ordering: .releasing)
            outcome.fulfil((round, lost))
            while true { sleep(1000) }
        }
        let (rounds, lost) = await outcome.get()
        #expect(rounds > 0 && lost == 0)
        withExtendedLifetime(memory) {}
    }
}
