/// Values in the order of their keys, the least first: a binary heap.
///
/// - Complexity: O(log n) for each change.
struct KeyedQueue<Key: Comparable & Sendable, Value: Sendable>: Sendable {
    private var heap: [(key: Key, value: Value)] = []

    /// The least key.
    var leastKey: Key? { heap.first?.key }

    mutating func insert(_ value: Value, key: Key) {
        heap.append((key, value))
        var child = heap.count - 1
        while child > 0, heap[child].key < heap[(child - 1) / 2].key {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// Takes out the value with the least key.
    mutating func pop() -> Value? {
        guard let least = heap.first, let last = heap.popLast() else { return nil }
        guard !heap.isEmpty else { return least.value }
        heap[0] = last
        var parent = 0
        while let child = lesserChild(of: parent), heap[child].key < heap[parent].key {
            heap.swapAt(parent, child)
            parent = child
        }
        return least.value
    }

    private func lesserChild(of parent: Int) -> Int? {
        let (left, right) = (2 * parent + 1, 2 * parent + 2)
        guard left < heap.count else { return nil }
        return right < heap.count && heap[right].key < heap[left].key ? right : left
    }
}
