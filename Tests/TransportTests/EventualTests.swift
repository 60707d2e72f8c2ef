import Synchronization
import Testing
import Transport

@Suite("Eventual")
struct EventualTests {
    @Test("only the first value counts")
    func first() async {
        let eventual = Eventual<Int>()
        #expect(eventual.value == nil)
        #expect(eventual.fulfil(1))
        #expect(!eventual.fulfil(2))
        #expect(eventual.value == 1)
        #expect(await eventual.get() == 1)
    }

    @Test("all who wait get the value, those who asked before and after, from many threads")
    func everybody() async {
        let eventual = Eventual<Int>()
        await withTaskGroup(of: Int.self) { group in
            for _ in 0..<50 { group.addTask { await eventual.get() } }
            group.addTask {
                eventual.fulfil(7)
                return 7
            }
            for _ in 0..<50 { group.addTask { await eventual.get() } }
            for await value in group { #expect(value == 7) }
        }
    }

    @Test("of many who give it at the same time one does")
    func race() async {
        for _ in 0..<200 {
            let eventual = Eventual<Int>()
            let count = await withTaskGroup(of: Bool.self) { group in
                for number in 0..<4 { group.addTask { eventual.fulfil(number) } }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(count == 1)
        }
    }

    @Test("an action runs once, at once if the value is there")
    func actions() {
        let eventual = Eventual<Int>()
        let sum = Atomic(0)
        eventual.whenHere { sum.add($0, ordering: .relaxed) }
        #expect(sum.load(ordering: .relaxed) == 0)
        eventual.fulfil(5)
        #expect(sum.load(ordering: .relaxed) == 5)
        eventual.whenHere { sum.add($0, ordering: .relaxed) }
        #expect(sum.load(ordering: .relaxed) == 10)
    }
}
