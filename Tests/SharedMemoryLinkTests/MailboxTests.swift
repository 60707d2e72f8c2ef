import SharedMemoryLink
import Synchronization
import Testing

@Suite("Mailbox")
struct MailboxTests {
    @Test("what is put in comes out in that order, in whatever portions")
    func order() {
        let mailbox = Mailbox<Int>()
        var (next, expected) = (0, 0)
        for portion in [1, 5, 3000, 2, 700, 1500] {
            for _ in 0..<portion {
                mailbox.put(next)
                next += 1
            }
            for _ in 0..<(portion + 1) / 2 {
                #expect(mailbox.take() == expected)
                expected += 1
            }
        }
        while expected < next {
            #expect(mailbox.take() == expected)
            expected += 1
        }
    }

    @Test("a thread that waits is woken, and nothing is lost between many that put")
    func threads() async {
        let mailbox = Mailbox<Int>()
        let (sum, count) = (Counter(), Counter())
        SystemThread.start(named: "test-taker") {
            while true {
                sum.add(mailbox.take())
                count.add(1)
            }
        }
        await withTaskGroup { group in
            for first in 0..<4 { group.addTask { for number in 0..<2500 { mailbox.put(first * 2500 + number) } } }
        }
        #expect(await eventually { count.value == 10_000 })
        #expect(sum.value == 10_000 * 9_999 / 2)
    }
}

private final class Counter: Sendable {
    private let number = Atomic(0)
    var value: Int { number.load(ordering: .acquiring) }
    func add(_ amount: Int) { number.add(amount, ordering: .acquiringAndReleasing) }
}
