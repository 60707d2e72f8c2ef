import Testing

@testable import Scheduling

@Suite("KeyedQueue")
struct KeyedQueueTests {
    @Test("values come in the order of their keys, whatever the order they went in", arguments: 0..<50)
    func order(seed: UInt64) {
        var random = Seeded(state: seed)
        var queue = KeyedQueue<Int, Int>()
        var model: [Int] = []
        for _ in 0..<Int.random(in: 0...200, using: &random) {
            if Bool.random(using: &random) || model.isEmpty {
                let key = Int.random(in: 0...20, using: &random)
                queue.insert(key * 10, key: key)
                model.append(key)
            } else if let least = model.min(), let index = model.firstIndex(of: least) {
                #expect(queue.leastKey == least && queue.pop() == least * 10)
                model.remove(at: index)
            }
        }
        for key in model.sorted() { #expect(queue.pop() == key * 10) }
        #expect(queue.pop() == nil && queue.leastKey == nil)
    }
}
