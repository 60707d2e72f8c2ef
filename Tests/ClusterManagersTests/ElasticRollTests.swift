import Remote
import Testing

@testable import ClusterManagers

@Suite("Who an elastic manager says is there")
struct ElasticRollTests {
    private var roll = ElasticRoll<String>()

    @Test("nobody at first")
    func empty() {
        #expect(
            roll.lines == ["  active workers: none", "  pending workers: none", "  gone workers: none"])
    }

    @Test("hosts that bring workers are pending until those are up")
    mutating func pending() {
        for host in ["a", "b", "c"] { roll.came(host) }
        roll.isBringing("a", 4, on: "node1")
        roll.isBringing("b", nil, on: "node2")
        roll.isBringing("never came", 9, on: "node9")
        #expect(
            roll.lines[1]
                == "  pending workers: 4 on node1, one for each core on node2, those of a host that has just joined")
        for host in ["b", "a", "c", "a"] { roll.hasBrought(host) }
        #expect(roll.lines[1] == "  pending workers: none")
    }

    @Test("those that are gone are told by reason, the oldest first")
    mutating func gone() {
        for id in 2...7 { roll.registered(.init(id)) }
        roll.ended(3, "was ended by signal 9 (Killed)")
        for id in [2, 4] { roll.ended(.init(id), "was removed from the cluster") }
        for id in [4, 3, 2] { roll.deregistered(.init(id)) }
        #expect(roll.lines[0] == "  active workers: 5-7")
        #expect(
            roll.lines[2] == "  gone workers: 2,4 (was removed from the cluster), 3 (was ended by signal 9 (Killed))")
    }

    @Test("one whose end is noticed before its beginning is gone")
    mutating func outOfOrder() {
        roll.deregistered(2)
        roll.registered(2)
        #expect(roll.lines[0] == "  active workers: none" && roll.lines[2] == "  gone workers: 2")
    }
}
