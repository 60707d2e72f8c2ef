import Remote
import Testing

@testable import ClusterRuntime

@Suite("PoolTurns")
struct PoolTurnsTests {
    private func pool(_ workers: WorkerID...) -> PoolTurns {
        var turns = PoolTurns()
        for worker in workers { _ = turns.add(worker) }
        return turns
    }

    @Test("the worker that is free for longest is taken first")
    func order() {
        var turns = pool(2, 3, 4)
        #expect(turns.take(1) == .here(2) && turns.take(2) == .here(3))
        #expect(turns.putBack(2) == PoolTurns.News())
        #expect(turns.take(3) == .here(4) && turns.take(4) == .here(2))
        #expect(turns.workers == [2, 3, 4] && turns.free == [])
    }

    @Test("who waits longest has the next worker")
    func turn() {
        var turns = pool(2)
        #expect(turns.take(1) == .here(2))
        #expect(turns.take(2) == .wait && turns.take(3) == .wait)
        #expect(turns.putBack(2).grant == PoolTurns.Grant(ticket: 2, worker: 2))
        #expect(turns.free == [])
        #expect(turns.add(5).grant == PoolTurns.Grant(ticket: 3, worker: 5))
        #expect(turns.putBack(2).grant == nil && turns.free == [2])
    }

    @Test("who gives up is passed over, and only once")
    func givenUp() {
        var turns = pool(2)
        _ = turns.take(1)
        #expect(turns.take(2) == .wait && turns.take(3) == .wait)
        #expect(turns.giveUp(2) && !turns.giveUp(2) && !turns.giveUp(99))
        #expect(turns.putBack(2).grant == PoolTurns.Grant(ticket: 3, worker: 2))
    }

    @Test("a worker is there once, and free once, however often it is added or put back")
    func twice() {
        var turns = pool(2, 2)
        #expect(turns.workers == [2] && turns.free == [2])
        _ = turns.putBack(2)
        #expect(turns.free == [2])
        #expect(turns.take(1) == .here(2) && turns.take(2) == .wait)
    }

    @Test("a worker that was removed while somebody had it does not come back")
    func removed() {
        var turns = pool(2, 3)
        #expect(turns.take(1) == .here(2))
        #expect(turns.remove(2) == PoolTurns.News())
        #expect(turns.putBack(2) == PoolTurns.News())
        #expect(turns.workers == [3] && turns.free == [3])
    }

    @Test("an empty pool has nothing to wait for, unless workers may come")
    func empty() {
        var turns = PoolTurns()
        #expect(turns.take(1) == .none && turns.look(1) == .none)
        #expect(turns.expect(true) == PoolTurns.News())
        #expect(turns.take(2) == .wait && turns.look(3) == .wait)
        #expect(turns.expect(false).hopeless == [2, 3] && turns.waitingCount == 0)
    }

    @Test("the end of the last worker is the end of waiting")
    func lastWorker() {
        var turns = pool(2, 3)
        _ = (turns.take(1), turns.take(2))
        #expect(turns.take(3) == .wait && turns.look(4) == .wait)
        #expect(turns.remove(2).hopeless == [])
        #expect(turns.remove(3).hopeless == [3, 4])
    }

    @Test("who only looks is told of a worker that nobody waits for, and leaves it where it is")
    func looking() {
        var turns = pool(2)
        #expect(turns.look(1) == .here(2) && turns.free == [2])
        _ = turns.take(2)
        #expect(turns.look(3) == .wait && turns.take(4) == .wait)
        let grant = turns.putBack(2)
        #expect(grant.grant == PoolTurns.Grant(ticket: 4, worker: 2) && grant.ready == [])
        #expect(turns.putBack(2).ready == [3] && turns.free == [2])
    }
}
