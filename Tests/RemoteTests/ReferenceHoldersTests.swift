import Testing

@testable import Remote

@Suite("ReferenceHolders")
struct ReferenceHoldersTests {
    @Test("it is empty when all that was taken is given back, whoever comes first")
    func counts() {
        var holders = ReferenceHolders(2)
        #expect(!holders.isEmpty && holders.contains(2) && !holders.contains(3))
        // Given back before it is told of.
        holders.change(3, by: -1)
        holders.change(2, by: -1)
        #expect(!holders.isEmpty && holders.contains(3) && !holders.contains(2))
        holders.change(3, by: 1)
        #expect(holders.isEmpty && !holders.contains(3))
        holders.change(4, by: 0)
        #expect(holders.isEmpty)
    }

    @Test("the same counts are the same holders, in whatever order they came")
    func equality() {
        var (one, other) = (ReferenceHolders(1), ReferenceHolders(1))
        for (process, change) in [(2, 1), (3, 2), (1, -1), (4, 1), (4, -1)] { one.change(process, by: change) }
        for (process, change) in [(1, -1), (4, -1), (3, 1), (4, 1), (3, 1), (2, 1)] {
            other.change(process, by: change)
        }
        #expect(one == other && one.hashValue == other.hashValue)
        other.change(3, by: -1)
        #expect(one != other)
    }

    @Test("who has ended holds nothing")
    func ended() {
        var holders = ReferenceHolders(1)
        holders.change(2, by: 3)
        holders.change(3, by: -1)
        holders.forget(2)
        #expect(!holders.contains(2) && !holders.isEmpty)
        holders.forget(1)
        holders.forget(9)
        #expect(!holders.isEmpty)
        holders.forget(3)
        #expect(holders.isEmpty)
    }

    @Test("what no honest process counts does not trap")
    func overflow() {
        var holders = ReferenceHolders(1)
        for _ in 0..<3 { holders.change(1, by: .max) }
        for _ in 0..<3 { holders.change(2, by: .min) }
        #expect(holders.contains(1))
    }
}
