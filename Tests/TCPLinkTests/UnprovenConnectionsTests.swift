import Testing

@testable import TCPLink

@Suite("UnprovenConnections")
struct UnprovenConnectionsTests {
    typealias Connections = UnprovenConnections<Int>

    /// A few, so that the numbers can be seen.
    private func few(perSource: Int = 2, total: Int = 4) -> Connections {
        var limits = Connections.Limits()
        (limits.perSource, limits.total) = (perSource, total)
        return Connections(limits: limits)
    }

    @Test("the design's limits: 5 s, 8 of a source, 256 in all")
    func design() {
        var waiting = Connections()
        for id in 0..<8 { #expect(waiting.arrive(id, from: "a", expected: 0, at: 0) == nil) }
        #expect(waiting.arrive(8, from: "a", expected: 0, at: 0) == 0)
        for id in 9..<257 { #expect(waiting.arrive(id, from: "\(id)", expected: 0, at: 1) == nil) }
        #expect(waiting.count == 256)
        #expect(waiting.arrive(257, from: "b", expected: 0, at: 1) == 1)
        #expect(waiting.nextDeadline == 5)
        #expect(waiting.overdue(at: 4.9) == [])
        #expect(waiting.overdue(at: 5) == Array(2...8))
        #expect(waiting.nextDeadline == 6)
    }

    @Test("the oldest of a source goes, and no other source's")
    func perSource() {
        var waiting = few()
        #expect(waiting.arrive(1, from: "a", expected: 0, at: 0) == nil)
        #expect(waiting.arrive(2, from: "b", expected: 0, at: 0) == nil)
        #expect(waiting.arrive(3, from: "b", expected: 0, at: 0) == nil)
        #expect(waiting.arrive(4, from: "b", expected: 0, at: 0) == 2)
        #expect(waiting.count == 3)
    }

    @Test("who has said nothing goes before who speaks, however long that waits")
    func silentFirst() {
        var waiting = few()
        for (id, source) in [(1, "a"), (2, "b"), (3, "c"), (4, "d")] {
            #expect(waiting.arrive(id, from: source, expected: 0, at: 0) == nil)
        }
        waiting.spoke(1)
        waiting.spoke(2)
        #expect(waiting.arrive(5, from: "e", expected: 0, at: 1) == 3)
        #expect(waiting.arrive(6, from: "f", expected: 0, at: 1) == 4)
        waiting.spoke(5)
        waiting.spoke(6)
        #expect(waiting.arrive(7, from: "g", expected: 0, at: 1) == 1)
    }

    @Test("who names an expected launch keeps its place, as many as join")
    func named() throws {
        var waiting = few(perSource: 8)
        let identity = LaunchIdentity.random()
        for id in 1...4 {
            #expect(waiting.arrive(id, from: "a", expected: 0, at: 0) == nil)
            waiting.spoke(id)
            waiting.named(id, identity, joins: 3)
        }
        #expect(waiting.arrive(5, from: "b", expected: 0, at: 1) == 4)
        // A stranger that comes again and again pushes out strangers.
        for id in 6...20 { #expect(waiting.arrive(id, from: "b", expected: 0, at: 1) == id - 1) }
        #expect(waiting.count == 4)
        // And even who keeps its place has to hurry.
        #expect(waiting.overdue(at: 5) == [1, 2, 3])
    }

    @Test("where as many join as like, no more keep their places than there may")
    func namedLimit() {
        var limits = Connections.Limits()
        (limits.perSource, limits.total, limits.kept) = (100, 4, 2)
        var waiting = Connections(limits: limits)
        for id in 1...20 {
            _ = waiting.arrive(id, from: "a", expected: .max, at: 0)
            waiting.named(id, LaunchIdentity.random(), joins: .max)
            #expect(waiting.count <= 6)
        }
        #expect(waiting.overdue(at: 5) == [1, 2, 17, 18, 19, 20])
    }

    @Test("so many more places there are as joins are expected, up to a limit")
    func kept() {
        var waiting = few()
        for id in 1...5 { #expect(waiting.arrive(id, from: "a", expected: 3, at: 0) == nil) }
        #expect(waiting.arrive(6, from: "a", expected: 3, at: 0) == 1)
        for id in 7...8 { #expect(waiting.arrive(id, from: "b", expected: 3, at: 0) == nil) }
        #expect(waiting.arrive(9, from: "b", expected: 3, at: 0) == 2)
        #expect(waiting.count == 7)
        var many = few()
        for id in 0..<1026 { #expect(many.arrive(id, from: "a", expected: .max, at: 0) == nil) }
        #expect(many.arrive(1026, from: "a", expected: .max, at: 0) == 0)
    }

    @Test("who has left makes room, and can leave once")
    func leaving() {
        var waiting = few()
        #expect(waiting.arrive(1, from: "a", expected: 0, at: 0) == nil)
        #expect(waiting.arrive(2, from: "a", expected: 0, at: 0) == nil)
        #expect(waiting.leave(1) == true)
        #expect(waiting.leave(1) == false)
        #expect(waiting.arrive(3, from: "a", expected: 0, at: 0) == nil)
        waiting.spoke(1)
        waiting.named(1, .random(), joins: 1)
        #expect(waiting.count == 2)
    }

    @Test("whatever comes, there are never more than there may be, and never an unnamed one more of a source")
    func random() {
        var generator = SystemRandomNumberGenerator()
        var waiting = few(perSource: 3, total: 10)
        var sources: [Int: Int] = [:]
        for id in 0..<5000 {
            let source = Int.random(in: 0..<6, using: &generator)
            if let left = waiting.arrive(id, from: "\(source)", expected: 0, at: Double(id) / 10) {
                #expect(sources.removeValue(forKey: left) != nil)
            }
            sources[id] = source
            if Bool.random(using: &generator) { waiting.spoke(id - 1) }
            for left in waiting.overdue(at: Double(id) / 10) { #expect(sources.removeValue(forKey: left) != nil) }
            #expect(waiting.count == sources.count && waiting.count <= 10)
            #expect(sources.values.count { $0 == source } <= 3)
        }
    }
}
