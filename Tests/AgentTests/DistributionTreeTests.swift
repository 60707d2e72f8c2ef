import Testing

@testable import Agent

@Suite("Who sends a block to whom")
struct DistributionTreeTests {
    @Test("the driver sends to two, every host to two at most, and all get it", arguments: [1, 2, 3, 7, 100, 1000])
    func fanOut(count: Int) {
        var tree = DistributionTree()
        var children: [Int?: Int] = [:]
        var depth: [Int: Int] = [:]
        for host in 0..<count {
            let sender = tree.sender(for: host) { _ in true }
            children[sender, default: 0] += 1
            depth[host] = sender.map { depth[$0]! + 1 } ?? 1
        }
        #expect(children.values.allSatisfy { $0 <= 2 } && children[nil] == min(count, 2))
        // Two binary trees: of n hosts each has (n + 1) / 2 at most.
        let levels = Int.bitWidth - ((count + 1) / 2).leadingZeroBitCount
        #expect(depth.values.max()! <= levels)
    }

    @Test("who can't be reached from any host gets it from the driver")
    func unreachable() {
        var tree = DistributionTree()
        let senders = (0..<5).map { tree.sender(for: $0) { _ in false } }
        #expect(senders == [nil, nil, nil, nil, nil])
    }

    @Test("who has left passes nothing on, and may come back")
    func removal() {
        var tree = DistributionTree()
        #expect(tree.isEmpty)
        for host in 0..<2 { _ = tree.sender(for: host) { _ in true } }
        tree.remove(0)
        let senders = [2, 0, 3].map { tree.sender(for: $0) { _ in true } }
        #expect(senders == [1, 1, 2])
        for host in 0..<4 { tree.remove(host) }
        #expect(tree.isEmpty)
    }
}
